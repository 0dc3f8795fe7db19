"""Registers whose golden value a host need not have, as long as its events are what was declared.

A log counts only for a value that a quote has proven, and only where it replays exactly to it. What it can't bear out
stays undetermined: whoever keeps a log back gains nothing by it.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from txt_dashboard.attest.eventlog.log import Log
from txt_dashboard.attest.eventlog.varying import Mismatch, compare, explains
from txt_dashboard.attest.pcr import Bank, Difference
from txt_dashboard.attest.reference import Baseline

# The log that leads to this value of a register, of whichever host; `None` where there is none.
Logs = Callable[[Bank, int, bytes], Log | None]


def no_logs(_bank: Bank, _index: int, _value: bytes) -> Log | None:
    """For values that are only a server's word: no log counts for them."""
    return None


class Judged(NamedTuple):
    """Differing registers, sorted by what their events say; `why` is the first mismatch there is."""

    differing: tuple[Difference, ...]
    unproven: tuple[int, ...] = ()
    excused: tuple[int, ...] = ()
    why: Mismatch | None = None


def judge_events(baseline: Baseline, differences: Iterable[Difference], logs: Logs) -> Judged:
    """Which of the registers that differ from a baseline match it by their events."""
    differing: list[Difference] = []
    unproven: list[int] = []
    excused: list[int] = []
    found: Mismatch | None = None
    for each in differences:
        golden, value = baseline.events.get(each.index), each.actual
        if golden is None or value is None:
            differing.append(each)
            continue
        log = logs(baseline.bank, each.index, value)
        if log is None or not explains(log, baseline.bank, each.index, value):
            unproven.append(each.index)
        elif (why := compare(golden, log, value)) is not None:
            differing.append(each)
            found = found or why
        else:
            excused.append(each.index)
    return Judged(tuple(differing), tuple(unproven), tuple(excused), found)


def fixed(baseline: Baseline, differences: Iterable[Difference]) -> int:
    """How many differing registers no event can excuse."""
    return sum(each.index not in baseline.events for each in differences)
