"""Waiting for what becomes true by itself."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 60
T = TypeVar("T")


def eventually(what: Callable[[], T], wanted: Callable[[T], object], why: str, seconds: float = PATIENCE_S) -> T:
    """What `what` gives as soon as it is as wanted; else fails, and says what was seen last."""
    deadline = time.monotonic() + seconds
    while not wanted(seen := what()):
        assert time.monotonic() < deadline, f"Waited {seconds:.0f} s in vain: {why}. Last seen: {seen}"
        time.sleep(0.1)
    return seen
