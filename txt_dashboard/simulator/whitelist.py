"""What the simulated server was told to expect: measured launch environments (MLEs), and the judgement by them.

Like the real one it knows SHA-1 values only, and registers each host with exactly one BIOS and one VMM MLE.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from txt_dashboard.attest.pcr import Values
from txt_dashboard.simulator.fleet import (
    APPROVED_BOOT,
    APPROVED_KERNEL,
    PLATFORM_REGISTERS,
    VMM_REGISTERS,
    Fleet,
    Hardware,
    shared_values,
)

DESCRIPTION = "of the simulated fleet"
OS_NAME, OS_VERSION = "Debian", "12"

Key = tuple[str, str, str, str, str]  # name, version, manufacturer, operating system and its version


class MleType(StrEnum):
    """The two kinds of MLE, as the wire calls them."""

    BIOS = "BIOS"
    VMM = "VMM"


@dataclass(frozen=True)
class Mle:
    """A whitelist of registers. A BIOS MLE belongs to a manufacturer, a VMM MLE to an operating system."""

    name: str
    version: str
    kind: MleType
    values: Values
    oem: str = ""
    os_name: str = ""
    os_version: str = ""
    description: str = ""

    @property
    def key(self) -> Key:
        """What identifies it in the whitelist service's queries."""
        return (self.name, self.version, self.oem, self.os_name, self.os_version)

    def matches(self, shown: Mapping[int, str]) -> bool:
        """Whether a host that shows these values (hex) shows every one of the whitelist; none matches every host."""
        return all(shown.get(index) == expected.hex() for index, expected in self.values.items())


@cache
def bios_mle(hardware: Hardware, seed: int) -> Mle:
    """The BIOS MLE that hosts of this model are registered with: their platform as it was at first."""
    name = f"BIOS {hardware.bios} ({hardware.model})"
    values = _approved(hardware, seed, PLATFORM_REGISTERS)
    return Mle(name, hardware.bios, MleType.BIOS, values, oem=hardware.oem, description=DESCRIPTION)


@cache
def vmm_mle(hardware: Hardware, seed: int) -> Mle:
    """The VMM MLE of this model; one for each, for register 17 holds the model's SINIT."""
    name = f"VMM {APPROVED_KERNEL} ({hardware.model})"
    values = _approved(hardware, seed, VMM_REGISTERS)
    system = {"os_name": OS_NAME, "os_version": OS_VERSION}
    return Mle(name, APPROVED_KERNEL, MleType.VMM, values, **system, description=DESCRIPTION)


def registered(hardware: Hardware, seed: int) -> tuple[Mle, Mle]:
    """The BIOS and the VMM MLE that hosts of this model are judged by."""
    return bios_mle(hardware, seed), vmm_mle(hardware, seed)


def all_mles(fleet: Fleet) -> tuple[Mle, ...]:
    """Every MLE that a host of the fleet is registered with, by name."""
    models = {host.hardware for host in fleet.hosts}
    mles = (mle for hardware in models for mle in registered(hardware, fleet.seed))
    return tuple(sorted(mles, key=lambda mle: mle.name))


def _approved(hardware: Hardware, seed: int, registers: Iterable[int]) -> Values:
    values = shared_values(hardware, APPROVED_BOOT, seed)
    return {index: values[index] for index in registers}
