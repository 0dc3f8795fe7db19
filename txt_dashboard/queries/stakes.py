"""When instances that asked for trust were on hosts that were not trusted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from txt_dashboard.models import StakeInterval

CHUNK = 500


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
