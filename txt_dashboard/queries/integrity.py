"""What in the tables of governance is not what people decided and workers signed, row by row."""

from collections.abc import Iterator

from txt_dashboard import conf
from txt_dashboard.attest.signed_set import InvalidSet, Patch, SignedSet
from txt_dashboard.floor import FloorError, read_floor
from txt_dashboard.models import Proposal, ProposalState
from txt_dashboard.models import SignedSet as SignedSetRow
from txt_dashboard.queries.in_force import in_force, opened


def altered() -> Iterator[str]:
    """A sentence for each set and each proposal that is not what it was; in flat memory."""
    if refused := in_force().refused:
        yield f"Nothing is in force. {refused}"
    yield from _sets()
    yield from _proposals()


def _sets() -> Iterator[str]:
    try:
        floor = read_floor(conf.floor_file()).number
    except FloorError as error:
        yield str(error)
        floor = 0
    before: SignedSet | None = None
    for number in SignedSetRow.objects.order_by("number").values_list("number", flat=True).iterator():
        try:
            found = opened(number)
        except InvalidSet as error:
            yield f"Set {number} is not what a worker signed: {error}."
            continue
        if before is not None and before.number == number - 1 and found.previous != before.digest:
            yield f"Set {number} does not follow the set {before.number} that is here."
        before = found
    if floor and (before is None or before.number < floor):
        yield f"Set {floor} was seen and is missing."


def _proposals() -> Iterator[str]:
    rows = Proposal.objects.order_by("id").values_list("id", "patch", "content_hash", "state", "set_number")
    for id_, stored, content_hash, state, number in rows.iterator():
        try:
            patch = Patch.read(stored)
        except InvalidSet as error:
            yield f"Proposal {id_} can't be read: {error}."
            continue
        if patch.content_hash != content_hash:
            yield f"Proposal {id_} was altered: its content is not what its hash says."
        if state == ProposalState.IN_FORCE and not _led_to(number, id_):
            yield f"Proposal {id_} is called in force, but no set was signed for it."


def _led_to(number: int | None, proposal_id: int) -> bool:
    return number is not None and SignedSetRow.objects.filter(number=number, proposal=proposal_id).exists()
