"""People who look at pages, and what they read there."""

from html import unescape

from django.contrib.auth.models import Group, User
from django.test import Client

from txt_dashboard.actions.permissions import Actor


def visitor(*roles: str, name: str = "") -> Client:
    """A browser of somebody with these roles, logged in."""
    user = User.objects.create_user(name or f"a-{'-'.join(roles) or 'nobody'}")
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def browser_of(actor: Actor) -> Client:
    """A browser of somebody whose account is there already (see `tests.people`), logged in."""
    browser = Client()
    browser.force_login(User.objects.get(pk=actor.user), backend="django.contrib.auth.backends.ModelBackend")
    return browser


def text(response) -> str:
    """The page's text and marks, with one space between words."""
    return " ".join(unescape(response.content.decode()).split())
