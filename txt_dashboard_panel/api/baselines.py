"""Golden values: what is in force, what is proposed, what it would do, and deciding on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from txt_dashboard_panel.api import client


@dataclass(frozen=True)
class Baseline:
    """Golden values in force, in hex by register."""

    id: str
    name: str
    part: str
    bank: str
    values: dict[str, str]
    pools: list[str]
    not_before: str | None
    not_after: str | None

    @property
    def registers(self) -> list[int]:
        """Which it names."""
        return sorted(int(index) for index in self.values if index.isascii() and index.isdigit())


@dataclass(frozen=True)
class Line:
    """An open proposal in the list. `why_not` says why whoever asks can't approve it."""

    id: int
    title: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    stuck: str
    approvals: int
    needed: int
    why_not: str | None


@dataclass(frozen=True)
class Page:
    """Baselines in force, the marker of the next page, and what waits for decisions."""

    set_number: int
    refused: str
    items: list[Baseline]
    next: str | None
    proposals: list[Line]
    more_proposals: bool
    version: str


@dataclass(frozen=True)
class Decision:
    """What somebody decided, and why."""

    by: str
    verb: str
    reason: str
    at: datetime
    content_hash: str


@dataclass(frozen=True)
class Proposal:
    """A proposal with all that was decided on it."""

    id: int
    title: str
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    edited_at: datetime | None
    set_number: int | None
    stuck: str
    content_hash: str
    approvals: int
    needed: int
    decisions: list[Decision]


@dataclass(frozen=True)
class Impact:
    """What it would do to hosts."""

    impact_hash: str
    hosts: int
    unchanged: int
    counts: dict[str, int]
    examples: dict[str, list[str]]


@dataclass(frozen=True)
class Register:
    """One register in hex, in force and proposed."""

    bank: str
    index: int
    measures: str
    before: str | None
    after: str | None
    why: str


@dataclass(frozen=True)
class Field:
    """Anything else that an entry says. `heed` says what to look at twice."""

    name: str
    before: str | None
    after: str | None
    heed: str

    @property
    def stays(self) -> bool:
        """Whether it is the same afterwards."""
        return self.before == self.after


@dataclass(frozen=True)
class Change:
    """One entry that changes, registers first."""

    entry: str
    kind: str
    act: str
    name: str
    outdated: bool
    against: str | None
    differing: list[Register]
    same: list[Register]
    fields: list[Field]


@dataclass(frozen=True)
class Review:
    """All that a person reads before they decide. Each `why_not_…` is `None` where they may."""

    proposal: Proposal | None
    baseline: Baseline | None
    content_hash: str
    problem: str
    impact: Impact | None
    changes: list[Change]
    changes_total: int
    why_not_approve: str | None
    why_not_reject: str | None
    why_not_withdraw: str | None
    why_not_retire: str | None
    touched_by: int | None
    version: str


@dataclass(frozen=True)
class Decided:
    """A proposal after somebody acted on it."""

    id: int
    title: str
    state: str
    approvals: int
    needed: int

    @property
    def missing(self) -> int:
        """How many more persons it takes."""
        return max(0, self.needed - self.approvals)


def page(request: Any, **wanted: Any) -> Page:
    """Baselines in force, and open proposals. Raises `TrustError`."""
    return client.get(request, Page, "baselines", **wanted)


def review(request: Any, id_: str, page_number: int = 1) -> Review:
    """One proposal, or one baseline in force. Raises `TrustError`."""
    return client.get(request, Review, "baselines", id_, "review", page=page_number)


def decide(request: Any, id_: str, act: str, **decision: Any) -> Decided:
    """Approves, rejects, withdraws or retires exactly what was seen. Raises `TrustError`."""
    return client.post(request, Decided, "baselines", id_, act, body=decision)
