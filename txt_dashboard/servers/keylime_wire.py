"""What a Keylime verifier says of its agents, made typed values: what is malformed costs its own row and says why.

The wire forms are told in `txt_dashboard.servers.keylime`. Nothing here does I/O.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

from txt_dashboard.attest.evidence import Answer, Evidence, NoEvidence, Verdict
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.servers.base import AnswerUnusable
from txt_dashboard.servers.dates import DateError, parse_date
from txt_dashboard.servers.decode import BadRow, clean, decode_answer, decode_row

MOST_AGENTS = 20_000
LEAST_AGE = 60  # seconds: younger attestations are fresh, however often the verifier means to attest
_UNTOLD_AGE = 300  # seconds: where the verifier does not say how much time it lets pass
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")  # a UUID, or what an operator chose instead
_SECONDS = re.compile(r"([0-9]{1,6})(?:\.[0-9]{1,6})?s?")
_SHOWN_NAMES = 5
# Components of Keylime that compare what was measured with what it should be. The others say that a quote or an
# agent did not do what it should, which is no mismatch; `qoute_validation` is how Keylime spells it.
_MISMATCHES = frozenset({"pcr_validation", "measured_boot", "ima"})
_PUSHES = "+pushes"
_NO_VALUES = Finding(Reason.REPORT_UNAVAILABLE, {"detail": "Keylime's verifier hands over no values of registers"})


class State(IntEnum):
    """An agent's `operational_state`."""

    REGISTERED = 0
    START = 1
    SAVED = 2
    GET_QUOTE = 3
    GET_QUOTE_RETRY = 4
    PROVIDE_V = 5
    PROVIDE_V_RETRY = 6
    FAILED = 7  # the agent can't be reached
    TERMINATED = 8
    INVALID_QUOTE = 9
    TENANT_FAILED = 10


_STATES = frozenset(State)
_TIMEOUT = "TIMEOUT"  # what an agent is called that pushes and fell silent, whatever its state
_BEGUN = frozenset({State.REGISTERED, State.START, State.SAVED})
ATTESTING = frozenset({State.GET_QUOTE, State.GET_QUOTE_RETRY, State.PROVIDE_V, State.PROVIDE_V_RETRY})


class _Bulk(Struct):
    results: dict[str, Raw]


class _Described(Struct):
    meta_data: str | None = None


class _Named(Struct):
    name: str = ""


class _Agent(Struct):
    operational_state: int | None
    attestation_status: str
    ip: str | None = ""
    port: int | None = 0
    attestation_count: int | None = None
    last_received_quote: int | None = None
    last_successful_attestation: int | None = None
    last_event_id: str | None = None
    maximum_attestation_interval: str | None = None

    @property
    def pushes(self) -> bool:
        """Whether it sends its evidence, as the verifier itself tells: by a state or an address that is not there."""
        return self.operational_state is None or (self.ip is None and self.port is None)


class _Policed(Struct):
    tpm_policy: Annotated[str, Meta(max_length=256 * 1024)] | None = None


_BULK, _DESCRIBED, _NAMED, _AGENT = Decoder(_Bulk), Decoder(_Described), Decoder(_Named), Decoder(_Agent)
_POLICED = Decoder(_Policed)


@dataclass(frozen=True, slots=True)
class Roll:
    """All agents of a verifier: the row of each host, by its name, and how the verifier calls it."""

    rows: Mapping[str, tuple[str, Raw]]
    shared: frozenset[str]  # names that several agents claim
    remarks: tuple[str, ...]


def read_roll(body: bytes) -> Roll:
    """The answer of `GET agents/?bulk=true`; raises `AnswerUnusable` where it is none as a whole.

    A host is called by the `name` in its agent's `meta_data`, which only the verifier's administrators write, else
    by the agent's id.
    """
    results = decode_answer(_BULK, body).results
    if len(results) > MOST_AGENTS:
        raise AnswerUnusable(f"the answer holds {len(results)} agents, more than the {MOST_AGENTS} that we read")
    names = {agent: _name_of(agent, row) for agent, row in results.items() if _ID.fullmatch(agent)}
    claims = Counter(names.values())
    shared = frozenset(name for name, count in claims.items() if count > 1)
    rows = {name: (agent, results[agent]) for agent, name in names.items() if name not in shared}
    return Roll(rows, shared, _remarks(len(results) - len(names), sorted(shared)))


def read_answers(roll: Roll, hosts: Iterable[str], asked_at: datetime) -> dict[str, Answer]:
    """One answer for each of these hosts. Whether an attestation is fresh is judged by `asked_at`."""
    return {host: _answer(roll, host, asked_at) for host in hosts}


def policy_texts(roll: Roll) -> dict[str, str | None]:
    """The `tpm_policy` of each host as it stands there; `None` where that can't be read."""
    return {host: _policy_text(row) for host, (_, row) in roll.rows.items()}


def is_agent_id(text: str) -> bool:
    """Whether an agent can be called that."""
    return _ID.fullmatch(text) is not None


