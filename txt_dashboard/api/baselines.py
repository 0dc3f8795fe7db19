"""Golden values: what is in force, what is proposed, what it would do, and deciding on it."""

from typing import Annotated

import msgspec
from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Router
from ninja.responses import Status

from txt_dashboard.actions.governance import decide, propose
from txt_dashboard.actions.permissions import NotFound
from txt_dashboard.actions.reference import propose_file
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.baseline_answers import (
    Approval,
    Baseline,
    BaselinePage,
    Decided,
    Impact,
    Proposal,
    Retirement,
    Wanted,
    baseline_of,
    impact_answer,
    line_of,
    proposal_of,
)
from txt_dashboard.api.parameters import MOST, BaselineId, EntryId, Limit, Marker, Number
from txt_dashboard.models import Proposal as ProposalRow
from txt_dashboard.queries import held_baselines
from txt_dashboard.queries.fleet_changes import version_now
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.proposals import find_proposal, impact_of, open_proposals

router = Router(tags=["baselines"])

Id = Annotated[BaselineId, Path()]
ProposalId = Annotated[Number, Path()]


@router.get("", response=answers(BaselinePage))
def list_baselines(request: HttpRequest, limit: Limit = 50, marker: Marker = "") -> BaselinePage:
    """Baselines in force, by their ids, and the proposals that wait for decisions, the newest first."""
    version, held = version_now(), in_force()
    found, following = held_baselines.baselines(held, marker, limit)
    waiting, asker, now = open_proposals()[::-1], actor(request), timezone.now()
    return BaselinePage(
        version=version,
        set_number=held.reference.number,
        refused=held.refused,
        items=[baseline_of(each) for each in found],
        next=following or None,
        proposals=[line_of(each, asker, now) for each in waiting[:MOST]],
        more_proposals=len(waiting) > MOST,
    )


@router.post("", response=answers(Proposal, 201))
def propose_baselines(request: HttpRequest, wanted: Wanted) -> Status[Proposal]:
    """Proposes golden values and policies; nothing is in force by it. `document` is what baseline files hold."""
    now = timezone.now()
    document = msgspec.json.encode(wanted.document)
    made = propose_file(actor(request), document, title=wanted.title, reason=wanted.reason, now=now)
    return Status(201, proposal_of(_find(made.pk), actor(request), now))


@router.get("/{id}", response=answers(Baseline | Proposal))
def show_baseline(request: HttpRequest, id: Id) -> Baseline | Proposal:  # noqa: A002 - its name in the address
    """One baseline in force, or one proposal with all that was decided on it."""
    if id.startswith("baseline:"):
        found = held_baselines.baseline(in_force(), id)
        if found is None:
            raise NotFound("No baseline with this id is in force.")
        return baseline_of(found)
    return proposal_of(_find(int(id)), actor(request), timezone.now())


@router.get("/{id}/impact", response=answers(Impact))
def show_impact(request: HttpRequest, id: Id) -> Impact:  # noqa: A002 - as above
    """What a proposal would do to hosts now; of a baseline in force, what retiring it would do."""
    now = timezone.now()
    if id.startswith("baseline:"):
        held = in_force()
        found = held_baselines.baseline(held, id)
        if found is None:
            raise NotFound("No baseline with this id is in force.")
        return impact_answer(held_baselines.impact_of_retiring(held, id, now), found.content_hash)
    proposal = _find(int(id))
    return impact_answer(impact_of(proposal, now), proposal.content_hash)


@router.post("/{id}/approve", response=answers(Proposal))
def approve_proposal(request: HttpRequest, id: ProposalId, decision: Approval) -> Proposal:  # noqa: A002 - as above
    """Approves exactly the content and the impact that are named; 409 where either has changed. Persons only.

    An approval that takes trust from many hosts must name their number: 409 tells it as `losses`.
    """
    now = timezone.now()
    decide.approve(
        actor(request),
        id,
        reason=decision.reason,
        content_hash=decision.content_hash,
        impact_hash=decision.impact_hash,
        emergency=decision.emergency,
        confirmed_losses=decision.confirmed_losses,
        now=now,
    )
    return proposal_of(_find(id), actor(request), now)


@router.post("/{id}/reject", response=answers(Proposal))
def reject_proposal(request: HttpRequest, id: ProposalId, decision: Decided) -> Proposal:  # noqa: A002 - as above
    """Ends a proposal. Persons only."""
    now = timezone.now()
    decide.reject(actor(request), id, reason=decision.reason, content_hash=decision.content_hash, now=now)
    return proposal_of(_find(id), actor(request), now)


@router.post("/{id}/withdraw", response=answers(Proposal))
def withdraw_proposal(request: HttpRequest, id: ProposalId, decision: Decided) -> Proposal:  # noqa: A002 - as above
    """Takes a proposal of one's own back."""
    now = timezone.now()
    propose.withdraw(actor(request), id, reason=decision.reason, content_hash=decision.content_hash, now=now)
    return proposal_of(_find(id), actor(request), now)


@router.post("/{id}/retire", response=answers(Proposal, 201))
def retire_baseline(
    request: HttpRequest,
    id: Annotated[EntryId, Path()],  # noqa: A002 - as above
    decision: Retirement,
) -> Status[Proposal]:
    """Proposes to take a baseline out of force; it takes the same approvals as any other proposal."""
    now = timezone.now()
    made = propose.retire(actor(request), id, reason=decision.reason, content_hash=decision.content_hash, now=now)
    return Status(201, proposal_of(_find(made.pk), actor(request), now))


def _find(number: int) -> ProposalRow:
    found = find_proposal(number)
    if found is None:
        raise NotFound("There is no proposal of this number.")
    return found
