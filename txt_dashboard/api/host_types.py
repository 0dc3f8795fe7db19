"""The shapes of what the API tells of hosts."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from txt_dashboard.attest.appraisal import Freshness, Match, Outcome, State
from txt_dashboard.attest.evidence import Verdict


class HostRowAnswer(BaseModel):
    """One host in a list. `word_of` names the server on whose word alone it is trusted, or nothing; one that is only
    `observed` is attested by no server that counts."""

    name: str
    pool: str
    state: State
    reason: str
    sentence: str
    since: datetime
    attested_at: datetime | None
    differing: list[int]
    baselines: list[str]
    word_of: str
    observed: bool


class HostPage(BaseModel):
    """Hosts, and the marker of the next page. `version` is for the route of what changed since."""

    items: list[HostRowAnswer]
    next: str | None
    version: str


class Said(BaseModel):
    """What one server says of a host, and what our own appraisal finds. One that is only observed decides nothing."""

    server: str
    counts: bool
    simulated: bool
    verdict: Verdict | None
    match: Match
    sentence: str
    agree: bool
    freshness: Freshness
    asking: bool
    attested_at: datetime | None
    valid_until: datetime | None
    silence: str | None


class HostHead(BaseModel):
    """Which host it is, in its effective state, and why."""

    name: str
    pool: str
    state: State
    reason: str
    sentence: str


class Host(HostHead):
    """One host in its effective state."""

    since: datetime
    servers: list[Said]


class How(StrEnum):
    """In which way two logs differ in an event."""

    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"


class WhyEvent(BaseModel):
    """An event that one log has and the other has not, or has otherwise. Its texts are what the host wrote."""

    how: How
    text: str
    before: str | None
    kind: str


class Why(BaseModel):
    """What the log of the golden value and that of the actual one say differently of a register."""

    sentence: str
    events: list[WhyEvent]


class Register(BaseModel):
    """One register, as approved and as shown, in hex. `why` is null where there are no logs of both values;
    `unlaunched` is one that holds what a reset leaves in it."""

    bank: str
    index: int
    measures: str
    changes: str
    golden: str | None
    actual: str | None
    unlaunched: bool
    why: Why | None


class Part(BaseModel):
    """One part of the host against its closest approved baseline."""

    part: str
    outcome: Outcome
    baseline: str | None
    baseline_id: str | None


class Comparison(BaseModel):
    """What one server's evidence shows against the rules: differences first. `others` are judged by nothing;
    `proposable` are parts whose values could be proposed as a baseline."""

    server: str
    counts: bool
    simulated: bool
    verdict: Verdict | None
    match: Match
    agree: bool
    sentence: str
    freshness: Freshness
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


class Diff(HostHead):
    """One host, ready to be shown."""

    since: datetime
    servers: list[Comparison]
    version: str


class Candidate(BaseModel):
    """Values that the host shows of one part. `document` is what `POST /v1/baselines` takes; `refused` says why it
    would not; `waiting` is the number of an open proposal that asks for the same."""

    part: str
    servers: list[str]
    refused: list[str]
    waiting: int | None
    document_hash: str
    document: dict[str, Any]


class Candidates(HostHead):
    """What the host shows and could be proposed, part by part."""

    items: list[Candidate]


class LogEvent(BaseModel):
    """One event of the log, whose texts are what the host wrote. `index` is null where it extends no register."""

    number: int
    index: int | None
    kind: str
    text: str
    details: list[str]
    digests: dict[str, str]
    differs: bool


class Standing(BaseModel):
    """Whether the log leads to the values on file: `explained`, `contradicted` or not."""

    bank: str
    standing: str
    registers: list[int]


class EventLog(HostHead):
    """A page of the event log that came with the last quote. `problem` says why there is none."""

    server: str
    servers: list[str]
    problem: str
    total: int
    found: int
    standings: list[Standing]
    items: list[LogEvent]
    next: str | None


class RegisterChange(BaseModel):
    """A register whose value is not what it was."""

    part: str
    bank: str
    index: int
    before: str | None
    after: str | None


class Event(BaseModel):
    """One thing that became of a host."""

    at: datetime
    previous_state: State
    state: State
    reason: str
    sentence: str
    differing: list[int]
    changes: list[RegisterChange]


class History(HostHead):
    """Events, newest first, and the marker of the next page."""

    items: list[Event]
    next: str | None


class Held(BaseModel):
    """All that is held of what one server said."""

    server: str
    counts: bool
    simulated: bool
    freshness: Freshness
    asked_at: datetime | None
    attested_at: datetime | None
    counts_from: datetime | None
    valid_until: datetime | None
    verdict: Verdict | None
    vouched_for_by: str | None
    doubt: str | None
    registers: dict[str, dict[str, str]]
    details: dict[str, Any]


class Evidence(HostHead):
    """All that is held of a host."""

    written_at: datetime
    evidence: list[Held]
