"""All that a person reads before they decide on golden values, in one answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from txt_dashboard.actions.permissions import Actor, NotFound, Verb, may
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.baseline_answers import Baseline, Impact, Proposal, baseline_of, impact_answer, proposal_of
from txt_dashboard.api.parameters import MOST, BaselineId
from txt_dashboard.attest.entries import EntryKind
from txt_dashboard.models import Account, ProposalState
from txt_dashboard.models import Proposal as ProposalRow
from txt_dashboard.queries import held_baselines
from txt_dashboard.queries.differences import Act, Difference, Differences, differences
from txt_dashboard.queries.fields import Shown, fields
from txt_dashboard.queries.fleet_changes import version_now
from txt_dashboard.queries.host import Register
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.proposals import find_proposal, impact_of, touching

router = Router(tags=["baselines"])

_CHANGES = 20
_OPERATORS = "Operators, approvers and administrators propose to take golden values out of force."


class ReviewedRegister(BaseModel):
    """One register in hex, in force and proposed. `why` is what event logs say differently, empty where they say
    nothing."""

    bank: str
    index: int
    measures: str
    before: str | None
    after: str | None
    why: str


class ReviewedField(BaseModel):
    """Anything else that an entry says, in words. `heed` says what to look at twice."""

    name: str
    before: str | None
    after: str | None
    heed: str


class ReviewedChange(BaseModel):
    """One entry that changes. A new baseline is compared with the closest in force, which `against` names."""

    entry: str
    kind: EntryKind
    act: Act
    name: str
    outdated: bool
    against: str | None
    differing: list[ReviewedRegister]
    same: list[ReviewedRegister]
    fields: list[ReviewedField]


class Review(BaseModel):
    """A proposal, or a baseline in force that might be retired: what changes, what that does to hosts, and who may
    decide. `problem` says why it can't come into force as it is; then there is no impact. `why_not_approve`,
    `why_not_reject`, `why_not_withdraw` and `why_not_retire` are null where whoever asks may. `touched_by` is the
    open proposal that would change the baseline."""

    proposal: Proposal | None
    baseline: Baseline | None
    content_hash: str
    problem: str
    impact: Impact | None
    changes: list[ReviewedChange]
    changes_total: int
    why_not_approve: str | None
    why_not_reject: str | None
    why_not_withdraw: str | None
    why_not_retire: str | None
    touched_by: int | None
    version: str


class ReviewWanted(BaseModel):
    """Which of the changes to show."""

    page: Annotated[int, Field(ge=1, le=1000, description=f"Of {_CHANGES} changed entries each.")] = 1


@router.get("/{id}/review", response=answers(Review))
def review_baseline(
    request: HttpRequest,
    id: Annotated[BaselineId, Path()],  # noqa: A002 - its name in the address
    wanted: Query[ReviewWanted],
) -> Review:
    """What a proposal changes, register by register, and does; of a baseline in force, what retiring it would do."""
    now, asker = timezone.now(), actor(request)
    return (
        _of_baseline(id, asker, now) if id.startswith("baseline:") else _of_proposal(int(id), asker, now, wanted.page)
    )


def _of_proposal(number: int, asker: Actor, now: datetime, page: int) -> Review:
    version, row = version_now(), find_proposal(number)
    if row is None:
        raise NotFound("There is no proposal of this number.")
    found = differences(row, now)
    problem = _problem(found) if row.state == ProposalState.OPEN else ""
    decidable = row.state == ProposalState.OPEN and not problem
    told = proposal_of(row, asker, now)
    shown = found.entries[(page - 1) * _CHANGES : page * _CHANGES]
    return Review(
        proposal=told,
        baseline=None,
        content_hash=row.content_hash,
        problem=problem,
        impact=impact_answer(impact_of(row, now), row.content_hash) if decidable else None,
        changes=[_change(each) for each in shown],
        changes_total=len(found.entries),
        why_not_approve=told.why_not or problem or None,
        why_not_reject=_why_not_reject(row, asker),
        why_not_withdraw=_why_not_withdraw(row, asker),
        why_not_retire="Only what is in force can be retired.",
        touched_by=None,
        version=version,
    )


def _of_baseline(id_: str, asker: Actor, now: datetime) -> Review:
    version, held = version_now(), in_force()
    found = held_baselines.baseline(held, id_)
    if found is None:
        raise NotFound("No baseline with this id is in force.")
    patch = held.set.patch({id_: None})
    unwritten = ProposalRow(patch=patch.stored(), content_hash=patch.content_hash, state=ProposalState.OPEN)
    nothing_proposed = "It is in force; nobody decides on it."
    return Review(
        proposal=None,
        baseline=baseline_of(found),
        content_hash=found.content_hash,
        problem="",
        impact=impact_answer(held_baselines.impact_of_retiring(held, id_, now), found.content_hash),
        changes=[_change(each) for each in differences(unwritten, now).entries],
        changes_total=1,
        why_not_approve=nothing_proposed,
        why_not_reject=nothing_proposed,
        why_not_withdraw=nothing_proposed,
        why_not_retire=None if may(asker, Verb.PROPOSE_BASELINE) else _OPERATORS,
        touched_by=touching([id_]).get(id_),
        version=version,
    )


def _problem(found: Differences) -> str:
    if found.unreadable:
        return f"What it changes can't be read: {found.unreadable}."
    if found.altered:
        return "Its content is not what was proposed. Nobody approved it like this."
    if found.restores != bool(in_force().refused):
        return "It was made while other rules were in force, and can't come into force any more."
    if found.outdated:
        return "Something that it touches has changed since it was proposed. Its proposer edits it, or withdraws it."
    return ""


def _why_not_reject(row: ProposalRow, asker: Actor) -> str | None:
    if row.state != ProposalState.OPEN:
        return f"This proposal is {row.state} already."
    return None if may(asker, Verb.DECIDE) else "Approvers reject, in person."


def _why_not_withdraw(row: ProposalRow, asker: Actor) -> str | None:
    if row.state != ProposalState.OPEN:
        return f"This proposal is {row.state} already."
    proposer = row.proposer
    own = proposer is not None and Account.objects.filter(user=asker.user, person=proposer.person).exists()
    return None if own else "Only who proposed it can withdraw it."


def _change(found: Difference) -> ReviewedChange:
    return ReviewedChange(
        entry=found.entry_id,
        kind=found.kind,
        act=found.act,
        name=found.name,
        outdated=found.outdated,
        against=found.against.name if found.against is not None and found.act is Act.ADD else None,
        differing=_registers(found.differing),
        same=_registers(found.same),
        fields=[
            ReviewedField(name=each.name, before=_said(each.before), after=_said(each.after), heed=each.heed)
            for each in fields(found)
        ],
    )


def _registers(rows: Sequence[Register]) -> list[ReviewedRegister]:
    return [
        ReviewedRegister(
            bank=row.bank,
            index=row.index,
            measures=row.meaning.measures,
            before=row.golden.hex() if row.golden is not None else None,
            after=row.actual.hex() if row.actual is not None else None,
            why=row.why.sentence if row.why else "",
        )
        for row in rows[:MOST]
    ]


def _said(value: Shown) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
