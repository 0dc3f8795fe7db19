"""The simulated server's view of its hosts at the story's present moment: it asks them and judges what they show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from txt_dashboard.simulator.fleet import (
    IMA_REGISTER,
    Boot,
    Fleet,
    Hardware,
    Host,
    before_ima,
    ima_grow,
    ima_start,
    own_values,
    shared_values,
)
from txt_dashboard.simulator.registry import Registry
from txt_dashboard.simulator.story import Story
from txt_dashboard.simulator.whitelist import Mle

Moment = Callable[[], float]  # seconds since the story's first start


class Refusal(Enum):
    """Why there is no attestation of a host."""

    NOT_KNOWN = "not known"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a host showed when it was asked, and how its two MLEs judge it."""

    host: Host
    values: Mapping[int, str]  # all 24 registers, hex
    mles: tuple[Mle, Mle]  # BIOS, VMM

    @property
    def bios(self) -> bool:
        """Whether the BIOS MLE matches."""
        return self.mles[0].matches(self.values)

    @property
    def vmm(self) -> bool:
        """Whether the VMM MLE matches."""
        return self.mles[1].matches(self.values)

    @property
    def trusted(self) -> bool:
        """Whether both MLEs match."""
        return self.bios and self.vmm


class Simulation:
    """A fleet, its story and the server's whitelist, as they are now. Safe to use from many threads."""

    def __init__(
        self, fleet: Fleet, moment: Moment, state: Path | None = None, *, story: Story | None = None
    ) -> None:
        """`state` is where the server keeps what it is told; raises `UnusableState`."""
        self.fleet = fleet
        self.story = story or Story(fleet)
        self.moment = moment
        self.registry = Registry(fleet, filter(self.story.enrolled, fleet.hosts), state)
        self._own = {host.name: own_values(host, fleet.seed) for host in fleet.hosts}
        self._ima: dict[tuple[str, Boot], tuple[int, bytes]] = {}

    @property
    def silent(self) -> bool:
        """Whether the server itself hangs now."""
        return self.story.silence.running(self.moment())

    def attest(self, name: str) -> Attestation | Refusal:
        """Asks one host now."""
        mles = self.registry.judges(name)
        if mles is None:
            return Refusal.NOT_KNOWN
        if not self.reaches(name):
            return Refusal.NO_ANSWER
        host, seconds = self.fleet.by_name[name], self.moment()
        return Attestation(host, self._values(host, self.story.boot(host, seconds), seconds), mles)

    def reaches(self, name: str) -> bool:
        """Whether there is such a host and it answers now."""
        host = self.fleet.by_name.get(name)
        return host is not None and self.story.answers(host, self.moment())

    def _values(self, host: Host, boot: Boot, seconds: float) -> Mapping[int, str]:
        own = {index: value.hex() for index, value in self._own[host.name].items()}
        own[IMA_REGISTER] = self._ima_value(host, boot, seconds).hex()
        return _shared_hex(host.hardware, boot, self.fleet.seed) | own

    def _ima_value(self, host: Host, boot: Boot, seconds: float) -> bytes:
        """Register 10, grown from where the last question left it: a whole replay for each would be slow."""
        key = (host.name, boot)
        if key not in self._ima:
            self._ima[key] = 0, ima_start(before_ima(host, boot, self.fleet.seed))
        known, value = self._ima[key]
        wanted = max(known, self.story.ima_entries(host, seconds))
        value = ima_grow(value, range(known, wanted), self.fleet.seed)
        self._ima[key] = wanted, value
        return value


@cache
def _shared_hex(hardware: Hardware, boot: Boot, seed: int) -> dict[int, str]:
    return {index: value.hex() for index, value in shared_values(hardware, boot, seed).items()}
