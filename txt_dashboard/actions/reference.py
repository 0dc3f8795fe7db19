"""Golden values and policies from a file."""

from datetime import datetime

from txt_dashboard.actions.governance.compose import entries_of
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import Actor, Invalid
from txt_dashboard.models import Proposal
from txt_dashboard.uploads.ours import read_document
from txt_dashboard.uploads.reading import Unusable


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
