"""What the signed set holds: baselines, policies, which servers count and where they are, and whose key is which.

An entry is a JSON object under an id that says its kind: `baseline:<16 hex digits>`, `policy:<server>/<pool>`,
`server:<name>`, `attestation key:<server>/<host>`.
Reading is strict: an entry with a key too many, a missing one or a value of another type is refused as a whole.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from txt_dashboard.attest.bound_key import BoundKey, KeySource, as_text
from txt_dashboard.attest.event_entries import events_entry, read_events
from txt_dashboard.attest.eventlog.varying import BaselineError
from txt_dashboard.attest.pcr import Bank, PcrError, parse_index, parse_value
from txt_dashboard.attest.reference import Baseline, Endpoint, InvalidReference, Part, Policy, Requirement

Entry = Mapping[str, Any]
Value = TypeVar("Value")

LONGEST_VALIDITY_S = 7 * 24 * 3600
LONGEST_PEM = 200_000
MOST_POOLS = 1000
LONGEST_KEY = 2000  # bytes; RSA-4096 takes 600

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class EntryKind(StrEnum):
    """What an entry speaks of."""

    BASELINE = "baseline"
    POLICY = "policy"
    SERVER = "server"
    KEY = "attestation key"


@dataclass(frozen=True, slots=True)
class PolicyOf:
    """A policy, and the server and pool that it is for (pool "" is all others of the server)."""

    server: str
    pool: str
    policy: Policy


Read = Baseline | PolicyOf | Endpoint | BoundKey


def kind_of(entry_id: str) -> EntryKind:
    """The kind that an id names; raises `InvalidReference`."""
    kind, _, rest = entry_id.partition(":")
    if not rest or kind not in list(EntryKind):
        raise InvalidReference(f"{entry_id[:60]!r} names no kind of entry")
    return EntryKind(kind)


def baseline_id(baseline: Baseline) -> str:
    """The id of a new baseline: of what it says at first. A later change of its dates keeps it."""
    return f"{EntryKind.BASELINE}:{baseline.key[:16]}"


def policy_id(server: str, pool: str) -> str:
    """The id of the policy for a server and pool."""
    return f"{EntryKind.POLICY}:{server}/{pool}"


def server_id(name: str) -> str:
    """The id of a server's entry."""
    return f"{EntryKind.SERVER}:{name}"


def key_id(server: str, host: str) -> str:
    """The id of the entry that says which key is this host's."""
    return f"{EntryKind.KEY}:{server}/{host}"


def baseline_entry(baseline: Baseline) -> Entry:
    """A baseline as an entry."""
    entry = {
        "name": baseline.name,
        "part": baseline.part.value,
        "bank": baseline.bank.value,
        "values": {str(index): value.hex() for index, value in sorted(baseline.values.items())},
        "pools": sorted(baseline.pools),
        "not_before": _written(baseline.not_before),
        "not_after": _written(baseline.not_after),
    }
    # Only where something varies, so that entries from before that stay what they are.
    return {**entry, "events": events_entry(baseline.events)} if baseline.events else entry


def policy_entry(of: PolicyOf) -> Entry:
    """A policy as an entry."""
    entry = {
        "server": of.server,
        "pool": of.pool,
        "parts": {
            need.part.value: {"bank": need.bank.value, "registers": sorted(need.registers)}
            for need in of.policy.requirements
        },
        "validity_s": int(of.policy.validity.total_seconds()),
        "word_is_enough": of.policy.word_is_enough,
    }
    # Only where it says more than entries from before there were quotes, so that those stay what they are.
    return {**entry, "voucher": "quote"} if of.policy.must_quote else entry


def server_entry(endpoint: Endpoint) -> Entry:
    """A server as an entry."""
    return {
        "name": endpoint.name,
        "kind": endpoint.kind,
        "url": endpoint.url,
        "ca_pem": endpoint.ca_pem,
        "counts": endpoint.counts,
    }


def key_entry(bound: BoundKey) -> Entry:
    """A host's key as an entry."""
    entry = {
        "server": bound.server,
        "host": bound.host,
        "public": as_text(bound.public),
        "fingerprint": bound.fingerprint,
        "source": bound.source.value,
    }
    return {**entry, "tpm": "1.2"} if bound.tpm12 else entry


def read_baseline(entry_id: str, entry: Entry) -> Baseline:
    """Raises `InvalidReference`."""
    _only(entry, {"name", "part", "bank", "values", "pools", "not_before", "not_after"}, {"events"})
    bank = _one_of(Bank, entry["bank"], "bank")
    values = _typed(entry["values"], dict, "values")
    pools = _typed(entry["pools"], list, "pools")
    if len(pools) > MOST_POOLS or not all(isinstance(pool, str) for pool in pools):
        raise InvalidReference("pools must be a list of at most 1000 names")
    try:
        read = {
            parse_index(index): parse_value(_typed(value, str, "values"), bank) for index, value in values.items()
        }
        events = read_events(entry["events"], bank) if "events" in entry else {}
    except (PcrError, BaselineError) as error:
        raise InvalidReference(str(error)) from None
    if len(read) != len(values):
        raise InvalidReference("a register is named twice")
    return Baseline(
        name=check_name(entry["name"]),
        part=_one_of(Part, entry["part"], "part"),
        bank=bank,
        values=read,
        pools=frozenset(pools),
        not_before=_moment(entry["not_before"], "not_before"),
        not_after=_moment(entry["not_after"], "not_after"),
        id=entry_id,
        events=events,
    )


