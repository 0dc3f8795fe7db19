"""Measuring on a machine that others use, too: rounds in turns, medians, no garbage collector in between."""

import gc
import time
from collections.abc import Callable
from statistics import median

from tests.bench.world import sqlite

Work = Callable[[], object]


def seconds(work: Work) -> float:
    """How long it takes; the garbage collector runs before it and not while it runs, as in `timeit`.

    CPU time where the database works inside our own process, for other programs can't blur that; else
    time by the clock.
    """
    clock = time.process_time if sqlite() else time.perf_counter
    gc.collect()
    gc.disable()
    try:
        started = clock()
        work()
        return clock() - started
    finally:
        gc.enable()


def in_turns(rounds: int, work: Work, peer: Work, prepare: Work) -> tuple[float, float]:
    """Median seconds of the work and of its peer, which runs before and after it; both see what was prepared."""
    works, peers = [], []
    for _ in range(rounds):
        prepare()
        peers.append(seconds(peer))
        works.append(seconds(work))
        peers.append(seconds(peer))
    return median(works), median(peers)
