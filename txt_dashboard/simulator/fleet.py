"""The simulated hosts: what they are made of and which register values that gives. Pure, and the same for a seed.

Every value is a replay of extends of named boot components in a TPM 1.2's only bank, SHA-1. What is measured into
which register: TCG PC Client Platform Firmware Profile 1.06, section 3.3; registers 17 to 19 by the legacy mapping
of Intel TXT, where a kernel update moves 18 and 19.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from txt_dashboard.attest.pcr import DRTM_REGISTERS, REGISTER_COUNT, Bank, Values, extend, replay

BANK = Bank.SHA1
DEFAULT_HOSTS = 420
FEWEST_HOSTS = 10
POOL_SHARES = {"az1": 180, "az2": 160, "edge": 80}  # hosts of each pool in a fleet of 420
PLATFORM_REGISTERS = (0, 2, 7)
VMM_REGISTERS = (4, 17, 18, 19)
SERIAL_REGISTER = 1
IMA_REGISTER = 10

APPROVED_KERNEL = "6.1.0-37"
APPROVED_LOADER = "2.06-13+deb12u1"


@dataclass(frozen=True)
class Component:
    """One thing that is measured while a host boots: its name and version, and the register it goes to."""

    name: str
    version: str
    register: int
    seed: int

    @property
    def contents(self) -> bytes:
        """The bytes that are measured; invented, but different for each name, version and seed."""
        return f"{self.seed}\n{self.name}\n{self.version}\n".encode()

    @property
    def digest(self) -> bytes:
        """SHA-1 of the contents: what the register is extended with."""
        return hashlib.sha1(self.contents, usedforsecurity=False).digest()


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


@dataclass(frozen=True)
class Fleet:
    """All hosts that exist, ordered by pool and name, and the seed that made them."""

    seed: int
    hosts: tuple[Host, ...]

    @cached_property
    def by_name(self) -> dict[str, Host]:
        """The hosts by their names."""
        return {host.name: host for host in self.hosts}

    def pool(self, name: str) -> tuple[Host, ...]:
        """The hosts of one pool, by name."""
        return tuple(host for host in self.hosts if host.pool == name)


def build_fleet(count: int = DEFAULT_HOSTS, seed: int = 1) -> Fleet:
    """A fleet of `count` hosts in the pools' proportions; raises `ValueError` below ten."""
    if count < FEWEST_HOSTS:
        raise ValueError(f"a fleet has at least {FEWEST_HOSTS} hosts, not {count}")
    sizes = pool_sizes(count)
    width = max(3, len(str(max(sizes.values()))))
    hosts = (
        Host(f"{pool}-{number:0{width}}", pool, _serial(seed, pool, number), _hardware(pool, number))
        for pool, size in sizes.items()
        for number in range(1, size + 1)
    )
    return Fleet(seed, tuple(hosts))


def pool_sizes(count: int) -> dict[str, int]:
    """How many of `count` hosts each pool has: its share rounded down, what is left to the largest remainders."""
    shares = {pool: divmod(count * share, DEFAULT_HOSTS) for pool, share in POOL_SHARES.items()}
    left = count - sum(whole for whole, _ in shares.values())
    favoured = sorted(shares, key=lambda pool: -shares[pool][1])[:left]
    return {pool: whole + (pool in favoured) for pool, (whole, _) in shares.items()}


@cache
def components(hardware: Hardware, boot: Boot, seed: int) -> tuple[Component, ...]:
    """All that a host measures while it boots, in order, without what is its own (registers 1 and 10)."""
    before = _platform(hardware) + _boot_loader(hardware, boot)
    measured = before + _measured_launch(hardware, boot) if boot.launched else before
    return tuple(Component(name, version, register, seed) for register, name, version in measured)


