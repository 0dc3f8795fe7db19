"""API keys: made, found by their secret, revoked. A key acts for its owner, and is nobody's person."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from txt_dashboard import audit
from txt_dashboard.actions.permissions import Actor, Invalid, NotFound, Role, Verb, require
from txt_dashboard.models import Account, ApiKey

PREFIX = "txt"
LONGEST = timedelta(days=366)
USED_TO_THE = timedelta(minutes=1)
_SECRET_BYTES = 32


@transaction.atomic
def create_key(
    actor: Actor, owner: str, *, name: str, roles: Collection[Role], lifetime: timedelta, now: datetime
) -> tuple[ApiKey, str]:
    """A new key, and the text that programs send: it is kept nowhere. Raises `NotAllowed`, `NotFound`, `Invalid`."""
    require(actor, Verb.MANAGE_ACCOUNTS)
    user = User.objects.filter(username=owner).first()
    if user is None:
        raise NotFound(f"There is no account named {owner}.")
    _check(name, set(roles), roles_of(user), owner, lifetime)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    key = ApiKey.objects.create(
        number=secrets.token_hex(8),
        digest=_digest(secret),
        name=name,
        owner=Account.objects.get_or_create(user=user)[0],
        roles=sorted(role.value for role in roles),
        created_at=now,
        expires_at=now + lifetime,
    )
    detail = {"key": key.number, "name": name, "roles": key.roles, "expires": key.expires_at.isoformat()}
    audit.record(at=now, actor=actor.name, verb="create api key", target=owner, detail=detail)
    return key, f"{PREFIX}_{key.number}_{secret}"


@transaction.atomic
def revoke_key(actor: Actor, number: str, *, now: datetime) -> None:
    """The key is refused from now on; revoking it again changes nothing. Raises `NotAllowed`, `NotFound`."""
    require(actor, Verb.MANAGE_ACCOUNTS)
    key = ApiKey.objects.select_for_update(of=("self",)).filter(number=number).first()
    if key is None:
        raise NotFound(f"There is no API key with the number {number[:40]}.")
    if key.revoked_at is not None:
        return
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    detail = {"key": key.number, "name": key.name}
    audit.record(at=now, actor=actor.name, verb="revoke api key", target=str(key.owner), detail=detail)


def actor_with_key(text: str, *, now: datetime) -> Actor | None:
    """Whoever this key acts for, with the roles that both the key and its owner have; `None` for one that is no good.

    It says nothing of why it is none: whoever guesses learns nothing. Two queries.
    """
    prefix, _, rest = text.partition("_")
    number, _, secret = rest.partition("_")
    if prefix != PREFIX or not number.isalnum() or not secret:
        return None
    key = ApiKey.objects.select_related("owner__user").filter(number=number).first()
    if key is None or not hmac.compare_digest(key.digest, _digest(secret)):
        return None
    user = key.owner.user
    if not key.is_good(now) or not user.is_active:
        return None
    _note_use(key, now)
    roles = frozenset(Role(role) for role in key.roles) & roles_of(user)
    return Actor(f"{user.get_username()[:80]} by key {key.name}", roles, user=user.pk, by_key=True)


def roles_of(user: User) -> frozenset[Role]:
    """The roles that an account has now. One query."""
    groups = set(user.groups.values_list("name", flat=True))
    return frozenset(role for role in Role if role.value in groups)


def _note_use(key: ApiKey, now: datetime) -> None:
    # One write a minute at most: a script that asks often must not wait for its own row.
    since = now - USED_TO_THE
    if key.used_at is None or key.used_at <= since:
        ApiKey.objects.filter(Q(used_at=None) | Q(used_at__lte=since), pk=key.pk).update(used_at=now)


def _check(name: str, roles: set[Role], held: Collection[Role], owner: str, lifetime: timedelta) -> None:
    errors: dict[str, list[str]] = {}
    if not name.isprintable() or not 1 <= len(name) <= 60:
        errors["name"] = ["A key's name has 1 to 60 printable characters."]
    if missing := sorted(role.value for role in roles - set(held)):
        errors["roles"] = [f"{owner} is no {', '.join(missing)}: a key has no role that its owner does not have."]
    if not roles:
        errors["roles"] = ["A key needs at least one role."]
    if not timedelta(0) < lifetime <= LONGEST:
        errors["lifetime"] = [f"A key lives for 1 to {LONGEST.days} days."]
    if errors:
        raise Invalid(errors)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
