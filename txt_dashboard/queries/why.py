"""Why registers have other values: what the log of golden values and the log of the actual ones say differently.

Both logs lead to exactly the values that they are used for, as quotes had proven those. Who has two sets of values
asks here: the host page, what changed, and reviews. `templates/why/register.html` shows one answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from txt_dashboard.attest.eventlog.log import Log
from txt_dashboard.attest.eventlog.why import Change, Explanation, NoCommonBank, explain
from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.reference import Part, measurement_key
from txt_dashboard.models import MeasuredLog
from txt_dashboard.queries.logs import log_of_digest


@dataclass(frozen=True, slots=True)
class Pair:
    """Golden and actual values of the registers that a policy requires of one part."""

    part: Part
    bank: Bank
    golden: Values
    actual: Values

    @property
    def keys(self) -> tuple[str, str]:
        """Of both as measurements."""
        golden, actual = (measurement_key(self.part, self.bank, values) for values in (self.golden, self.actual))
        return golden, actual


def whys(pairs: Sequence[Pair]) -> list[Mapping[int, Change]]:
    """For each pair what the logs say by register; nothing where one of both has no log. One query."""
    keys = {key for pair in pairs for key in pair.keys}
    rows = MeasuredLog.objects.filter(measurement__in=keys) if keys else MeasuredLog.objects.none()
    digests = dict(rows.values_list("measurement", "log_id"))
    return [_why(pair, digests) for pair in pairs]


def differing_events(pairs: Sequence[Pair], log: Log) -> frozenset[int]:
    """Offsets of this log's events, in all registers, that a log of the golden values does not have so. One query."""
    keys = {pair.keys[0]: pair.bank for pair in pairs}
    rows = MeasuredLog.objects.filter(measurement__in=keys) if keys else MeasuredLog.objects.none()
    found: set[int] = set()
    for key, digest in rows.values_list("measurement", "log_id"):
        golden = log_of_digest(digest)
        try:
            told = explain(golden, log, keys[key]) if golden is not None else None
        except NoCommonBank:
            continue
        for change in told.registers.values() if told else ():
            others = (*change.added, *(new for _, new in change.changed), *(new for _, new in change.moved))
            found.update(each.event.offset for each in others)
    return frozenset(found)


def _why(pair: Pair, digests: Mapping[str, str]) -> Mapping[int, Change]:
    golden, actual = (digests.get(key) for key in pair.keys)
    if golden is None or actual is None:
        return {}
    told = _explained(golden, actual, pair.bank)
    differing = {index for index, value in pair.golden.items() if pair.actual.get(index) != value}
    return {index: change for index, change in told.registers.items() if index in differing} if told else {}


@lru_cache(maxsize=64)
def _explained(golden: str, actual: str, bank: Bank) -> Explanation | None:
    old, new = log_of_digest(golden), log_of_digest(actual)
    if old is None or new is None:
        return None
    try:
        return explain(old, new, bank)
    except NoCommonBank:
        return None
