"""How long something may still take."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock that nothing may outlast."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The moment this many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left, always more than none; raises `TimeoutError` once there are none."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and that many seconds from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))
