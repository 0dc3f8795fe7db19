"""What was answered a moment ago, by host: bounded in size and time, and never older than the evidence."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from txt_dashboard_nova.answers import Verdict

_MOST = 20_000  # hosts


class Cache:
    """Verdicts by host. Any number of threads may use it at once.

    `seconds`: how long a verdict is kept at most. A trusted one also ends when its evidence does. Measured by a
    monotonic clock, which nobody sets.
    """

    def __init__(self, seconds: float, *, ticks: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._seconds = seconds
        self._ticks = ticks
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Verdict, float]] = {}  # in the order in which they were kept

    def find(self, hosts: Iterable[str]) -> dict[str, Verdict]:
        """The verdicts that still hold."""
        now = self._ticks()
        with self._lock:
            kept = {host: self._kept[host] for host in hosts if host in self._kept}
        return {host: verdict for host, (verdict, ends) in kept.items() if now < ends}

    def keep(self, verdicts: Mapping[str, Verdict], since: float, seconds: float | None = None) -> None:
        """Remembers verdicts from `since` on (ticks), for `seconds` where that is shorter; the oldest give way."""
        longest = self._seconds if seconds is None else min(self._seconds, seconds)
        with self._lock:
            for host, verdict in verdicts.items():
                lasts = longest if verdict.seconds is None else min(longest, verdict.seconds)
                self._kept.pop(host, None)
                self._kept[host] = verdict, since + lasts
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]

    def ticks(self) -> float:
        """The clock's present reading, for `since`."""
        return self._ticks()
