"""Local accounts: who may log in, and with which roles."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.governance.accounts import note_roles
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Invalid, NotFound, Role, Verb, require

RESERVED = frozenset({"worker", COMMAND_LINE.name})


@transaction.atomic
def add_account(actor: Actor, name: str, roles: Collection[Role], password: str, *, now: datetime) -> User:
    """A new account, which may look at everything besides what its roles say. Raises `NotAllowed`, `Invalid`."""
    require(actor, Verb.MANAGE_ACCOUNTS)
    user = User(username=name)
    _check(user, password)
    user.set_password(password)
    user.save()
    roles = {*roles, Role.VIEWER}
    user.groups.set(Group.objects.get_or_create(name=role.value)[0] for role in roles)
    note_roles(user, set(roles), now=now)
    _record(actor, "add account", name, now, roles=sorted(role.value for role in roles))
    return user


@transaction.atomic
def set_roles(actor: Actor, name: str, roles: Collection[Role], *, now: datetime) -> None:
    """The roles of an account, all others taken away. Who becomes an approver waits before it counts.

    Raises `NotAllowed`, `NotFound`.
    """
    require(actor, Verb.MANAGE_ACCOUNTS)
    user = _account(name)
    roles = {*roles, Role.VIEWER}
    user.groups.set(Group.objects.get_or_create(name=role.value)[0] for role in roles)
    note_roles(user, set(roles), now=now)
    _record(actor, "set roles", name, now, roles=sorted(role.value for role in roles))


@transaction.atomic
def set_password(actor: Actor, name: str, password: str, *, now: datetime) -> None:
    """A new password; all sessions of the account end. Raises `NotAllowed`, `NotFound`, `Invalid`."""
    require(actor, Verb.MANAGE_ACCOUNTS)
    user = _account(name)
    _check(user, password)
    user.set_password(password)
    user.save(update_fields=["password"])
    _record(actor, "set password", name, now)


@transaction.atomic
def set_active(actor: Actor, name: str, *, active: bool, now: datetime) -> None:
    """Whether the account may log in; where not, its sessions end. Raises `NotAllowed`, `NotFound`."""
    require(actor, Verb.MANAGE_ACCOUNTS)
    user = _account(name)
    user.is_active = active
    user.save(update_fields=["is_active"])
    _record(actor, "enable account" if active else "disable account", name, now)


def _account(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotFound(f"There is no account named {name}.")
    return user


def _check(user: User, password: str) -> None:
    errors: dict[str, list[str]] = {}
    if user.username.casefold() in RESERVED:
        errors["username"] = ["This name means the product itself in the activity log."]
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as invalid:
        errors.update(invalid.message_dict)
    try:
        validate_password(password, user)
    except ValidationError as invalid:
        errors["password"] = invalid.messages
    if errors:
        raise Invalid(errors)


def _record(actor: Actor, verb: str, name: str, now: datetime, **detail: object) -> None:
    audit.record(at=now, actor=actor.name, verb=verb, target=name, detail=detail)
