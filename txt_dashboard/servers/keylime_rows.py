"""An agent's row at a Keylime verifier, as far as it matters for adding the agent again.

`GET agents` never shows the runtime policy for IMA, the measured boot policy, the keys for IMA's signatures and the
key that signs revocations: `has_runtime_policy` and `has_mb_refstate` say whether there are any of the first two, and
only a policy that has register 10 quoted makes use of the third. `v` is shown: half of a payload's key.
"""

from collections.abc import Iterable
from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.json import Decoder

from txt_dashboard.attest.ima import REGISTER as IMA_REGISTER
from txt_dashboard.servers.decode import BadRow, clean, decode_row
from txt_dashboard.servers.keylime_policy import quotes
from txt_dashboard.servers.keylime_wire import ATTESTING, State
from txt_dashboard.servers.policed import PolicedAgent

RUNTIME, BOOT = "a runtime policy for IMA", "a measured boot policy"
PAYLOAD, IMA_KEYS, PUSHES = "a payload", "a verdict on IMA's list", "a way of its own: it pushes its evidence"
# Of these a quote says nothing, whatever it shows.
_BEYOND_QUOTES = frozenset({"measured_boot", "ima"})
_STATES = frozenset(State)
_FAILED = frozenset({State.FAILED, State.INVALID_QUOTE, State.TENANT_FAILED})

_Text = Annotated[str, Meta(max_length=256 * 1024)]
_Algorithms = Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=40)]


class _Row(Struct):
    operational_state: int
    attestation_status: str
    has_mb_refstate: int
    has_runtime_policy: int
    accept_tpm_hash_algs: _Algorithms
    accept_tpm_encryption_algs: _Algorithms
    accept_tpm_signing_algs: _Algorithms
    tpm_policy: _Text
    v: str | UnsetType | None = UNSET
    meta_data: _Text | None = None
    ip: Annotated[str, Meta(max_length=255)] | None = None
    port: int | None = None
    verifier_ip: Annotated[str, Meta(max_length=255)] | None = None
    verifier_port: int | None = None
    hash_alg: Annotated[str, Meta(max_length=20)] | None = None
    attestation_count: int | None = None
    last_received_quote: int | None = None
    last_successful_attestation: int | None = None
    last_event_id: Annotated[str, Meta(max_length=200)] | None = None
    severity_level: int | None = None


_ROW = Decoder(_Row)


def read_agent(host: str, id_: str, row: Raw) -> PolicedAgent:
    """One agent; where its row can't be read its `problem` says so and nothing else is known."""
    try:
        return _agent(host, id_, decode_row(_ROW, row))
    except BadRow as error:
        return PolicedAgent(
            host, id_, "", problem=f"what the verifier says of its agent can't be read: {clean(str(error))}"
        )


def _agent(host: str, id_: str, row: _Row) -> PolicedAgent:
    if row.operational_state not in _STATES:
        raise BadRow("it is in a state that we don't know")
    state = State(row.operational_state)
    passed = state in ATTESTING and row.attestation_status == "PASS"
    event = row.last_event_id or ""
    return PolicedAgent(
        host,
        id_,
        row.tpm_policy,
        shown=_shown(row),
        loses=_loses(row),
        attested=passed and bool(row.attestation_count) and bool(row.last_successful_attestation),
        failed=state in _FAILED or row.attestation_status == "FAIL",
        silent=state is State.FAILED,
        stopped=state is State.TENANT_FAILED,
        leaving=state is State.TERMINATED,
        disproves=event.partition(".")[0] not in _BEYOND_QUOTES,
        bank=row.hash_alg or "",
        failed_at=row.last_received_quote or 0,
        forgets={
            "attestation_count": row.attestation_count,
            "last_received_quote": row.last_received_quote,
            "last_successful_attestation": row.last_successful_attestation,
            "last_event_id": clean(event),
            "severity_level": row.severity_level,
        },
    )


def _shown(row: _Row) -> dict[str, object]:
    """What the verifier is told again, by the names under which it takes it."""
    shown: dict[str, object] = {
        "cloudagent_ip": row.ip,
        "cloudagent_port": row.port,
        "metadata": row.meta_data or "{}",
        "accept_tpm_hash_algs": row.accept_tpm_hash_algs,
        "accept_tpm_encryption_algs": row.accept_tpm_encryption_algs,
        "accept_tpm_signing_algs": row.accept_tpm_signing_algs,
        **({"verifier_ip": row.verifier_ip} if row.verifier_ip else {}),
        **({"verifier_port": row.verifier_port} if row.verifier_port else {}),
    }
    if not is_keepable(shown.values()):
        raise BadRow("it holds a character that can't be kept")
    return shown


def is_keepable(values: Iterable[object]) -> bool:
    """Whether what is told again can be stored until then: no database keeps a NUL."""
    texts = (text for each in values for text in (each if isinstance(each, list) else [each]))
    return not any(isinstance(text, str) and "\0" in text for text in texts)


def _loses(row: _Row) -> tuple[str, ...]:
    """Everything but a plain no counts as a yes."""
    has = {
        RUNTIME: row.has_runtime_policy != 0,
        BOOT: row.has_mb_refstate != 0,
        PAYLOAD: row.v is not None,
        IMA_KEYS: row.has_runtime_policy == 0 and quotes(row.tpm_policy, IMA_REGISTER),
        PUSHES: not row.ip or row.port is None,
    }
    return tuple(what for what, so in has.items() if so)
