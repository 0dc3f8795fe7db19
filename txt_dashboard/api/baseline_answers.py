"""Golden values and proposals as the API tells of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from txt_dashboard.actions.governance.accounts import known_account
from txt_dashboard.actions.governance.decide import standing, why_not
from txt_dashboard.actions.permissions import Actor, Verb, may
from txt_dashboard.api.parameters import Body, Hash, Reason
from txt_dashboard.attest.quorum import Refusal
from txt_dashboard.models import Proposal as ProposalRow
from txt_dashboard.models import ProposalState
from txt_dashboard.queries.concerned import concerned
from txt_dashboard.queries.held_baselines import HeldEntry
from txt_dashboard.queries.impact import Impact as ImpactView

MOST_CHANGES = 1000


class Baseline(BaseModel):
    """Golden values in force, in hex by register. `content_hash` names them when they are to be retired."""

    kind: Literal["baseline"] = "baseline"
    id: str
    name: str
    part: str
    bank: str
    values: dict[str, str]
    pools: list[str]
    not_before: str | None
    not_after: str | None
    events: dict[str, list[dict[str, str]]] | None = None  # of registers that may vary by their events
    content_hash: str


class ProposalLine(BaseModel):
    """A proposal in a list. `why_not` says why whoever asks can't approve it; null where they can."""

    id: int
    title: str
    state: ProposalState
    proposed_by: str
    proposed_at: datetime
    reason: str
    stuck: str
    content_hash: str
    approvals: int
    needed: int
    why_not: str | None


class BaselinePage(BaseModel):
    """Baselines in force, the marker of the next page, and what waits for decisions.

    `version` is for `/v1/status`.
    """

    version: str
    set_number: int
    refused: str
    items: list[Baseline]
    next: str | None
    proposals: list[ProposalLine]
    more_proposals: bool


class EntryChange(BaseModel):
    """What becomes of one entry of the signed set: `before` is a hash, `after` the entry; null: there is none."""

    entry: str
    before: str | None
    after: dict[str, Any] | None


class Decision(BaseModel):
    """What somebody decided of which content, and why."""

    by: str
    verb: str
    reason: str
    at: datetime
    content_hash: str


class Proposal(BaseModel):
    """A proposal. `why_not` says why whoever asks can't approve it; null where they can."""

    kind: Literal["proposal"] = "proposal"
    id: int
    title: str
    reason: str
    state: ProposalState
    proposed_by: str
    proposed_at: datetime
    edited_at: datetime | None
    settled_at: datetime | None
    set_number: int | None
    stuck: str
    content_hash: str
    approvals: int
    needed: int
    why_not: str | None
    decisions: list[Decision]
    changes: list[EntryChange]
    changes_total: int


class Instances(BaseModel):
    """How many instances workers saw last on these hosts, and how many of them asked for a trusted one."""

    instances: int
    asking: int


class Impact(BaseModel):
    """What it would do to hosts. `impact_hash` and `content_hash` are what an approval names.

    `instances` tells of those on the hosts that something changes for, once a cloud is connected.
    """

    content_hash: str
    impact_hash: str
    hosts: int
    unchanged: int
    counts: dict[str, int]
    pools: dict[str, dict[str, int]]
    parts: dict[str, dict[str, int]]
    moves: dict[str, int]
    examples: dict[str, list[str]]
    instances: dict[str, Instances]


class Wanted(Body):
    """What to propose."""

    title: str
    reason: Reason
    document: dict[str, Any]


class Decided(Body):
    """A decision on exactly this content."""

    reason: Reason
    content_hash: Hash


class Retirement(Decided):
    """A wish to take exactly this content out of force."""


class Approval(Decided):
    """An approval of exactly this content and impact."""

    impact_hash: Hash
    emergency: bool = False
    confirmed_losses: Annotated[int, Field(ge=0, le=2**31)] | None = None


def baseline_of(held: HeldEntry) -> Baseline:
    """A baseline in force."""
    return Baseline(id=held.id, content_hash=held.content_hash, **held.entry)


def line_of(row: ProposalRow, asker: Actor, now: datetime) -> ProposalLine:
    """A proposal that came with its decisions, in a list."""
    tally = standing(row, decisions=row.decisions.all())
    return ProposalLine(
        id=row.pk,
        title=row.title,
        state=ProposalState(row.state),
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        reason=row.reason,
        stuck=row.stuck,
        content_hash=row.content_hash,
        approvals=len(tally.persons),
        needed=tally.needed,
        why_not=_why_not(row, asker, now),
    )


def proposal_of(row: ProposalRow, asker: Actor, now: datetime) -> Proposal:
    """A proposal that came with its decisions, with what whoever asks may do with it."""
    tally = standing(row, decisions=row.decisions.all())
    changes: Mapping[str, Any] = row.patch["changes"]
    decisions = [
        Decision(by=each.decided_by, verb=each.verb, reason=each.reason, at=each.at, content_hash=each.content_hash)
        for each in row.decisions.all()
    ]
    return Proposal(
        id=row.pk,
        title=row.title,
        reason=row.reason,
        state=ProposalState(row.state),
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        edited_at=row.edited_at,
        settled_at=row.settled_at,
        set_number=row.set_number,
        stuck=row.stuck,
        content_hash=row.content_hash,
        approvals=len(tally.persons),
        needed=tally.needed,
        why_not=_why_not(row, asker, now),
        decisions=decisions,
        changes=[
            EntryChange(entry=id_, before=each["before"], after=each["after"])
            for id_, each in sorted(changes.items())[:MOST_CHANGES]
        ],
        changes_total=len(changes),
    )


def impact_answer(found: ImpactView, content_hash: str) -> Impact:
    """What something would do to hosts."""
    return Impact(
        content_hash=content_hash,
        impact_hash=found.digest,
        hosts=found.hosts,
        unchanged=found.unchanged,
        counts={change.value: count for change, count in found.counts.items()},
        pools={pool: {c.value: count for c, count in counts.items()} for pool, counts in found.pools.items()},
        parts={part.value: {c.value: count for c, count in counts.items()} for part, counts in found.parts.items()},
        moves={f"{before} to {after}": count for (before, after), count in found.moves.items()},
        examples={change.value: list(names) for change, names in found.examples.items()},
        instances={
            change.value: Instances(instances=each.instances, asking=each.asking)
            for change, each in concerned(found).items()
        },
    )


def _why_not(row: ProposalRow, asker: Actor, now: datetime) -> str | None:
    if row.state != ProposalState.OPEN:
        return f"This proposal is {row.state} already."
    if not asker.is_person:
        return str(Refusal.NO_PERSON)
    if not may(asker, Verb.DECIDE):
        return str(Refusal.NOT_APPROVER)
    refused = why_not(row, known_account(asker), now, decisions=row.decisions.all())
    return str(refused) if refused else None
