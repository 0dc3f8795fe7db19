"""A worker's memory: after poll 100 of 10,000 hosts at most 5 % more than after poll 10."""

import gc
import sys

import psutil

from tests.bench.fleet import APPROVED
from tests.bench.report import Line, report
from tests.bench.world import World, installation

HOSTS = 10_000
EARLY, LATE = 10, 100
EVERY = 10  # polls: then one host in a hundred has booted something that nobody has seen before
MIB = 2**20


def main() -> int:
    """Polls in this very process, which does nothing else."""
    with installation():
        world, process, measured = World(HOSTS), psutil.Process(), {}
        for poll in range(1, LATE + 1):
            update = poll // EVERY
            world.next_poll(lambda number, update=update: _kernel(number, update))
            world.poll()
            if poll in (EARLY, LATE):
                gc.collect()
                measured[poll] = process.memory_info().rss / MIB
    what = f"worker memory after poll {LATE} of {HOSTS:,} hosts"
    return report([Line(what, measured[LATE], measured[EARLY], f"after poll {EARLY}", 1.05, "MiB")])


def _kernel(number: int, update: int) -> str:
    return f"update {update}" if update and number % 100 == 0 else APPROVED


if __name__ == "__main__":
    sys.exit(main())
