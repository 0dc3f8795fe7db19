"""The shapes of what the API tells of hosts."""

from datetime import datetime
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
    """Hosts, and the marker of the next page."""

    items: list[HostRowAnswer]
    next: str | None


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


class Host(BaseModel):
    """One host in its effective state."""

    name: str
    pool: str
    state: State
    reason: str
    sentence: str
    since: datetime
    servers: list[Said]


class Register(BaseModel):
    """One register, as approved and as shown, in hex."""

    bank: str
    index: int
    measures: str
    changes: str
    golden: str | None
    actual: str | None


class Part(BaseModel):
    """One part of the host against its closest approved baseline."""

    part: str
    outcome: Outcome
    baseline: str | None
    baseline_id: str | None


class Comparison(BaseModel):
    """What one server's evidence shows against the rules: differences first. `others` are judged by nothing."""

    server: str
    counts: bool
    match: Match
    sentence: str
    freshness: Freshness
    launch: str
    parts: list[Part]
    differing: list[Register]
    missing: list[Register]
    uncompared: list[Register]
    matching: list[Register]
    others: list[Register]


class Diff(BaseModel):
    """One host, ready to be shown."""

    name: str
    state: State
    sentence: str
    servers: list[Comparison]


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


class History(BaseModel):
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


class Evidence(BaseModel):
    """All that is held of a host."""

    name: str
    pool: str
    written_at: datetime
    state: State
    reason: str
    evidence: list[Held]