def called(agent: str, *, pushes: bool) -> str:
    """How an agent is told to whoever asks for its quote: by its id, and whether it pushes."""
    return agent + _PUSHES * pushes


def read_called(text: str) -> tuple[str, bool]:
    """The id, and whether it pushes."""
    return text.removesuffix(_PUSHES), text.endswith(_PUSHES)


def _name_of(agent: str, row: Raw) -> str:
    try:
        described = decode_row(_DESCRIBED, row).meta_data
        name = decode_row(_NAMED, Raw(described.encode())).name if described and described != "{}" else ""
    except BadRow:
        return agent
    return name if _NAME.fullmatch(name) else agent


def _policy_text(row: Raw) -> str | None:
    try:
        return decode_row(_POLICED, row).tpm_policy
    except BadRow:
        return None


def _answer(roll: Roll, host: str, asked_at: datetime) -> Answer:
    if host in roll.shared:
        return _malformed("several agents have this name")
    if host not in roll.rows:
        return NoEvidence(Finding(Reason.NOT_KNOWN_TO_SERVER))
    agent, row = roll.rows[host]
    try:
        return _judge(agent, decode_row(_AGENT, row), asked_at)
    except (BadRow, DateError) as error:
        return _malformed(str(error))


def _judge(agent_id: str, agent: _Agent, asked_at: datetime) -> Answer:
    state = _state(agent)
    if state is State.FAILED or agent.attestation_status == _TIMEOUT:
        return NoEvidence(Finding(Reason.HOST_TIMEOUT))
    if state is State.TERMINATED:
        return NoEvidence(Finding(Reason.NOT_KNOWN_TO_SERVER))
    if state in (State.INVALID_QUOTE, State.TENANT_FAILED) or agent.attestation_status == "FAIL":
        return _failed(agent_id, agent, asked_at)
    if state in _BEGUN or agent.attestation_status == "PENDING" or not agent.attestation_count:
        return NoEvidence(Finding(Reason.ATTESTATION_PENDING))
    if agent.attestation_status != "PASS":
        raise BadRow("its attestation neither passed nor failed nor is pending")
    return _passed(agent_id, agent, asked_at)


def _state(agent: _Agent) -> State | None:
    if agent.operational_state is None:
        return None
    if agent.operational_state not in _STATES:
        raise BadRow("it is in a state that we don't know")
    return State(agent.operational_state)


def _failed(agent_id: str, agent: _Agent, asked_at: datetime) -> Evidence:
    """What a verifier rejected. The date decides nothing for the worse: one that can't be used is ours."""
    try:
        attested_at = _moment(agent.last_received_quote)
    except DateError:
        attested_at = asked_at
    event = agent.last_event_id or ""
    verdict = Verdict.UNTRUSTED if event.partition(".")[0] in _MISMATCHES else Verdict.UNKNOWN
    details = {**_details(agent_id, agent), **({"event": clean(event, 100)} if event else {})}
    server_id = called(agent_id, pushes=agent.pushes)
    return Evidence(verdict, attested_at, finding=_NO_VALUES, details=details, server_id=server_id)


def _passed(agent_id: str, agent: _Agent, asked_at: datetime) -> Answer:
    if agent.last_successful_attestation is None:
        return NoEvidence(Finding(Reason.ATTESTATION_PENDING))
    attested_at = _moment(agent.last_successful_attestation)
    age, limit = (asked_at - attested_at).total_seconds(), _longest_age(agent.maximum_attestation_interval)
    if age > limit:
        return NoEvidence(Finding(Reason.ATTESTATION_OLD, {"seconds": f"{age:.0f}", "limit": str(limit)}))
    details, server_id = _details(agent_id, agent), called(agent_id, pushes=agent.pushes)
    return Evidence(Verdict.TRUSTED, attested_at, finding=_NO_VALUES, details=details, server_id=server_id)


def _longest_age(written: str | None) -> int:
    """How old the last attestation may be: twice what the verifier lets pass itself."""
    matched = _SECONDS.fullmatch(written or "")
    return max(2 * int(matched[1]), LEAST_AGE) if matched else _UNTOLD_AGE


def _moment(seconds: int | None) -> datetime:
    if seconds is None:
        raise DateError("it bears no date")
    return parse_date(1000 * seconds)


def _details(agent_id: str, agent: _Agent) -> dict[str, str]:
    state = _state(agent)
    told = state.name.lower().replace("_", " ") if state is not None else ""
    return {"agent": agent_id, "state": "pushes" if agent.pushes else told}


def _malformed(detail: str) -> NoEvidence:
    return NoEvidence(Finding(Reason.ANSWER_MALFORMED, {"detail": clean(detail)}))


def _remarks(odd: int, shared: Sequence[str]) -> tuple[str, ...]:
    remarks = [f"{odd} agents have ids that no agent can have and were ignored"] if odd else []
    if shared:
        shown = ", ".join(shared[:_SHOWN_NAMES]) + (", …" if len(shared) > _SHOWN_NAMES else "")
        remarks.append(f"several agents have the same name, so none of them is believed: {shown}")
    return tuple(remarks)
