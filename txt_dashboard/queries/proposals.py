"""Proposals: which there are, what each would change, and what that would do to hosts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Prefetch, QuerySet

from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.attest.signed_set import InvalidSet, Outdated, Patch
from txt_dashboard.models import Account, Decision, DecisionVerb, Proposal, ProposalState
from txt_dashboard.queries.impact import Impact, impact, turning_points
from txt_dashboard.queries.in_force import in_force

PAGE = 20
MOST_DATES = 3


@dataclass(frozen=True, slots=True)
class Settled:
    """One page of proposals that nobody decides on any more, the latest first; `older` is where the next begins."""

    proposals: tuple[Proposal, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a proposal would do to hosts: now, and at the dates of the baselines that it changes."""

    now: Impact
    later: tuple[tuple[datetime, Impact], ...]
    reference: ReferenceSet


def open_proposals() -> tuple[Proposal, ...]:
    """All that wait for decisions, the oldest first, with their decisions and the accounts of those. Four queries."""
    return tuple(_with_decisions(Proposal.objects.filter(state=ProposalState.OPEN)).order_by("id"))


def settled_proposals(before: int | None = None) -> Settled:
    """Proposals that were settled, from the one before this number on. One query."""
    found = Proposal.objects.exclude(state=ProposalState.OPEN).order_by("-id")
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found[: PAGE + 1])
    return Settled(tuple(page[:PAGE]), page[PAGE - 1].pk if len(page) > PAGE else None)


def find_proposal(proposal_id: int) -> Proposal | None:
    """The proposal of this number with its decisions and the accounts of those, or `None`. Four queries."""
    return _with_decisions(Proposal.objects.filter(pk=proposal_id)).first()


def touching(entry_ids: Iterable[str]) -> Mapping[str, int]:
    """The number of the newest open proposal that touches each of these entries. One query."""
    asked = list(entry_ids)
    found = Proposal.objects.filter(state=ProposalState.OPEN, patch__changes__has_any_keys=asked) if asked else ()
    touched = {}
    for proposal in sorted(found, key=lambda each: each.pk):
        touched.update(dict.fromkeys(proposal.patch["changes"].keys() & set(asked), proposal.pk))
    return touched


def approvers() -> tuple[Account, ...]:
    """The accounts that have the role now, with their users and groups. Two queries."""
    found = Account.objects.filter(approver_since__isnull=False, user__is_active=True)
    return tuple(found.select_related("user").prefetch_related("user__groups").order_by("user__username"))


def waiting_for(person: UUID) -> int:
    """How many open proposals this person neither made nor approved as they are now. One query."""
    approved = Decision.objects.filter(
        account__person=person,
        verb__in=(DecisionVerb.APPROVE, DecisionVerb.EMERGENCY),
        content_hash=F("proposal__content_hash"),
    )
    waiting = Proposal.objects.filter(state=ProposalState.OPEN).exclude(pk__in=approved.values("proposal"))
    # NULL is the command line's: it is nobody's own.
    own = waiting.filter(proposer__person=person)
    return waiting.exclude(pk__in=own.values("pk")).count()


def outlook(proposal: Proposal, now: datetime) -> Outlook:
    """What it would do now, and at the next dates of what it changes. Costs as many impacts."""
    before, after = in_force().reference, reference_after(proposal, now)
    moments = turning_points(before, after, now)[:MOST_DATES]
    later = tuple((moment, impact(before, after, now, at=moment)) for moment in moments)
    return Outlook(impact(before, after, now), later, after)


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


def _with_decisions(proposals: QuerySet[Proposal]) -> QuerySet[Proposal]:
    decisions = Decision.objects.select_related("account__user").prefetch_related("account__user__groups")
    return proposals.select_related("proposer__user").prefetch_related(
        Prefetch("decisions", decisions.order_by("id"))
    )
