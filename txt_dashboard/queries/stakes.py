"""When instances that asked for trust were on hosts that were not trusted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from txt_dashboard.cloud.tenancy import Why
from txt_dashboard.models import StakeEnding, StakeInterval

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Told:
    """One interval as pages show it."""

    row: StakeInterval
    sentence: str  # why, in English

    @property
    def lasts(self) -> bool:
        """Whether it was so at the last look."""
        return self.row.until is None

    @property
    def unseen(self) -> bool:
        """Whether nobody could look after its end, so that it may have lasted longer."""
        return self.row.ending == StakeEnding.UNSEEN


@dataclass(frozen=True, slots=True)
class Filter:
    """Which intervals: those of a project that touch a period. Empty means all."""

    project: str = ""
    since: datetime | None = None
    until: datetime | None = None
    cloud: str = ""


def find(chosen: Filter) -> QuerySet[StakeInterval]:
    """All intervals that the filter lets through."""
    found = StakeInterval.objects.all()
    if chosen.cloud:
        found = found.filter(cloud=chosen.cloud)
    if chosen.project:
        found = found.filter(project=chosen.project)
    if chosen.since is not None:
        found = found.filter(Q(until=None) | Q(until__gte=chosen.since))
    if chosen.until is not None:
        found = found.filter(since__lt=chosen.until)
    return found


def page(found: QuerySet[StakeInterval], after: int, limit: int) -> tuple[list[StakeInterval], int]:
    """Intervals after this number, the first first, and the number that the next page begins after (0: none)."""
    rows = list(found.filter(id__gt=after).order_by("id")[: limit + 1])
    return rows[:limit], rows[limit - 1].pk if len(rows) > limit else 0


def in_order(found: QuerySet[StakeInterval]) -> Iterator[StakeInterval]:
    """All of them, in memory that does not grow with them."""
    last = 0
    while rows := list(found.filter(id__gt=last).order_by("id")[:CHUNK]):
        yield from rows
        last = rows[-1].pk


def told(row: StakeInterval) -> Told:
    """An interval with its reason as a sentence."""
    try:
        sentence = Why.of(row.why).sentence
    except KeyError:  # a newer release wrote it
        sentence = row.why
    return Told(row, sentence)
