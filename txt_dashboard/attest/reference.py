"""Reference values and the policy that says what of them is required.

A baseline names golden values of one part; a policy names the registers that each part must show.
RFC 9334, sections 8.3 (reference values) and 8.5 (appraisal policy).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from txt_dashboard.attest.bound_key import BoundKey
from txt_dashboard.attest.event_entries import events_entry
from txt_dashboard.attest.eventlog.varying import EventBaseline
from txt_dashboard.attest.pcr import NEVER_REFERENCE, REGISTER_COUNT, Bank, Registers, Values


class Part(StrEnum):
    """What a baseline speaks of: OpenAttestation's BIOS and VMM measured launch environments."""

    PLATFORM = "platform"  # firmware
    VMM = "vmm"  # boot loader, tboot, kernel


class InvalidReference(ValueError):
    """A baseline or a policy contradicts itself; the sentence says how."""


@dataclass(frozen=True)
class Requirement:
    """The registers of one bank that one part must show."""

    part: Part
    bank: Bank
    registers: frozenset[int]

    def __post_init__(self) -> None:
        if not self.registers:
            raise InvalidReference(f"the {self.part} part requires no register")
        if forbidden := self.registers & NEVER_REFERENCE:
            raise InvalidReference(f"registers {_list(forbidden)} can't be required: software may change them")
        if outside := self.registers - set(range(REGISTER_COUNT)):
            raise InvalidReference(f"registers {_list(outside)} do not exist")

    @cached_property
    def indexes(self) -> tuple[int, ...]:
        """The registers, ascending."""
        return tuple(sorted(self.registers))


@dataclass(frozen=True)
class Policy:
    """What evidence from one server must show for the hosts of one pool, and how long it holds."""

    requirements: tuple[Requirement, ...]
    validity: timedelta
    word_is_enough: bool = False  # the server's verdict may stand alone where ours is undetermined
    must_quote: bool = False  # only what a host's TPM signed vouches for registers, no server's word

    def __post_init__(self) -> None:
        if not self.requirements and not self.word_is_enough:
            raise InvalidReference("a policy must require at least one part")
        if self.must_quote and (self.word_is_enough or not self.requirements):
            raise InvalidReference("a policy that asks for a quote can't be content with the server's word")
        if len({each.part for each in self.requirements}) != len(self.requirements):
            raise InvalidReference("a policy names a part twice")
        if self.validity <= timedelta(0):
            raise InvalidReference("evidence must be valid for some time")


@dataclass(frozen=True)
class Baseline:
    """Approved golden values of one part, for some pools or all, from when to when."""

    name: str
    part: Part
    bank: Bank
    values: Values
    pools: frozenset[str] = frozenset()  # empty: all pools
    not_before: datetime | None = None
    not_after: datetime | None = None
    id: str = ""  # of its entry in the signed set; says nothing of what it holds
    events: Mapping[int, EventBaseline] = field(default_factory=dict)  # of registers that may vary by their events

    def __post_init__(self) -> None:
        if not self.values:
            raise InvalidReference(f"baseline {self.name} names no register")
        if forbidden := set(self.values) & NEVER_REFERENCE:
            raise InvalidReference(f"registers {_list(forbidden)} are never reference values")
        for index, value in self.values.items():
            if not 0 <= index < REGISTER_COUNT:
                raise InvalidReference(f"register {index} does not exist")
            if len(value) != self.bank.size:
                raise InvalidReference(
                    f"register {index}: a {self.bank} value has {self.bank.size} bytes, this one {len(value)}"
                )
        if self.not_before and self.not_after and self.not_before >= self.not_after:
            raise InvalidReference(f"baseline {self.name} ends before it begins")
        for index, of in self.events.items():
            # So that whoever approves the value approves the events, and neither without the other.
            if of.register != index or of.bank is not self.bank or of.value != self.values.get(index):
                raise InvalidReference(f"the events of register {index} don't lead to its golden value")

    def covers(self, requirement: Requirement) -> bool:
        """Whether it names all registers required of this part, in the required bank."""
        return (
            self.part is requirement.part
            and self.bank is requirement.bank
            and requirement.registers <= self.values.keys()
        )

    def applies(self, pool: str, now: datetime) -> bool:
        """Whether it is in scope for the pool and within its dates (the end is exclusive)."""
        if self.pools and pool not in self.pools:
            return False
        if self.not_before and now < self.not_before:
            return False
        return not (self.not_after and now >= self.not_after)

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that it says, in hex: equal keys are equal baselines."""
        window = [moment and moment.astimezone(UTC).isoformat() for moment in (self.not_before, self.not_after)]
        # JSON, because a name may hold any character and must not run into what follows it.
        said = [self.name, self.part, self.bank, sorted(self.pools), window]
        # Nothing is added where nothing varies by events: keys from before there were any stay what they are.
        head = json.dumps([*said, events_entry(self.events)] if self.events else said)
        return hashlib.sha256(head.encode() + b"\n" + canonical(self.values)).hexdigest()


@dataclass(frozen=True)
class Measurement:
    """The registers that a policy requires of one part, as one host showed them.

    Content-addressed: hosts with the same values share one measurement.
    """

    part: Part
    bank: Bank
    values: Values

    @cached_property
    def key(self) -> str:
        """SHA-256 of part, bank and values, in hex."""
        return measurement_key(self.part, self.bank, self.values)


@dataclass(frozen=True)
class Endpoint:
    """An attestation server as people approved it: where it is, and whether what it says counts."""

    name: str
    kind: str
    url: str
    ca_pem: str
    counts: bool

    @cached_property
    def key(self) -> str:
        """SHA-256 of where it is: equal keys, the same server to speak to."""
        return endpoint_key(self.kind, self.url, self.ca_pem)


def endpoint_key(kind: str, url: str, ca_pem: str) -> str:
    """SHA-256 of a server's kind, address and authorities, in hex."""
    return hashlib.sha256(json.dumps([kind, url, ca_pem]).encode()).hexdigest()


