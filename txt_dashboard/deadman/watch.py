"""When the product counts as dead. Pure: clocks are parameters."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from txt_dashboard.cloud.heartbeat import BadHeartbeat, Heartbeat

_TOLERANCE = timedelta(seconds=60)  # by which the product's clock may be ahead of ours


@dataclass
class Watch:
    """Remembers the newest heartbeat of one cloud, and judges by two clocks.

    Times are aware; `ticks` are seconds of a monotonic clock, so that setting the wall clock back keeps nobody alive.
    """

    cloud: str
    longest: timedelta  # a heartbeat may be this old
    newest: Heartbeat | None = None
    heard: float = 0.0  # ticks when the newest came

    def hear(self, heartbeat: Heartbeat, now: datetime, ticks: float) -> None:
        """Takes note of a verified heartbeat; raises `BadHeartbeat` where it speaks of another cloud or the future.

        One that is not newer than what was heard changes nothing: it may be replayed.
        """
        if heartbeat.cloud != self.cloud:
            raise BadHeartbeat(f"the heartbeat is of cloud {heartbeat.cloud!r}, not {self.cloud!r}")
        if heartbeat.at > now + _TOLERANCE:
            raise BadHeartbeat("the heartbeat is dated ahead of our clock: compare both clocks")
        if self.newest is None or heartbeat.at > self.newest.at:
            self.newest, self.heard = heartbeat, ticks

    def is_alive(self, now: datetime, ticks: float) -> bool:
        """Whether the newest heartbeat is young enough by both clocks; without any, nobody vouches for anything."""
        if self.newest is None or self.newest.at > now + _TOLERANCE:
            return False
        return now - self.newest.at <= self.longest and ticks - self.heard <= self.longest.total_seconds()
