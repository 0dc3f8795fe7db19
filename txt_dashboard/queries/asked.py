"""Which values open proposals ask for, so that nobody asks twice unawares."""

from collections.abc import Mapping

from txt_dashboard.attest.entries import EntryKind, kind_of, read_baseline
from txt_dashboard.attest.reference import InvalidReference, measurement_key
from txt_dashboard.attest.signed_set import InvalidSet, Patch
from txt_dashboard.models import Proposal, ProposalState


def asked_for() -> Mapping[str, int]:
    """The newest open proposal for each set of values, by the key of the measurement that is them. One query."""
    found: dict[str, int] = {}
    for number, stored in Proposal.objects.filter(state=ProposalState.OPEN).order_by("id").values_list("id", "patch"):
        try:
            changes = Patch.read(stored).changes
        except InvalidSet:
            continue
        for id_, change in changes.items():
            if change.after is not None and change.before is None and (key := _key(id_, change.after)):
                found[key] = number
    return found


def _key(id_: str, entry: Mapping[str, object]) -> str:
    try:
        if kind_of(id_) is not EntryKind.BASELINE:
            return ""
        said = read_baseline(id_, entry)
    except InvalidReference:
        return ""
    return measurement_key(said.part, said.bank, said.values)