@dataclass(frozen=True)
class Rules:
    """What is in force for one server and pool at one moment."""

    policy: Policy
    baselines: tuple[Baseline, ...]

    @cached_property
    def key(self) -> str:
        """SHA-256 of the policy and the baselines, in hex: equal keys judge equally."""
        policy = self.policy
        parts = [
            f"{need.part}:{need.bank}:{sorted(need.registers)}"
            for need in sorted(policy.requirements, key=lambda need: need.part)
        ]
        # Nothing is added where no quote is asked for: keys from before there were any stay what they are.
        head = f"{parts}\n{policy.validity.total_seconds()}\n{policy.word_is_enough}\n"
        head += "quote\n" * policy.must_quote
        return hashlib.sha256((head + "\n".join(sorted(b.key for b in self.baselines))).encode()).hexdigest()

    @cached_property
    def by_events(self) -> bool:
        """Whether any of its baselines lets a register vary by its events."""
        return any(each.events for each in self.baselines)


@dataclass(frozen=True)
class ReferenceSet:
    """All that can make a host trusted: baselines, a policy for each server and pool, servers that count, and keys.

    `refused` says why nothing is in force although something should be; it is empty otherwise.
    """

    baselines: tuple[Baseline, ...]
    policies: Mapping[tuple[str, str], Policy]  # (server, pool) -> policy; pool "" is the server's default
    servers: Mapping[str, Endpoint] = field(default_factory=dict)
    keys: Mapping[tuple[str, str], BoundKey] = field(default_factory=dict)  # (server, host) -> its TPM's key
    number: int = 0  # of the signed set
    refused: str = ""

    @cached_property
    def counting(self) -> frozenset[str]:
        """The servers of which people approved that their word counts. All others are only observed."""
        return frozenset(name for name, endpoint in self.servers.items() if endpoint.counts)

    @cached_property
    def shared_keys(self) -> frozenset[str]:
        """Fingerprints of keys that are approved for more than one host: they prove nothing of either."""
        hosts_of: dict[str, set[str]] = {}
        for (_, host), bound in self.keys.items():
            hosts_of.setdefault(bound.fingerprint, set()).add(host)
        return frozenset(fingerprint for fingerprint, hosts in hosts_of.items() if len(hosts) > 1)

    def bound(self, server: str, host: str) -> str:
        """What key the host is bound to: equal texts, judged by the same key; empty, by none."""
        bound = self.keys.get((server, host))
        if bound is None:
            return ""
        return f"{bound.fingerprint}{'-' * bound.tpm12}{'+' * (bound.fingerprint in self.shared_keys)}"

    def judges_alike(self, server: str, one: str, other: str) -> bool:
        """Whether hosts of these two pools are judged by the same rules, now and whatever the date."""
        policies = [self.policies.get((server, pool)) or self.policies.get((server, "")) for pool in (one, other)]
        scoped = (each for each in self.baselines if each.pools)
        return policies[0] == policies[1] and all((one in each.pools) == (other in each.pools) for each in scoped)

    def rules(self, server: str, pool: str, now: datetime) -> Rules | None:
        """What is in force for this server and pool; `None` where no policy speaks of them."""
        policy = self.policies.get((server, pool)) or self.policies.get((server, ""))
        if policy is None:
            return None
        applicable = (each for each in self.baselines if each.applies(pool, now))
        return Rules(policy, tuple(sorted(applicable, key=lambda each: each.key)))


def measure(requirement: Requirement, registers: Registers) -> Measurement:
    """The required registers that the evidence holds, as one measurement (missing ones stay out)."""
    values = registers.get(requirement.bank, {})
    shown = {index: values[index] for index in requirement.indexes if index in values}
    return Measurement(requirement.part, requirement.bank, shown)


def measurement_key(part: Part, bank: Bank, values: Values) -> str:
    """SHA-256 of part, bank and values, in hex."""
    return hashlib.sha256(f"{part}\n{bank}\n".encode() + canonical(values)).hexdigest()


def registers_key(registers: Registers) -> str:
    """SHA-256 of every value that an evidence holds, in hex: equal keys, nothing changed."""
    # The count fixes where each bank ends, so that no two different sets share an encoding.
    parts = [
        b"%s:%d:" % (bank.encode(), len(values)) + canonical(values) for bank, values in sorted(registers.items())
    ]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def canonical(values: Values) -> bytes:
    """The indexes, ascending, then their values, all of one bank's length: one encoding for one set of values."""
    indexes = sorted(values)
    return bytes(indexes) + b"".join([values[index] for index in indexes])


def _list(indexes: Iterable[int]) -> str:
    return ", ".join(str(index) for index in sorted(indexes))
