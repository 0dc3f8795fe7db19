"""A fleet that plays named hosts, such as a real cloud's in a test. Nothing happens to it by itself.

    {"compute1": {}, "compute2": {"reboots": 1, "loader": "2.06-13+local1"}, "compute3": {"kernel": "6.1.0-38"}}

The file names the hosts and says what each booted last, where that is not what was approved, and how often it has
rebooted: its TPM counts that. It is read again whenever it changes. A loader moves register 4 and no other.
"""

import json
import logging
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from txt_dashboard.simulator.fleet import APPROVED_BOOT, DL360, Boot, Fleet, Host, serial_number
from txt_dashboard.simulator.story import Chapter, Story

POOL = "cast"
MOST_HOSTS = 1000
_NEVER = float("inf")
_PARTS = frozenset({"loader", "kernel"})

log = logging.getLogger(__name__)


class UnusableCast(Exception):
    """The file can't be read, or is not what it should be; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the file says of one host."""

    boot: Boot = APPROVED_BOOT
    reboots: int = 0


@dataclass
class Boots:
    """What the file says of each host now. Safe to use from many threads."""

    path: Path
    _lock: Lock = field(default_factory=Lock)
    _stamp: tuple[int, int] = (0, 0)
    _last: dict[str, tuple[Line, float]] = field(default_factory=dict)

    def last(self, name: str, seconds: float) -> tuple[Line, float]:
        """What it says of the host, and the second of the story in which that was seen first."""
        with self._lock:
            self._look(seconds)
            return self._last.get(name, (Line(), 0.0))

    def _look(self, seconds: float) -> None:
        try:
            found = self.path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._stamp:
                return
            lines = read_cast(self.path)
        except (OSError, UnusableCast) as error:
            log.warning("The hosts stay as they are: %s.", error)
            return
        begins = self._stamp == (0, 0)
        for name, line in lines.items():
            if name not in self._last or line != self._last[name][0]:
                self._last[name] = (line, 0.0 if begins else seconds)
        self._stamp = stamp


@dataclass(frozen=True)
class Directed(Story):
    """A story without chapters: what happens is what the cast's file says."""

    boots: Boots

    @cached_property
    def chapters(self) -> tuple[Chapter, ...]:
        """None."""
        return ()

    @cached_property
    def silence(self) -> Chapter:
        """Never begins."""
        return Chapter("silence", "the server takes connections but answers none", _NEVER, None)

    def enrolled(self, host: Host) -> bool:
        """All are."""
        return True

    def answers(self, host: Host, seconds: float) -> bool:
        """All do."""
        return True

    def boot(self, host: Host, seconds: float) -> Boot:
        """What the file says."""
        return self.boots.last(host.name, seconds)[0].boot

    def booted_at(self, host: Host, seconds: float) -> float:
        """When the file began to say so."""
        return self.boots.last(host.name, seconds)[1]

    def reboots(self, host: Host, seconds: float) -> int:
        """As the file says, so that a restart of ours turns no counter back."""
        return self.boots.last(host.name, seconds)[0].reboots


def direct(path: Path, seed: int) -> Directed:
    """The story of the hosts that the file names; raises `UnusableCast` or `OSError`."""
    hosts = (Host(name, POOL, serial_number(seed, POOL, at), DL360) for at, name in enumerate(read_cast(path)))
    return Directed(Fleet(seed, tuple(hosts)), Boots(path))


def read_cast(path: Path) -> dict[str, Line]:
    """What the file says of each host; raises `UnusableCast` or `OSError`."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UnusableCast(f"{path} is not JSON") from None
    if not isinstance(told, dict) or not 0 < len(told) <= MOST_HOSTS:
        raise UnusableCast(f"{path} must be an object with 1 to {MOST_HOSTS} hosts")
    return {name: _line(path, name, told[name]) for name in told}


def _line(path: Path, name: str, said: Any) -> Line:
    parts: dict[str, Any] = dict(said) if isinstance(said, dict) else {"": ""}
    reboots = parts.pop("reboots", 0)
    if not parts.keys() <= _PARTS or not all(map(_is_version, parts.values())) or not _is_count(reboots):
        raise UnusableCast(f"{path}: of {name} it can say loader and kernel, each a version, and a number of reboots")
    return Line(replace(APPROVED_BOOT, **parts), reboots)


def _is_count(number: object) -> bool:
    return isinstance(number, int) and 0 <= number < 2**31


def _is_version(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 64
