"""The worker's part: it counts the recorded approvals again and signs the next number of the set. Nobody else can."""

import json
from datetime import datetime
from pathlib import Path

import structlog
from django.db import IntegrityError, transaction

from txt_dashboard import audit, conf
from txt_dashboard.actions.governance.decide import may_be_urgent, standing
from txt_dashboard.actions.governance.restore import store
from txt_dashboard.attest.quorum import Tally
from txt_dashboard.attest.signed_set import InvalidSet, Outdated, Patch, SignedSet
from txt_dashboard.attest.signing import Signature, SigningKey
from txt_dashboard.keyring import KeyringError, signing_key
from txt_dashboard.models import DecisionVerb, Proposal, ProposalState
from txt_dashboard.models import SignedSet as SignedSetRow
from txt_dashboard.queries.in_force import in_force, opened

log = structlog.get_logger()
_APPROVALS = (DecisionVerb.APPROVE, DecisionVerb.EMERGENCY)


class CannotSign(Exception):
    """A proposal has its quorum and still can't be signed; the sentence says why."""


def sign_due(now: datetime) -> int:
    """Signs every open proposal that has its quorum; returns how many. One query where there is none."""
    waiting = Proposal.objects.filter(state=ProposalState.OPEN, decisions__verb__in=_APPROVALS)
    signed = 0
    for proposal_id in waiting.order_by("id").values_list("id", flat=True).distinct():
        signed += _sign_in_turn(proposal_id, now)
    return signed


def _sign_in_turn(proposal_id: int, now: datetime) -> bool:
    try:
        with transaction.atomic():
            made = _sign(proposal_id, now)
    except (CannotSign, KeyringError) as error:
        open_ones = Proposal.objects.filter(pk=proposal_id, state=ProposalState.OPEN)
        if open_ones.exclude(stuck=str(error)).update(stuck=str(error)):
            log.error("set_not_signed", proposal=proposal_id, why=str(error))
        return False
    except IntegrityError:
        return False  # another worker was faster; the next turn looks again
    if made is None:
        return False
    following, signature = made
    archive(following, signature, conf.sets_dir())
    log.info("set_signed", number=following.number, proposal=proposal_id)
    return True


def _sign(proposal_id: int, now: datetime) -> tuple[SignedSet, Signature] | None:
    """In a transaction. `None` where the quorum is not there, or somebody else has settled it."""
    proposals = Proposal.objects.select_for_update(of=("self",))
    proposal = proposals.filter(pk=proposal_id, state=ProposalState.OPEN).first()
    if proposal is None:
        return None
    # The newest row is the lock between workers that sign different proposals.
    SignedSetRow.objects.select_for_update().order_by("-number").first()
    patch, counted = _recheck(proposal)
    if not counted.reached:
        return None
    key = signing_key(conf.signing_key_file())
    until = _emergency_end(proposal, counted, now)
    following = _following(patch, now, until)
    signature = following.signed(key)
    if not _make_room(following.number):
        return None
    store(following, signature, proposal)
    proposal.state, proposal.settled_at, proposal.stuck = ProposalState.IN_FORCE, now, ""
    proposal.set_number, proposal.emergency_until = following.number, until
    proposal.save()
    _log(proposal, following, counted, key, now)
    return following, signature


def _recheck(proposal: Proposal) -> tuple[Patch, Tally]:
    """What was approved, recomputed from the row, and who approved exactly that."""
    try:
        patch = Patch.read(proposal.patch)
    except InvalidSet as error:
        raise CannotSign(f"Proposal {proposal.pk} can't be read: {error}.") from None
    if patch.content_hash != proposal.content_hash:
        raise CannotSign(
            f"Proposal {proposal.pk} was altered in the database: its content is not what its hash says."
        )
    return patch, standing(proposal)


def _emergency_end(proposal: Proposal, counted: Tally, now: datetime) -> datetime | None:
    if not counted.emergency:
        return None
    lasts = conf.quorum().emergency
    if lasts is None or not may_be_urgent(proposal):
        raise CannotSign("An emergency approval is not allowed for this.")
    return now + lasts


def _following(patch: Patch, now: datetime, until: datetime | None) -> SignedSet:
    base = in_force()
    if patch.restores and not base.refused:
        raise CannotSign("The signed set is sound: there is nothing to restore.")
    if base.refused and not patch.restores:
        raise CannotSign(base.refused)
    try:
        return base.set.after(patch, now, emergency_until=until)
    except (Outdated, InvalidSet) as error:
        raise CannotSign(f"{error}. Edit the proposal, so that it begins from what is in force now.") from None


def _make_room(number: int) -> bool:
    """Removes a row of this number that was not signed by us. False where one is: another worker was faster."""
    row = SignedSetRow.objects.filter(number=number).first()
    if row is None:
        return True
    try:
        opened(number)
    except InvalidSet:
        # By its signature, too: never one that came in between.
        SignedSetRow.objects.filter(number=number, signature=row.signature).delete()
        return True
    return False


def _log(proposal: Proposal, following: SignedSet, counted: Tally, key: SigningKey, now: datetime) -> None:
    detail = {
        "proposal": proposal.pk,
        "title": proposal.title,
        "number": following.number,
        "digest": following.digest,
        "key": key.key_id,
        "persons": len(counted.persons),
        "emergency": counted.emergency,
    }
    audit.record(at=now, actor="worker", verb="sign set", target=f"set {following.number}", detail=detail)


def archive(signed: SignedSet, signature: Signature, folder: Path) -> None:
    """Keeps a copy beside the database, for the day on which that is lost. A full disk stops nothing."""
    copy = {
        "document": signed.document.decode(),
        "signature": signature.value.hex(),
        "key_id": signature.key_id,
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / f"{signed.number:08d}.json").write_text(json.dumps(copy))
    except OSError as error:
        log.error("set_not_archived", number=signed.number, why=str(error))
