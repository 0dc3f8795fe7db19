"""Measuring what takes microseconds: many calls a round, the works in turns, the least of all rounds."""

import time
from collections.abc import Callable

Work = Callable[[], object]


def least(rounds: int, calls: int, *works: Work) -> list[float]:
    """CPU microseconds of one call of each work. The least, for a neighbour can only make a round longer."""
    found = [float("inf")] * len(works)
    for _ in range(rounds):
        for which, work in enumerate(works):
            found[which] = min(found[which], microseconds(work, calls))
    return found


def microseconds(work: Work, calls: int) -> float:
    """CPU microseconds of one call, over one round."""
    began = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - began) / calls * 1e6
