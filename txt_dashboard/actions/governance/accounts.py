"""Accounts as governance sees them: whose they are, and since when they may approve."""

import uuid
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotFound, Role, Verb, require
from txt_dashboard.attest.quorum import Approver
from txt_dashboard.models import Account
from txt_dashboard.queries.in_force import in_force


def account_of(actor: Actor) -> Account | None:
    """The account of the person who acts; `None` for a command or a key."""
    if actor.user is None or not actor.is_person:
        return None
    return Account.objects.get_or_create(user_id=actor.user)[0]


def owner_of(actor: Actor) -> Account | None:
    """The account that answers for the act: of a person, or of whom a key acts for; `None` for a command.

    Who proposed by a key must not approve it in person.
    """
    if actor.user is None or actor.is_command:
        return None
    return Account.objects.get_or_create(user_id=actor.user)[0]


def known_account(actor: Actor) -> Account | None:
    """As `account_of`, for pages: writes nothing. An account that governance has not met yet is a new person's."""
    if actor.user is None or not actor.is_person:
        return None
    known = Account.objects.filter(user=actor.user).select_related("user").prefetch_related("user__groups")
    return known.first() or Account(user_id=actor.user)


def approver(account: Account | None) -> Approver:
    """The account as the quorum counts it, as it stands now: a role that was taken away counts no more."""
    if account is None:
        return Approver("", None)
    user = account.user
    approves = user.is_active and any(group.name == Role.APPROVER.value for group in user.groups.all())
    return Approver(str(account.person), account.approver_since if approves else None, account.named)


def note_roles(user: User, roles: set[Role], *, now: datetime) -> None:
    """Remembers since when the account may approve. Called wherever roles are given or taken."""
    account, _ = Account.objects.get_or_create(user=user)
    may_approve = Role.APPROVER in roles
    if may_approve and account.approver_since is None:
        account.approver_since = now
    elif not may_approve:
        account.approver_since, account.named = None, False
    account.save()


@transaction.atomic
def name_first_approvers(actor: Actor, names: list[str], *, now: datetime) -> None:
    """Lets these approvers count at once. Raises `NotAllowed`, `Invalid`, `Conflict`.

    For the first day of an installation only: once something is in force, who is made an approver waits.
    """
    require(actor, Verb.MANAGE_ACCOUNTS)
    if in_force().set.number:
        raise Conflict("Something is in force already: approvers made now wait before their word counts.")
    accounts = list(Account.objects.filter(user__username__in=names, approver_since__isnull=False))
    missing = sorted(set(names) - {str(account) for account in accounts})
    if missing:
        raise Invalid({"names": [f"{name} is no approver." for name in missing]})
    for account in accounts:
        account.named = True
        account.save(update_fields=["named"])
    audit.record(at=now, actor=actor.name, verb="name first approvers", detail={"names": sorted(names)})


@transaction.atomic
def link_accounts(actor: Actor, name: str, other: str, *, now: datetime) -> None:
    """Says that two accounts are one person's; from now on they count once. Raises `NotAllowed`, `NotFound`."""
    require(actor, Verb.MANAGE_ACCOUNTS)
    first, second = _account(name), _account(other)
    Account.objects.filter(person=second.person).update(person=first.person)
    audit.record(at=now, actor=actor.name, verb="link accounts", target=name, detail={"with": other})


@transaction.atomic
def unlink_account(actor: Actor, name: str, *, now: datetime) -> None:
    """Says that an account is a person's of its own, who waits as a new approver does. Raises as `link_accounts`."""
    require(actor, Verb.MANAGE_ACCOUNTS)
    account = _account(name)
    account.person, account.named = uuid.uuid4(), False
    account.approver_since = now if account.approver_since else None
    account.save()
    audit.record(at=now, actor=actor.name, verb="unlink account", target=name)


def _account(name: str) -> Account:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotFound(f"There is no account named {name}.")
    return Account.objects.get_or_create(user=user)[0]
