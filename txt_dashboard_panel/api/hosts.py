"""Hosts: the list, how one differs, its event log, its history, its evidence, and acting on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from txt_dashboard_panel.api import client
from txt_dashboard_panel.api.reading import State
from txt_dashboard_panel.api.records import Poll


@dataclass(frozen=True)
class HostRow:
    """One host in a list. `word_of` names the server on whose word alone it is trusted."""

    name: str
    pool: str
    state: State
    sentence: str
    since: datetime
    attested_at: datetime | None
    differing: list[int]
    baselines: list[str]
    word_of: str
    observed: bool


@dataclass(frozen=True)
class HostPage:
    """A page of hosts, the marker of the next one, and the version to ask for changes by."""

    items: list[HostRow]
    next: str | None
    version: str


@dataclass(frozen=True)
class Head:
    """Which host it is, and its state."""

    name: str
    pool: str
    state: State
    reason: str
    sentence: str


@dataclass(frozen=True)
class WhyEvent:
    """An event that two logs say differently."""

    how: str
    text: str
    before: str | None
    kind: str


@dataclass(frozen=True)
class Why:
    """What two logs say differently of a register."""

    sentence: str
    events: list[WhyEvent]


@dataclass(frozen=True)
class Register:
    """One register, golden against actual, in hex."""

    bank: str
    index: int
    measures: str
    changes: str
    golden: str | None
    actual: str | None
    unlaunched: bool
    why: Why | None


@dataclass(frozen=True)
class Part:
    """One part of the host against its closest approved baseline."""

    part: str
    outcome: str
    baseline: str | None


@dataclass(frozen=True)
class Comparison:
    """What one server's evidence shows against the rules."""

    server: str
    counts: bool
    simulated: bool
    verdict: str | None
    match: str
    agree: bool
    sentence: str
    freshness: str
    asking: bool
    attested_at: datetime | None
    valid_until: datetime | None
    silence: str | None
    launch: str
    proposable: list[str]
    parts: list[Part]
    differing: list[Register]
    missing: list[Register]
    uncompared: list[Register]
    matching: list[Register]
    others: list[Register]

    @property
    def required(self) -> int:
        """How many registers the policy requires."""
        return len(self.differing) + len(self.missing) + len(self.uncompared) + len(self.matching)


@dataclass(frozen=True)
class Diff(Head):
    """One host's registers."""

    since: datetime
    servers: list[Comparison]
    version: str


@dataclass(frozen=True)
class LogEvent:
    """One event of a log."""

    number: int
    index: int | None
    kind: str
    text: str
    details: list[str]
    digests: dict[str, str]
    differs: bool


@dataclass(frozen=True)
class Standing:
    """Whether the log leads to the values on file."""

    bank: str
    standing: str
    registers: list[int]


@dataclass(frozen=True)
class EventLog(Head):
    """A page of the event log."""

    server: str
    servers: list[str]
    problem: str
    total: int
    found: int
    standings: list[Standing]
    items: list[LogEvent]
    next: str | None


@dataclass(frozen=True)
class RegisterChange:
    """A register whose value is not what it was."""

    part: str
    bank: str
    index: int
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Event:
    """One thing that became of a host."""

    at: datetime
    previous_state: State
    state: State
    sentence: str
    changes: list[RegisterChange]


@dataclass(frozen=True)
class History(Head):
    """Events, newest first."""

    items: list[Event]
    next: str | None


@dataclass(frozen=True)
class Held:
    """All that is held of what one server said."""

    server: str
    counts: bool
    simulated: bool
    freshness: str
    asked_at: datetime | None
    attested_at: datetime | None
    counts_from: datetime | None
    valid_until: datetime | None
    verdict: str | None
    vouched_for_by: str | None
    doubt: str | None
    registers: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Evidence(Head):
    """All that is held of a host."""

    written_at: datetime
    evidence: list[Held]


@dataclass(frozen=True)
class Candidate:
    """Values of one part that could be proposed."""

    part: str
    servers: list[str]
    refused: list[str]
    waiting: int | None
    document_hash: str
    document: dict[str, Any]


@dataclass(frozen=True)
class Candidates(Head):
    """What could be proposed, part by part."""

    items: list[Candidate]


@dataclass(frozen=True)
class Proposed:
    """A proposal that was made."""

    id: int
    title: str


def page(request: Any, **wanted: Any) -> HostPage:
    """A page of hosts. Raises `TrustError`."""
    return client.get(request, HostPage, "hosts", **wanted)


def diff(request: Any, name: str) -> Diff:
    """One host, golden against actual. Raises `TrustError`."""
    return client.get(request, Diff, "hosts", name, "diff")


def event_log(request: Any, name: str, **wanted: Any) -> EventLog:
    """A page of its event log. Raises `TrustError`."""
    return client.get(request, EventLog, "hosts", name, "log", **wanted)


def history(request: Any, name: str, **wanted: Any) -> History:
    """A page of its history. Raises `TrustError`."""
    return client.get(request, History, "hosts", name, "history", **wanted)


def evidence(request: Any, name: str) -> Evidence:
    """All that is held of it. Raises `TrustError`."""
    return client.get(request, Evidence, "hosts", name, "evidence")


def evidence_document(request: Any, name: str) -> Any:
    """The same to take along, as the service says it. Raises `TrustError`."""
    return client.ask(request, "GET", ("hosts", name, "evidence"))


def candidates(request: Any, name: str) -> Candidates:
    """What of it could be proposed. Raises `TrustError`."""
    return client.get(request, Candidates, "hosts", name, "candidates")


def attest(request: Any, name: str) -> Poll:
    """Asks for new evidence. Raises `TrustError`."""
    return client.post(request, Poll, "hosts", name, "attest", body={})


def propose(request: Any, *, title: str, reason: str, document: dict[str, Any]) -> Proposed:
    """Proposes a baseline; nothing is in force by it. Raises `TrustError`."""
    return client.post(request, Proposed, "baselines", body={"title": title, "reason": reason, "document": document})
