"""Programs that call the API, and what they get."""

from datetime import timedelta
from typing import Any

from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from tests.people import person
from txt_dashboard.actions.api_keys import create_key
from txt_dashboard.actions.keystone import token_name
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Role


def key_of(*roles: Role, name: str = "") -> str:
    """The key of somebody with these roles, and all of them."""
    owner = person(name or f"a-{'-'.join(roles)}", *roles)
    lifetime = timedelta(days=1)
    given = {*roles, Role.VIEWER}
    return create_key(COMMAND_LINE, owner.name, name="test", roles=given, lifetime=lifetime, now=timezone.now())[1]


def caller(*roles: Role, name: str = "") -> Client:
    """A program with such a key."""
    return Client(headers={"Authorization": f"Bearer {key_of(*roles, name=name)}"})


def person_calling(actor: Actor) -> Client:
    """A program with a token of this person, as if Keystone had just vouched for it."""
    token = f"token-of-{actor.user}-{'x' * 16}"
    caches["api"].set(token_name(token), actor)
    return Client(headers={"X-Auth-Token": token})


def post(program: Client, path: str, body: object = None, **headers: str) -> Any:
    """The answer to a POST of JSON."""
    return send(program, "POST", path, body, **headers)


def send(program: Client, method: str, path: str, body: object = None, **headers: str) -> Any:
    """The answer to a request with JSON."""
    asking = {"POST": program.post, "PUT": program.put}[method]
    return asking(path, data={} if body is None else body, content_type="application/json", headers=headers)