@cache
def shared_values(hardware: Hardware, boot: Boot, seed: int) -> Values:
    """All 24 registers as every host of this model shows them after this boot; 1 and 10 are still zeros."""
    measured = components(hardware, boot, seed)
    values = {index: replay(BANK, _digests(measured, index)) for index in range(REGISTER_COUNT)}
    if not boot.launched:
        values |= dict.fromkeys(DRTM_REGISTERS, b"\xff" * BANK.size)
    return values


def serial_value(host: Host, seed: int) -> bytes:
    """Register 1: firmware configuration, with the serial number that no two hosts share."""
    parts = (("SMBIOS tables", host.serial), ("firmware settings", host.hardware.bios))
    return replay(BANK, [Component(name, version, SERIAL_REGISTER, seed).digest for name, version in parts])


def ima_start(values: Values) -> bytes:
    """Register 10 just after the boot: IMA's first entry is the aggregate of registers 0 to 7."""
    joined = b"".join(values[index] for index in range(8))
    return replay(BANK, [hashlib.sha1(joined, usedforsecurity=False).digest()])


def ima_grow(value: bytes, entries: range, seed: int) -> bytes:
    """Register 10 after these further entries: the n-th is the same file on every host."""
    for number in entries:
        value = extend(BANK, value, _ima_digest(number, seed))
    return value


def host_values(host: Host, boot: Boot, seed: int, ima_entries: int = 0) -> Values:
    """All 24 registers of one host after this boot and `ima_entries` files that IMA measured since."""
    values = {**shared_values(host.hardware, boot, seed), SERIAL_REGISTER: serial_value(host, seed)}
    return values | {IMA_REGISTER: ima_grow(ima_start(values), range(ima_entries), seed)}


@cache
def _ima_digest(number: int, seed: int) -> bytes:
    return Component(f"/usr/lib/measured-{number}", "1", IMA_REGISTER, seed).digest


def _digests(measured: Iterable[Component], register: int) -> list[bytes]:
    return [component.digest for component in measured if component.register == register]


def _platform(hardware: Hardware) -> tuple[tuple[int, str, str], ...]:
    state = "enabled" if hardware.secure_boot else "disabled"
    return (
        (0, f"{hardware.oem} CRTM", hardware.bios),
        (0, f"{hardware.oem} BIOS {hardware.model}", hardware.bios),
        (0, "BIOS ACM", hardware.acm),
        (2, "option ROM", hardware.option_rom),
        (3, "option ROM settings", hardware.option_rom),
        (6, f"{hardware.oem} vendor data", hardware.model),
        (7, "SecureBoot", state),
        (7, f"{hardware.oem} PK", "1"),
        (7, "Microsoft KEK", "2011"),
        (7, "db", "2011"),
        (7, "dbx", "371"),
    )


def _boot_loader(hardware: Hardware, boot: Boot) -> tuple[tuple[int, str, str], ...]:
    return (
        (4, "Calling EFI Application from Boot Option", "1"),
        (4, "shim", "15.8-1~deb12u1"),
        (4, "grubx64.efi", boot.loader),
        (5, "GUID partition table", hardware.model),
    )


def _measured_launch(hardware: Hardware, boot: Boot) -> tuple[tuple[int, str, str], ...]:
    kernel = f"{boot.kernel}-amd64"
    return (
        (17, "SINIT ACM", hardware.sinit),
        (17, "launch control policy", "any"),
        (18, "tboot", "1.11.3"),
        (18, f"vmlinuz-{kernel}", boot.kernel),
        (19, f"initrd.img-{kernel}", boot.kernel),
        (20, "tboot policy", "nonfatal"),
        (22, "geographic tag", "none"),
    )


def _serial(seed: int, pool: str, number: int) -> str:
    digest = hashlib.sha1(f"{seed}/{pool}/{number}".encode(), usedforsecurity=False).hexdigest()
    return digest[:7].upper()


def _hardware(pool: str, number: int) -> Hardware:
    if pool == "edge":
        return SR630
    # Every fourth host of az2 is of az1's model: pools and models need not coincide.
    return R640 if pool == "az1" or number % 4 == 0 else DL360
