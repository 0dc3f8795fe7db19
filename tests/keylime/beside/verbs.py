"""What people do to the product, by its verbs, inside of its own process (`manage.py shell`)."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

from django.contrib.auth.models import User
from django.utils import timezone

from txt_dashboard.actions.attestation_keys import propose_shown_keys
from txt_dashboard.actions.governance.decide import approve
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Role
from txt_dashboard.actions.reference import propose_file
from txt_dashboard.actions.servers import ServerSettings, add_server, edit_server, propose_counting
from txt_dashboard.attest.entries import PolicyOf, policy_entry, policy_id
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part, Policy, Requirement
from txt_dashboard.models import Proposal, Server
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.proposals import impact_of

WHY = "The way from OpenAttestation to Keylime."
PLATFORM = Requirement(Part.PLATFORM, Bank.SHA256, frozenset(range(8)))
VMM = Requirement(Part.VMM, Bank.SHA256, frozenset({17, 18}))


def add(name: str, url: str, authority: str, interval_s: int) -> None:
    """A Keylime, which is only observed."""
    settings = ServerSettings(
        name, "keylime", url, Path(authority).read_text(), interval_s=interval_s, batch_size=500, deadline_s=6
    )
    add_server(COMMAND_LINE, settings, now=timezone.now())


def ask_every(name: str, seconds: int) -> None:
    """Each host of this server from now on."""
    row = Server.objects.get(name=name)
    same = {each.name: getattr(row, each.name) for each in fields(ServerSettings) if each.name != "auth_blob"}
    settings = replace(ServerSettings(**same), interval_s=seconds)
    edit_server(COMMAND_LINE, row.pk, settings, version=row.version, now=timezone.now())


def require(name: str, validity_s: int) -> None:
    """The policy for this server."""
    policy = Policy((PLATFORM, VMM), timedelta(seconds=validity_s))
    wanted = {policy_id(name, ""): policy_entry(PolicyOf(name, "", policy))}
    _approve(propose(COMMAND_LINE, wanted, title=f"What {name} must show", reason=WHY, now=timezone.now()))


def take_shown_keys(name: str) -> None:
    """Those that its registrar shows."""
    title = f"Keys of {name}"
    _approve(propose_shown_keys(COMMAND_LINE, name, title=title, reason=WHY, now=timezone.now()))


def take_values(documents: Sequence[bytes]) -> None:
    """Baselines, each as a file says it."""
    for number, document in enumerate(documents, 1):
        title = f"Values in SHA-256, {number}"
        _approve(propose_file(COMMAND_LINE, document, title=title, reason=WHY, now=timezone.now()))


def count(name: str, *, counts: bool) -> None:
    """What this server says counts from now on, or no more."""
    row = Server.objects.get(name=name)
    _approve(propose_counting(COMMAND_LINE, row.pk, counts=counts, reason=WHY, now=timezone.now()))


def _approve(proposal: Proposal) -> None:
    """Two persons do; a worker signs it."""
    for name in ("approver", "approver2"):
        found = impact_of(proposal, timezone.now())
        approve(
            Actor(name, frozenset({Role.APPROVER}), user=User.objects.get(username=name).pk),
            proposal.pk,
            reason=WHY,
            content_hash=proposal.content_hash,
            impact_hash=found.digest,
            confirmed_losses=found[Change.LOST],
            now=timezone.now(),
        )
