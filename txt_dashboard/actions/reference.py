"""Golden values and policies from a file."""

from collections.abc import Iterable
from datetime import datetime

from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.governance.refuse import Wanted
from txt_dashboard.actions.permissions import Actor, Invalid
from txt_dashboard.attest.draft import Draft, contradictions
from txt_dashboard.attest.entries import Entry, PolicyOf, baseline_entry, baseline_id, policy_entry, policy_id
from txt_dashboard.attest.text import shown
from txt_dashboard.models import Proposal
from txt_dashboard.uploads.ours import read_document
from txt_dashboard.uploads.reading import MOST_SENTENCES, Unusable

_SHOWN = 60  # characters of a name


def propose_file(actor: Actor, document: bytes, *, title: str, reason: str, now: datetime) -> Proposal:
    """Proposes the baselines and policies of a file of ours; nothing is in force by it.

    A baseline that is in force already stays; a policy of the same server and pool would be replaced. Raises
    `NotAllowed`, `Conflict`, and `Invalid` with a sentence for each entry that can't be used.
    """
    try:
        read = read_document(document)
    except Unusable as error:
        raise Invalid({"file": list(error.sentences)}) from None
    wanted = entries_of(read.baselines, read.policies)
    return propose(actor, wanted, title=title, reason=reason, now=now)


def entries_of(drafts: Iterable[Draft], policies: Iterable[PolicyOf] = ()) -> Wanted:
    """The entries to propose; raises `Invalid` for drafts that can't be a baseline, whatever policies say."""
    chosen = tuple(drafts)
    wrong = [f'Baseline "{shown(each.name, _SHOWN)}": {why}' for each in chosen for why in contradictions(each)]
    if wrong:
        raise Invalid({"entries": wrong[:MOST_SENTENCES]})
    baselines = [each.baseline() for each in chosen]
    wanted: dict[str, Entry | None] = {baseline_id(each): baseline_entry(each) for each in baselines}
    return {**wanted, **{policy_id(each.server, each.pool): policy_entry(each) for each in policies}}
