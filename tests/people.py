"""Accounts for tests: people with roles, as actors."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from tests.factories import NOON
from txt_dashboard.actions.accounts import add_account
from txt_dashboard.actions.governance.decide import approve
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Role
from txt_dashboard.attest.quorum import Tally
from txt_dashboard.models import Proposal
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.proposals import impact_of

PASSWORD = "a long enough passphrase"
LONG_AGO = NOON - timedelta(days=30)


def person(name: str, *roles: Role, since: datetime = LONG_AGO) -> Actor:
    """Somebody with an account and these roles, given at `since`."""
    user = add_account(COMMAND_LINE, name, roles, PASSWORD, now=since)
    return Actor(name, frozenset({*roles, Role.VIEWER}), user=user.pk)


def approver(name: str, since: datetime = LONG_AGO) -> Actor:
    """An approver, for long unless told otherwise."""
    return person(name, Role.APPROVER, since=since)


def account(actor: Actor) -> User:
    """The account of an actor."""
    return User.objects.get(pk=actor.user)


def say_yes(actor: Actor, proposal: Proposal, now: datetime = NOON, **more: object) -> Tally:
    """Approves what is there now."""
    proposal.refresh_from_db()
    found = impact_of(proposal, now)
    values = {
        "reason": "Compared with the vendor's notes.",
        "content_hash": proposal.content_hash,
        "impact_hash": found.digest,
        "confirmed_losses": found[Change.LOST],
        **more,
    }
    return approve(actor, proposal.pk, now=now, **values)
