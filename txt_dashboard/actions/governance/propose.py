"""Proposing: what shall become of entries of the signed set. Nothing is in force by it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.governance.accounts import owner_of
from txt_dashboard.actions.governance.refuse import Wanted, errors
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotAllowed, NotFound, Verb, require
from txt_dashboard.attest.entries import EntryKind, kind_of
from txt_dashboard.attest.reference import InvalidReference
from txt_dashboard.attest.signed_set import Patch, entry_hash, plain
from txt_dashboard.models import Decision, DecisionVerb, Proposal, ProposalState
from txt_dashboard.queries.in_force import in_force

LONGEST_REASON = 2000
MOST_ERRORS = 20
NEEDED = {
    EntryKind.BASELINE: Verb.PROPOSE_BASELINE,
    EntryKind.POLICY: Verb.PROPOSE_POLICY,
    EntryKind.SERVER: Verb.PROPOSE_SERVER,
    EntryKind.KEY: Verb.PROPOSE_KEY,
}


@transaction.atomic
def propose(actor: Actor, wanted: Wanted, *, title: str, reason: str, now: datetime) -> Proposal:
    """Asks for these entries. Raises `NotAllowed`, `Invalid` with all that is wrong, `Conflict` for a twin."""
    _require(actor, wanted)
    base = in_force()
    if base.refused:
        raise Conflict(f"Nothing can be proposed while the signed set is refused: {base.refused}")
    patch = settled_anew(wanted)
    return create(actor, patch, title=title, reason=reason, now=now)


@transaction.atomic
def propose_all(
    actor: Actor, asked: Sequence[tuple[str, Wanted]], *, reason: str, now: datetime
) -> tuple[Proposal, ...]:
    """Makes several proposals, each with its title, or none. Raises as `propose`."""
    return tuple(propose(actor, wanted, title=title, reason=reason, now=now) for title, wanted in asked)


@transaction.atomic
def edit(
    actor: Actor, proposal_id: int, wanted: Wanted, *, title: str, reason: str, content_hash: str, now: datetime
) -> Proposal:
    """Changes an open proposal of one's own. Its content hash changes, so earlier approvals count no more.

    Raises as `propose`, and `Conflict` where it is not any more what the actor saw.
    """
    proposal = _own(actor, proposal_id, "edit")
    if proposal.content_hash != content_hash:
        raise Conflict("This proposal has changed since you saw it. Look at it again before you edit it.")
    _require(actor, wanted)
    patch = settled_anew(wanted)
    _check_words(title, reason)
    before = proposal.content_hash
    proposal.patch, proposal.content_hash = patch.stored(), patch.content_hash
    proposal.title, proposal.reason, proposal.edited_at, proposal.stuck = title.strip(), reason.strip(), now, ""
    proposal.save()
    log_proposal(actor, "edit proposal", proposal, now, before=before)
    return proposal


@transaction.atomic
def withdraw(actor: Actor, proposal_id: int, *, reason: str, now: datetime, content_hash: str = "") -> None:
    """Takes an open proposal of one's own back; where a hash is named, only that content.

    Raises `NotAllowed`, `NotFound`, `Conflict`, `Invalid`.
    """
    proposal = _own(actor, proposal_id, "withdraw")
    if content_hash not in ("", proposal.content_hash):
        raise Conflict("This proposal has changed since you saw it. Look at it again before you withdraw it.")
    check_reason(reason)
    proposal.state, proposal.settled_at = ProposalState.WITHDRAWN, now
    proposal.save(update_fields=["state", "settled_at"])
    Decision.objects.create(
        proposal=proposal,
        account=owner_of(actor),
        decided_by=actor.name,
        verb=DecisionVerb.WITHDRAW,
        reason=reason.strip(),
        content_hash=proposal.content_hash,
        at=now,
    )
    log_proposal(actor, "withdraw proposal", proposal, now, reason=reason.strip())


def retire(actor: Actor, entry_id: str, *, reason: str, now: datetime, content_hash: str = "") -> Proposal:
    """Asks to remove an entry; where a hash is named, only that content.

    Raises as `propose`, and `NotFound` where it is not in force.
    """
    entry = in_force().set.entries.get(entry_id)
    if entry is None:
        raise NotFound("This is not in force, so it can't be retired.")
    if content_hash not in ("", entry_hash(plain(entry))):
        raise Conflict("This has changed since you saw it. Look at it again before you ask to retire it.")
    title = f"Retire {entry.get('name') or entry_id}"
    return propose(actor, {entry_id: None}, title=title[:200], reason=reason, now=now)


def settled_anew(wanted: Wanted) -> Patch:
    """The patch for what is wanted; raises `Invalid` with every entry that can't be, and where nothing changes."""
    held = in_force().set
    if found := errors(wanted, held):
        raise Invalid({"entries": found[:MOST_ERRORS]})
    patch = held.patch(wanted)
    if not patch.changes:
        raise Invalid({"entries": ["All of this is in force already."]})
    return patch


def create(actor: Actor, patch: Patch, *, title: str, reason: str, now: datetime) -> Proposal:
    """Writes a new proposal; in a transaction. Raises `Invalid`, `Conflict` for a twin."""
    _check_words(title, reason)
    twin = Proposal.objects.filter(content_hash=patch.content_hash, state=ProposalState.OPEN).first()
    if twin is not None:
        raise Conflict(f"Proposal {twin.pk} asks for exactly this already.")
    proposal = Proposal.objects.create(
        title=title.strip(),
        reason=reason.strip(),
        proposer=owner_of(actor),
        proposed_by=actor.name,
        patch=patch.stored(),
        content_hash=patch.content_hash,
        proposed_at=now,
    )
    log_proposal(actor, "propose", proposal, now)
    return proposal


def check_reason(reason: str) -> None:
    """Raises `Invalid` unless somebody can read the reason later."""
    if not reason.strip():
        raise Invalid({"reason": ["Say why: others will read it, now or later."]})
    if len(reason) > LONGEST_REASON:
        raise Invalid({"reason": [f"A reason has at most {LONGEST_REASON} characters."]})


def log_proposal(actor: Actor, verb: str, proposal: Proposal, now: datetime, **more: object) -> None:
    """The activity entry of an act on a proposal."""
    detail = {"title": proposal.title, "content": proposal.content_hash, "reason": proposal.reason, **more}
    audit.record(at=now, actor=actor.name, verb=verb, target=f"proposal {proposal.pk}", detail=detail)


def _require(actor: Actor, wanted: Wanted) -> None:
    for entry_id in wanted:
        try:
            require(actor, NEEDED[kind_of(entry_id)])
        except InvalidReference as error:
            raise Invalid({"entries": [f"{error}."]}) from None


def _own(actor: Actor, proposal_id: int, what: str) -> Proposal:
    proposal = Proposal.objects.select_for_update(of=("self",)).filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("There is no proposal of this number.")
    account = owner_of(actor)
    own = proposal.proposer is not None and account is not None and proposal.proposer.person == account.person
    if not own and not (actor.is_command and proposal.proposer is None):
        raise NotAllowed(f"Only {proposal.proposed_by}, who proposed it, can {what} it.")
    if proposal.state != ProposalState.OPEN:
        raise Conflict(f"This proposal is {proposal.state} already.")
    return proposal


def _check_words(title: str, reason: str) -> None:
    check_reason(reason)
    if not title.strip().isprintable() or not 1 <= len(title.strip()) <= 200:
        raise Invalid({"title": ["A title has 1 to 200 printable characters."]})
