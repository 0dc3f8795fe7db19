"""What happens to the simulated fleet, and when. Pure: a function of the fleet and of seconds since its first start.

The story is told once and its results stay: a host that rebooted keeps its new kernel, and the silence of the
server never comes again. Its first part is what goes wrong. The second is an update as it should be: one host goes
ahead, so that its values can be approved before all others of its kind follow.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import isqrt

from txt_dashboard.simulator.fleet import APPROVED_BOOT, DL360, POOL_SHARES, Boot, Fleet, Host

REBOOTS_START, REBOOTS_END = 60.0, 150.0  # seconds
MOST_IMA_ENTRIES = 200
NEW_KERNEL = "6.1.0-38"
SECOND_PART = 480.0  # seconds: nothing happens from the end of the silence until then
WAVE_START, WAVE_END = 840.0, 930.0
NEXT_KERNEL = "6.1.0-39"
_MOST_STRAGGLERS = 2
ODD_LOADER = "2.06-13+deb12u1+local1"


@dataclass(frozen=True)
class Chapter:
    """One thing that happens: in seconds since the first start, to these hosts (none: to the server itself).

    What it did to the hosts lasts; `end` is when it stops changing anything, `None` if at once.
    """

    name: str
    sentence: str
    start: float
    end: float | None
    hosts: tuple[str, ...] = ()

    def begun(self, seconds: float) -> bool:
        """Whether it has started by then."""
        return seconds >= self.start

    def running(self, seconds: float) -> bool:
        """Whether it has started and has not ended."""
        return self.begun(seconds) and (self.end is None or seconds < self.end)


@dataclass(frozen=True)
class Story:
    """The chapters of one fleet's life, and what they mean for each host at any second."""

    fleet: Fleet

    @cached_property
    def chapters(self) -> tuple[Chapter, ...]:
        """All chapters, by their start."""
        first = (self.not_enrolled, self.odd_loader, self.kernel_update, self.no_answer, self.silence)
        return (*first, self.canary, self.wave)

    @cached_property
    def not_enrolled(self) -> Chapter:
        """Hosts of the inventory that the server has never heard of."""
        hosts = self._hosts("edge", 4, 6)
        return Chapter("not-enrolled", f"{_some(hosts)} not enrolled with the server", 0, None, hosts)

    @cached_property
    def odd_loader(self) -> Chapter:
        """One host boots a loader that nobody else has: register 4."""
        hosts = self._hosts("az2", 78, 78)[:1]
        return Chapter(
            "odd-boot-loader", f"{_some(hosts)} shows a boot loader that no other host has", 40, None, hosts
        )

    @cached_property
    def kernel_update(self) -> Chapter:
        """Hosts reboot one after another into a kernel that nobody approved: registers 18 and 19."""
        hosts = self._hosts("az1", 25, 38)
        sentence = f"{_some(hosts)} reboot into kernel {NEW_KERNEL}, which nobody approved"
        return Chapter("kernel-update", sentence, REBOOTS_START, REBOOTS_END, hosts)

    @cached_property
    def no_answer(self) -> Chapter:
        """One host stops answering the server."""
        hosts = self._hosts("edge", 17, 17, not_before=len(self._hosts("edge", 1, 6)))[:1]
        return Chapter("no-answer", f"{_some(hosts)} no longer answers the server", 90, None, hosts)

    @cached_property
    def silence(self) -> Chapter:
        """The server hangs: it takes connections and answers none of them."""
        return Chapter("silence", "the server takes connections but answers none", 300, 380)

    @cached_property
    def canary(self) -> Chapter:
        """The first host of its kind boots the next kernel, long before the others."""
        hosts = self._updating[:1]
        sentence = f"{_some(hosts)} reboots into kernel {NEXT_KERNEL}, ahead of the others of its kind"
        return Chapter("canary", sentence, SECOND_PART, None, hosts)

    @cached_property
    def wave(self) -> Chapter:
        """The others of its kind follow, one soon after another."""
        hosts = tuple(name for name in self._updating[1:] if name not in self.stragglers)
        sentence = f"{_some(hosts)} reboot into kernel {NEXT_KERNEL}, as {self.canary.hosts[0]} did"
        return Chapter("wave", sentence, WAVE_START, WAVE_END, hosts)

    @cached_property
    def stragglers(self) -> tuple[str, ...]:
        """The hosts that the wave leaves on the old kernel: two, if the fleet has so many."""
        most = min(_MOST_STRAGGLERS, len(self._updating) - 2)
        return self._updating[len(self._updating) - most :]

    def enrolled(self, host: Host) -> bool:
        """Whether the server knows the host."""
        return host.name not in self._unenrolled

    def answers(self, host: Host, seconds: float) -> bool:
        """Whether the host answers when the server asks it."""
        return not (host.name in self.no_answer.hosts and self.no_answer.begun(seconds))

    def boot(self, host: Host, seconds: float) -> Boot:
        """What the host last booted."""
        if self.booted_at(host, seconds) == 0:
            return APPROVED_BOOT
        if host.name in self.odd_loader.hosts:
            return replace(APPROVED_BOOT, loader=ODD_LOADER)
        kernel = NEW_KERNEL if host.name in self.kernel_update.hosts else NEXT_KERNEL
        return replace(APPROVED_BOOT, kernel=kernel)

    def booted_at(self, host: Host, seconds: float) -> float:
        """The second of the host's last boot; 0 if it has not rebooted since the story began."""
        reboot = self._reboots.get(host.name)
        return reboot if reboot is not None and seconds >= reboot else 0

    def reboots(self, host: Host, seconds: float) -> int:
        """How often the host has rebooted since the story began."""
        return int(self.booted_at(host, seconds) > 0)

    def ima_entries(self, host: Host, seconds: float) -> int:
        """How many files IMA measured since the boot: ever fewer are new to it, and after half a day none."""
        return min(MOST_IMA_ENTRIES, isqrt(max(0, int(seconds - self.booted_at(host, seconds)))))

    @cached_property
    def _unenrolled(self) -> frozenset[str]:
        return frozenset(self.not_enrolled.hosts)

    @cached_property
    def _updating(self) -> tuple[str, ...]:
        """The hosts of az2 that are of the model that only az2 has: what they share is theirs alone."""
        odd = self.odd_loader.hosts
        return tuple(host.name for host in self.fleet.pool("az2") if host.hardware is DL360 and host.name not in odd)

    @cached_property
    def _reboots(self) -> dict[str, float]:
        at_once = dict.fromkeys(self.odd_loader.hosts, self.odd_loader.start)
        at_once |= dict.fromkeys(self.canary.hosts, self.canary.start)
        return at_once | _one_after_another(self.kernel_update) | _one_after_another(self.wave)

    def _hosts(self, pool: str, first: int, last: int, not_before: int = 0) -> tuple[str, ...]:
        """The hosts that `first` to `last` of the pool are in a fleet of 420; at least one, after `not_before`."""
        members = self.fleet.pool(pool)
        start = max((first - 1) * len(members) // POOL_SHARES[pool], not_before)
        count = max(1, (last - first + 1) * len(members) // POOL_SHARES[pool])
        return tuple(host.name for host in members[start : start + count])


def _one_after_another(chapter: Chapter) -> dict[str, float]:
    end = chapter.start if chapter.end is None else chapter.end
    step = (end - chapter.start) / len(chapter.hosts)
    return {name: chapter.start + number * step for number, name in enumerate(chapter.hosts)}


def _some(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)} hosts)"
