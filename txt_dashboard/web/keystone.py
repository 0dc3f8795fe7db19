"""Log-in by Keystone, and sessions that rest on it: each request has the roles of the session's own token."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, authenticate, logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import CharField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from txt_dashboard import conf, vault
from txt_dashboard.actions import keystone_sessions
from txt_dashboard.actions.keystone_sessions import Entry, NotTaken
from txt_dashboard.actions.permissions import NotAllowed
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.cloud.persons import Project
from txt_dashboard.vault import VaultError

BACKEND = "txt_dashboard.web.keystone.KeystoneBackend"
_KEPT = "keystone"  # in the session
# What programs ask, by credentials of their own: no session counts there.
_OF_PROGRAMS = ("/v1/", "/AttestationService/", "/OpenAttestationWebServices/", "/.well-known/", "/hooks/")
_LONGEST = 255

log = structlog.get_logger()


class KeystoneBackend(ModelBackend):
    """Takes whom Keystone takes. `username` is what failures are counted by."""

    @sensitive_variables("password")
    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, *, username: str, password: str, name: str, domain: str, project: str
    ) -> User:
        """The account; raises `PermissionDenied`, so that no local account is tried with what was entered.

        `CloudError` and `NotAllowed` pass: nobody guessed wrong.
        """
        try:
            entry, actor = keystone_sessions.log_in(name, password, domain, project, now=timezone.now())
        except NotTaken:
            raise PermissionDenied from None
        user = User.objects.get(username=actor.name)
        user._entry = entry  # type: ignore[attr-defined]
        return user


class KeystoneForm(AuthenticationForm):
    """Name, password, domain and project, as Keystone knows them."""

    domain = CharField(max_length=_LONGEST, initial="Default")
    project = CharField(max_length=_LONGEST, required=False)

    @sensitive_variables("password")
    def clean(self) -> dict[str, Any]:
        """Asks Keystone."""
        told = self.cleaned_data
        if not {"username", "password", "domain"} <= told.keys():
            return told
        name, domain, project = (told.get(field, "").strip() for field in ("username", "domain", "project"))
        label = f"{name} ({domain} at {conf.keystone_cloud()})"[:_LONGEST]
        try:
            found = authenticate(
                self.request, username=label, password=told["password"], name=name, domain=domain, project=project
            )
        except CloudError as error:
            log.error("keystone_unavailable", why=str(error))
            sentence = gettext("Keystone could not be asked. Try again in a minute.")
            raise ValidationError(sentence, code="told") from None
        except NotAllowed as error:
            raise ValidationError(str(error), code="told") from None
        if found is None:
            raise self.get_invalid_login_error()
        self.user_cache = found
        return told


class LogIn(LoginView):
    """The log-in page of Keystone. Who is logged in already goes on."""

    template_name = "registration/keystone.html"
    authentication_form = KeystoneForm
    redirect_authenticated_user = True

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Is not there where the settings name no Keystone."""
        if not conf.keystone_cloud():
            raise Http404
        super().setup(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Begins the session."""
        entry: Entry = form.get_user()._entry  # type: ignore[attr-defined]
        response = super().form_valid(form)
        keep(self.request, entry)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the cloud's name."""
        return super().get_context_data(**kwargs) | described()


class KeystoneSessionMiddleware:
    """Gives each request of such a session the actor that its token makes, and ends it kindly with the token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leaves sessions of local accounts, and what programs ask, alone."""
        if request.path_info.startswith(_OF_PROGRAMS) or request.session.get(BACKEND_SESSION_KEY) != BACKEND:
            return self.get_response(request)
        entry = kept(request)
        try:
            actor = keystone_sessions.actor_of(entry, now=timezone.now()) if entry is not None else None
        except CloudError as error:
            log.error("keystone_unavailable", why=str(error))
            return _unavailable(request)
        if entry is None or actor is None or actor.user != request.user.pk:
            return _ended(request)
        request.user._actor = actor  # type: ignore[union-attr]  # what `identity.actor_of` finds
        request.keystone = entry  # type: ignore[attr-defined]
        return self.get_response(request)


def described() -> dict[str, object]:
    """What log-in pages say of the cloud by whose Keystone one can log in; its name is empty where there is none."""
    name = conf.keystone_cloud()
    return {"cloud": name, "simulated": conf.clouds_are_simulated() and name == conf.SIMULATED_CLOUD}


def keep(request: HttpRequest, entry: Entry) -> None:
    """Puts the entry into the session; its tokens sealed, for this person only."""
    session: SessionBase = request.session
    secrets = json.dumps([entry.token, entry.unscoped])
    session[_KEPT] = {
        "sealed": vault.seal(secrets, _bound_to(request.user)),
        "project": [entry.project.id, entry.project.name],
        "ends": entry.ends.isoformat(),
    }


def kept(request: HttpRequest) -> Entry | None:
    """What the session keeps; `None` where it can't be read (any more)."""
    found: Any = request.session.get(_KEPT)
    try:
        token, unscoped = json.loads(vault.unseal(found["sealed"], _bound_to(request.user)))
        return Entry(token, unscoped, Project(*found["project"]), datetime.fromisoformat(found["ends"]))
    except (VaultError, KeyError, TypeError, ValueError):
        return None


def entry_of(request: HttpRequest) -> Entry | None:
    """What this request's session rests on; `None` for local accounts."""
    found: Entry | None = getattr(request, "keystone", None)
    return found


def _bound_to(user: Any) -> str:
    return f"keystone session of {user.pk}"


def _ended(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.info(request, gettext("Your log-in at Keystone has run out. Log in again to go on where you were."))
    back = request.get_full_path() if request.method in ("GET", "HEAD") else request.headers.get("Referer", "")
    local = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    back = back if local else resolve_url("fleet")
    where = reverse("login-keystone") if conf.keystone_cloud() else reverse("login")
    return redirect_to_login(back, where)


def _unavailable(request: HttpRequest) -> HttpResponse:
    sentence = gettext("Keystone could not be asked whether you are still logged in. Try again in a minute.")
    headers = {"Retry-After": "10"}
    if request.htmx or request.headers.get("Accept") == "application/json":  # type: ignore[attr-defined]
        return HttpResponse(sentence, status=503, content_type="text/plain; charset=utf-8", headers=headers)
    request._without_frame = True  # type: ignore[attr-defined]  # nobody can say what the person may see
    context = {"title": gettext("Keystone does not answer"), "sentence": sentence}
    response = render(request, "error.html", context, status=503)
    response.headers["Retry-After"] = headers["Retry-After"]
    return response
