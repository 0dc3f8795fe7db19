"""What simulated hosts are: models of servers, what one of them booted, and the things that it measured meanwhile."""

import hashlib
from dataclasses import dataclass

from txt_dashboard.attest.pcr import Bank

BANKS = (Bank.SHA1, Bank.SHA256)  # those of the simulated TPMs
APPROVED_KERNEL = "6.1.0-37"
APPROVED_LOADER = "2.06-13+deb12u1"


@dataclass(frozen=True)
class Component:
    """One thing that is measured while a host boots: its name and version, and the register it goes to.

    `kind` and `data` are those of its event in the log. What is measured are the bytes of `measured`; of things
    whose bytes no log holds, such as images, they are invented.
    """

    name: str
    version: str
    register: int
    seed: int
    kind: int = 0
    data: bytes = b""
    measured: bytes | None = None

    @property
    def contents(self) -> bytes:
        """The bytes that are measured; those invented differ for each name, version and seed."""
        return f"{self.seed}\n{self.name}\n{self.version}\n".encode() if self.measured is None else self.measured

    def digest(self, bank: Bank) -> bytes:
        """The hash of the contents: what the register is extended with."""
        return hashlib.new(bank, self.contents, usedforsecurity=bank is not Bank.SHA1).digest()


@dataclass(frozen=True)
class Hardware:
    """A model of server: what its makers put into every one of them."""

    model: str
    oem: str
    bios: str
    acm: str
    sinit: str
    option_rom: str
    secure_boot: bool


@dataclass(frozen=True)
class Boot:
    """What of a host's boot can differ between hosts of one model."""

    kernel: str = APPROVED_KERNEL
    loader: str = APPROVED_LOADER
    launched: bool = True  # whether Intel TXT's measured launch happened


@dataclass(frozen=True)
class Host:
    """One host and the part of the cloud it stands in."""

    name: str
    pool: str
    serial: str
    hardware: Hardware


R640 = Hardware("R640", "Dell Inc.", "2.19", "ACM 1.10.3", "SINIT 1.10.5", "X710 9.20", secure_boot=True)
DL360 = Hardware("DL360", "HPE", "2.90", "ACM 1.14.1", "SINIT 1.14.3", "BCM57414 226.0", secure_boot=True)
SR630 = Hardware("SR630", "Lenovo", "3.42", "ACM 1.14.1", "SINIT 1.14.8", "E810 4.40", secure_boot=False)

APPROVED_BOOT = Boot()
