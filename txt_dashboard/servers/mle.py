"""Golden values as an attestation server of OpenAttestation's kind holds them.

A measured launch environment (MLE) names registers and their values. A host is registered with one BIOS MLE
(our part *platform*) and one VMM MLE (our part *vmm*), and the server judges it by those two.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.reference import Part
from txt_dashboard.servers.base import NotTaken

# OpenAttestation 1.x compares with 50 characters when an MLE is looked up, whatever its column holds.
LONGEST_NAME = 50
HIGHEST_PORT = 65535
_PREFIX = "baseline:"
_ODD = re.compile(r"[^A-Za-z0-9._() -]+")
# 2.x takes whatever has these letters in its name for a VMware host.
_VMWARE = re.compile(r"esx", re.IGNORECASE)


class MleKind(StrEnum):
    """The two kinds of MLE, as the wire calls them."""

    BIOS = "BIOS"
    VMM = "VMM"

    @property
    def part(self) -> Part:
        """What we call it."""
        return Part.PLATFORM if self is MleKind.BIOS else Part.VMM

    @classmethod
    def of(cls, part: Part) -> "MleKind":
        """What OpenAttestation calls our part."""
        return cls.BIOS if part is Part.PLATFORM else cls.VMM


@dataclass(frozen=True, slots=True)
class MleRef:
    """What names an MLE: a BIOS MLE belongs to a manufacturer, a VMM MLE to an operating system."""

    kind: MleKind
    name: str
    version: str
    oem: str = ""
    os_name: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def stored(self) -> dict[str, str]:
        """As JSON."""
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def read(cls, stored: Mapping[str, str]) -> "MleRef":
        """From JSON."""
        return cls(**{**stored, "kind": MleKind(stored["kind"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Mle:
    """An MLE and its values: SHA-1, 20 bytes each, by register."""

    ref: MleRef
    values: Values
    description: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """One host as the server knows it. Holds all that is needed to register it anew."""

    host: str
    address: str
    port: int | None
    bios: MleRef | None
    vmm: MleRef | None
    email: str = ""
    connection: str = ""  # how 2.x reaches the host's agent
    description: str = ""

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        mles = {"bios": self.bios and self.bios.stored(), "vmm": self.vmm and self.vmm.stored()}
        return {**asdict(self), **mles}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Registration":
        """From JSON."""
        mles = {key: stored[key] and MleRef.read(stored[key]) for key in ("bios", "vmm")}
        return cls(**{**stored, **mles})

    def mle(self, kind: MleKind) -> MleRef | None:
        """The MLE of this kind that the host is judged by."""
        return self.bios if kind is MleKind.BIOS else self.vmm

    def fulfils(self, wanted: "Registration") -> bool:
        """Whether it says all that `wanted` says; what `wanted` leaves empty may be anything."""
        if (self.bios, self.vmm) != (wanted.bios, wanted.vmm):
            return False
        pairs = (
            (self.address, wanted.address),
            (self.port, wanted.port),
            (self.email, wanted.email),
            (self.connection, wanted.connection),
            (self.description, wanted.description),
        )
        return all(theirs == ours for theirs, ours in pairs if ours)


@dataclass(frozen=True, slots=True)
class InUse:
    """An MLE that at least one host is judged by. `values` are empty where `problem` says why."""

    ref: MleRef
    hosts: tuple[str, ...]
    values: Values = field(default_factory=dict)
    problem: str = ""


def mle_for(identity: str, name: str, bank: Bank, values: Values, like: MleRef, takes: frozenset[int]) -> Mle:
    """The MLE that publishes a baseline for hosts that are now judged by `like`; raises `NotTaken`.

    Its kind, manufacturer and operating system are those of `like`, its values those that the server takes.
    The name is the baseline's, so that people know it again: what OpenAttestation refuses becomes a dash, and it
    is cut to 50 characters. The version is the baseline's id and eight digits of SHA-256 over owner and values:
    1.x tells MLEs apart by name and version alone, so one baseline for two operating systems needs two versions,
    and other values must never find themselves under a name that is there already. All follows from the
    arguments, so a publication that was broken off finds its own MLE again.
    """
    if bank is not Bank.SHA1:
        raise NotTaken(f"this kind of server holds SHA-1 values only, and the baseline's are {bank}")
    taken = {index: values[index] for index in sorted(values) if index in takes}
    if not taken:
        raise NotTaken(f"this kind of server takes none of the registers {_list(values)} in a {like.kind} whitelist")
    identity = identity.removeprefix(_PREFIX)
    owner = [like.kind, like.oem, like.os_name, like.os_version]
    said = json.dumps([identity, owner, {str(index): value.hex() for index, value in taken.items()}])
    version = f"{_ODD.sub('-', identity)[:40]}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    ref = MleRef(like.kind, _plain(name), version, like.oem, like.os_name, like.os_version)
    return Mle(ref, taken, f"Trusted Compute, baseline {_ODD.sub('-', identity)[:40]}")


def _plain(name: str) -> str:
    plain = _VMWARE.sub("E-X", _ODD.sub("-", name))[:LONGEST_NAME].strip()
    return plain or "baseline"


def _list(values: Values) -> str:
    return ", ".join(str(index) for index in sorted(values))