def read_policy(entry_id: str, entry: Entry) -> PolicyOf:
    """Raises `InvalidReference`."""
    _only(entry, {"server", "pool", "parts", "validity_s", "word_is_enough"}, {"voucher"})
    server, pool = _typed(entry["server"], str, "server"), _typed(entry["pool"], str, "pool")
    if policy_id(server, pool) != entry_id:
        raise InvalidReference("its id names another server or pool")
    requirements = tuple(
        _requirement(_one_of(Part, part, "part"), _typed(need, dict, "parts"))
        for part, need in sorted(_typed(entry["parts"], dict, "parts").items())
    )
    seconds = _typed(entry["validity_s"], int, "validity_s")
    if seconds > LONGEST_VALIDITY_S:
        raise InvalidReference("evidence can't be valid for more than 7 days")
    word = _typed(entry["word_is_enough"], bool, "word_is_enough")
    voucher = entry.get("voucher", "word")
    if voucher not in ("word", "quote"):
        raise InvalidReference("voucher must be word or quote")
    policy = Policy(requirements, timedelta(seconds=seconds), word, must_quote=voucher == "quote")
    return PolicyOf(server, pool, policy)


def read_server(entry_id: str, entry: Entry) -> Endpoint:
    """Raises `InvalidReference`."""
    _only(entry, {"name", "kind", "url", "ca_pem", "counts"})
    name = _typed(entry["name"], str, "name")
    if server_id(name) != entry_id:
        raise InvalidReference("its id names another server")
    kind, url, ca_pem = (_typed(entry[key], str, key) for key in ("kind", "url", "ca_pem"))
    if any(len(text) > LONGEST_PEM for text in (kind, url, ca_pem)):
        raise InvalidReference("one of its texts is too long")
    return Endpoint(name, kind, url, ca_pem, counts=_typed(entry["counts"], bool, "counts"))


def read_key(entry_id: str, entry: Entry) -> BoundKey:
    """Raises `InvalidReference`. Whether the bytes are a key says `BoundKey.flaw`, whoever proposes asks it."""
    _only(entry, {"server", "host", "public", "fingerprint", "source"}, {"tpm"})
    server, host, public, fingerprint = (
        _typed(entry[key], str, key) for key in ("server", "host", "public", "fingerprint")
    )
    if key_id(server, host) != entry_id or not _HOST.fullmatch(host):
        raise InvalidReference("its id names another server or host, or what can be none")
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise InvalidReference("fingerprint must be 64 hexadecimal digits in lower case")
    try:
        data = binascii.a2b_base64(public, strict_mode=True)
    except (binascii.Error, ValueError):
        raise InvalidReference("public must be base64") from None
    if not 0 < len(data) <= LONGEST_KEY or as_text(data) != public:
        raise InvalidReference(f"public must hold 1 to {LONGEST_KEY} bytes")
    if entry.get("tpm", "1.2") != "1.2":
        raise InvalidReference("tpm must be 1.2, or not be there")
    return BoundKey(server, host, data, fingerprint, _one_of(KeySource, entry["source"], "source"), "tpm" in entry)


READ: Mapping[EntryKind, Callable[[str, Entry], Read]] = {
    EntryKind.BASELINE: read_baseline,
    EntryKind.POLICY: read_policy,
    EntryKind.SERVER: read_server,
    EntryKind.KEY: read_key,
}


def read_entry(entry_id: str, entry: Entry) -> Read:
    """What an entry says; raises `InvalidReference`."""
    return READ[kind_of(entry_id)](entry_id, entry)


def check_name(name: object) -> str:
    """A name for people: 1 to 100 printable characters; raises `InvalidReference`."""
    if not isinstance(name, str) or not name.isprintable() or not 1 <= len(name) <= 100:
        raise InvalidReference("a name has 1 to 100 printable characters")
    return name


def _requirement(part: Part, need: Entry) -> Requirement:
    _only(need, {"bank", "registers"})
    registers = _typed(need["registers"], list, "registers")
    if not all(type(index) is int for index in registers):
        raise InvalidReference("registers must be a list of numbers")
    return Requirement(part, _one_of(Bank, need["bank"], "bank"), frozenset(registers))


def _only(entry: object, keys: AbstractSet[str], optional: AbstractSet[str] = frozenset()) -> None:
    if not isinstance(entry, Mapping) or set(entry) - optional != keys:
        raise InvalidReference(f"an entry of this kind has exactly the keys {', '.join(sorted(keys))}")


def _typed(value: object, kind: type[Value], name: str) -> Value:
    if type(value) is not kind:
        raise InvalidReference(f"{name} must be a {kind.__name__}")
    return value


def _one_of(kind: type[Value], value: object, name: str) -> Value:
    try:
        return kind(value)  # type: ignore[call-arg]
    except ValueError:
        raise InvalidReference(f"{str(value)[:60]!r} is no {name}") from None


def _moment(value: object, name: str) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(_typed(value, str, name))
    except ValueError:
        raise InvalidReference(f"{name} is no moment in ISO 8601") from None
    if moment.tzinfo is None:
        raise InvalidReference("dates need a time zone")
    return moment


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
