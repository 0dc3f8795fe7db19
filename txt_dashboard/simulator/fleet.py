"""The simulated hosts: what they are made of and which register values that gives. Pure, and the same for a seed.

Every value is a replay of extends of the boot components in `boot`, in one of the banks of the simulated TPM.
OpenAttestation is told the bank SHA-1 alone, as it knows no other.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from txt_dashboard.attest.pcr import DRTM_REGISTERS, REGISTER_COUNT, Bank, Values, extend, replay
from txt_dashboard.simulator.boot import OWN_REGISTERS, components, own_components
from txt_dashboard.simulator.imalist import REGISTER as IMA_REGISTER
from txt_dashboard.simulator.imalist import aggregate, file
from txt_dashboard.simulator.machine import (  # noqa: F401 - one name to import from, for all that makes a fleet
    APPROVED_BOOT,
    APPROVED_KERNEL,
    APPROVED_LOADER,
    DL360,
    R640,
    SR630,
    Boot,
    Component,
    Hardware,
    Host,
)

BANK = Bank.SHA1
DEFAULT_HOSTS = 420
FEWEST_HOSTS = 10
POOL_SHARES = {"az1": 180, "az2": 160, "edge": 80}  # hosts of each pool in a fleet of 420
PLATFORM_REGISTERS = (0, 2, 7)
VMM_REGISTERS = (4, 17, 18, 19)


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
        Host(f"{pool}-{number:0{width}}", pool, serial_number(seed, pool, number), _hardware(pool, number))
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
def shared_values(hardware: Hardware, boot: Boot, seed: int, bank: Bank = BANK) -> Values:
    """All 24 registers as every host of this model shows them after this boot; 1, 5 and 10 are still zeros."""
    measured = components(hardware, boot, seed)
    values = {index: replay(bank, _digests(measured, index, bank)) for index in range(REGISTER_COUNT)}
    if not boot.launched:
        values |= dict.fromkeys(DRTM_REGISTERS, b"\xff" * bank.size)
    return values


def own_values(host: Host, seed: int, bank: Bank = BANK) -> Values:
    """Registers 1 and 5, which are each host's own."""
    own = own_components(host, seed)
    return {index: replay(bank, _digests(own, index, bank)) for index in OWN_REGISTERS}


def ima_start(values: Values, bank: Bank = BANK) -> bytes:
    """Register 10 just after the boot: IMA's first entry is the aggregate of the SHA-1 registers 0 to 7."""
    return replay(bank, [aggregate(values).extended(bank)])


def ima_grow(value: bytes, entries: range, seed: int, bank: Bank = BANK) -> bytes:
    """Register 10 after these further entries: the n-th is the same file on every host."""
    for number in entries:
        value = extend(bank, value, _ima_digest(number, seed, bank))
    return value


def before_ima(host: Host, boot: Boot, seed: int, bank: Bank = BANK) -> Values:
    """All registers of one host as this boot left them; 10 is still zeros."""
    return {**shared_values(host.hardware, boot, seed, bank), **own_values(host, seed, bank)}


def host_values(host: Host, boot: Boot, seed: int, ima_entries: int = 0, bank: Bank = BANK) -> Values:
    """All 24 registers of one host after this boot and `ima_entries` files that IMA measured since."""
    start = ima_start(before_ima(host, boot, seed), bank)
    return {**before_ima(host, boot, seed, bank), IMA_REGISTER: ima_grow(start, range(ima_entries), seed, bank)}


@cache
def _ima_digest(number: int, seed: int, bank: Bank) -> bytes:
    return file(number, seed).extended(bank)


def _digests(measured: Iterable[Component], register: int, bank: Bank) -> list[bytes]:
    return [each.digest(bank) for each in measured if each.register == register]


def serial_number(seed: int, pool: str, number: int) -> str:
    """Of one host, made up."""
    digest = hashlib.sha1(f"{seed}/{pool}/{number}".encode(), usedforsecurity=False).hexdigest()
    return digest[:7].upper()


def _hardware(pool: str, number: int) -> Hardware:
    if pool == "edge":
        return SR630
    # Every fourth host of az2 is of az1's model: pools and models need not coincide.
    return R640 if pool == "az1" or number % 4 == 0 else DL360
