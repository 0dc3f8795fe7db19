"""Who asks: an API key or a Keystone token, and nothing else. A browser's session counts for nothing here."""

import hashlib
from contextlib import suppress
from http import HTTPStatus

import structlog
from django.core.cache import caches
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import APIKeyHeader, HttpBearer

from txt_dashboard import conf
from txt_dashboard.actions import api_keys, keystone
from txt_dashboard.actions.keystone import BAD, KNOWN_FOR, token_name
from txt_dashboard.actions.permissions import Actor, Verb, may, require
from txt_dashboard.api.problems import Refused
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.visitor import client_address

_WINDOW_S = 60  # failures are counted by the minute

log = structlog.get_logger()


class ApiKey(HttpBearer):
    """`Authorization: Bearer txt_…`: a key that the command `api_key` made."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """Raises `Refused`."""
        actor = api_keys.actor_with_key(token[:200], now=timezone.now())
        if actor is None:
            _let_look(request)
            _note_failure(request)
            raise Refused(
                HTTPStatus.UNAUTHORIZED, "This API key is no good: it is unknown, has run out or was revoked."
            )
        return _viewer(actor)


class KeystoneToken(APIKeyHeader):
    """`X-Auth-Token`: a token that Keystone calls good."""

    param_name = "X-Auth-Token"

    def __init__(self, *, of_any_project: bool = False) -> None:
        super().__init__()
        self._of_any_project = of_any_project

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """`None` where there is no token; raises `Refused`."""
        if not key:
            return None
        if "Authorization" in request.headers:
            raise Refused(HTTPStatus.UNAUTHORIZED, "Send an API key or a Keystone token, not both.")
        if not conf.keystone_cloud():
            raise Refused(HTTPStatus.UNAUTHORIZED, "Keystone tokens are not taken here. Send an API key.")
        name = token_name(key)
        known = caches["api"].get(name)
        if known is None:
            known = self._ask(request, key, name)
        if not isinstance(known, Actor):
            raise Refused(HTTPStatus.UNAUTHORIZED, "Keystone does not call this token good. Log in again.")
        if not keystone.is_active(known):
            raise Refused(HTTPStatus.UNAUTHORIZED, "This account was disabled here.")
        owner = self._of_any_project and may(known, Verb.VIEW_OWN_INSTANCES)
        return known if owner else _viewer(known)

    def _ask(self, request: HttpRequest, token: str, name: str) -> Actor | str:
        _let_look(request)
        now = timezone.now()
        try:
            holder = keystone.validate_token(token)
        except CloudError as error:
            log.error("keystone_unavailable", why=str(error))
            sentence = "Keystone could not be asked whether this token is good. Try again in a minute."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, sentence, 10) from None
        if holder is None or holder.expires_at <= now:
            # Tokens never become good again, so the same one need not be asked for, nor counted twice.
            _note_failure(request)
            caches["api"].set(name, BAD, KNOWN_FOR.total_seconds())
            return BAD
        actor = keystone.admit(holder, now=now)
        if actor is None:
            raise Refused(HTTPStatus.UNAUTHORIZED, "This account was disabled here.")
        left = min(KNOWN_FOR, holder.expires_at - now)
        caches["api"].set(name, actor, left.total_seconds())
        return actor


CREDENTIALS = (KeystoneToken(), ApiKey())
# For the few routes that a project's members may ask without any role here: each looks itself at who asks.
OWNERS_TOO = (KeystoneToken(of_any_project=True), ApiKey())


def actor(request: HttpRequest) -> Actor:
    """Who asks, once `CREDENTIALS` let the request pass."""
    found: Actor = request.auth  # type: ignore[attr-defined]
    return found


def _viewer(found: Actor) -> Actor:
    require(found, Verb.VIEW)
    return found


def _let_look(request: HttpRequest) -> None:
    """Raises `Refused` where too many credentials from this address were no good within a minute.

    Good keys pass all the same, and so do tokens that are known to be good: what is refused is to look at others.
    """
    if caches["api"].get(_counter(request), 0) >= conf.api_failures():
        sentence = "Too many keys and tokens from this address were no good. Wait a minute."
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, sentence, _WINDOW_S)


def _note_failure(request: HttpRequest) -> None:
    name = _counter(request)
    if not caches["api"].add(name, 1, _WINDOW_S):
        with suppress(ValueError):  # it ran out between the two
            caches["api"].incr(name)


def _counter(request: HttpRequest) -> str:
    return f"failures-{hashlib.sha256(client_address(request).encode()).hexdigest()}"
