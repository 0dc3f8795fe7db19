"""Proposals: what each would change, and what that would do to hosts."""

from datetime import datetime

from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.attest.signed_set import InvalidSet, Outdated, Patch
from txt_dashboard.models import Proposal
from txt_dashboard.queries.impact import Impact, impact
from txt_dashboard.queries.in_force import in_force


def impact_of(proposal: Proposal, now: datetime) -> Impact:
    """What the proposal would do to hosts if it came into force now. An outdated one would do nothing."""
    before = in_force()
    return impact(before.reference, reference_after(proposal, now), now)


def reference_after(proposal: Proposal, now: datetime) -> ReferenceSet:
    """The reference values and policies that would be in force."""
    before = in_force()
    try:
        return before.set.after(Patch.read(proposal.patch), now).reference
    except (Outdated, InvalidSet):
        return before.reference
