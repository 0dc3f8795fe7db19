"""The activity log as people read it: filtered, page by page, and whether its chain holds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from txt_dashboard.models import Activity, ActivityCheck

PAGE = 50
CHUNK = 1000
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to show: from a moment on, before a moment, of a person, about a host, of a verb."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    host: str = ""
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an act changed, by its name."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry, and of a remote act that was intended what came of it, as far as that is known."""

    entry: Activity
    outcome: Activity | None = None

    @property
    def reason(self) -> str:
        """Why, in the person's own words."""
        return str(self.entry.detail.get("reason") or "")

    @property
    def text(self) -> str:
        """All that the entry's detail says, for those who want it to the letter."""
        return json.dumps(self.entry.detail, indent=2, ensure_ascii=False) if self.entry.detail else ""

    @property
    def waits(self) -> bool:
        """Whether the act was intended and nobody knows yet what came of it."""
        return bool(self.entry.detail.get("intended")) and self.outcome is None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was so before and is otherwise after; `None` where it was not, or is not any more."""
        before, after = (_mapping(self.entry.detail.get(side)) for side in ("before", "after"))
        names = dict.fromkeys([*before, *after])
        return tuple(
            Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the log, newest first, with the numbers that its neighbours begin at (0 where there is none)."""

    rows: tuple[Shown, ...]
    newer: int
    older: int


def find(chosen: Filter) -> QuerySet[Activity]:
    """All entries that the filter lets through."""
    conditions = {
        "at__gte": chosen.since,
        "at__lt": chosen.until,
        "actor": chosen.actor,
        "host": chosen.host,
        "verb": chosen.verb,
    }
    return Activity.objects.filter(**{name: value for name, value in conditions.items() if value})


def page(found: QuerySet[Activity], *, before: int = 0, after: int = 0, limit: int = PAGE) -> Page:
    """The entries below a number, or above one, or the newest. Two queries, on any page of any log."""
    if after:
        rows = list(found.filter(id__gt=after).order_by("id")[: limit + 1])
    else:
        rows = list(found.filter(id__lt=before or LARGEST).order_by("-id")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit][::-1] if after else rows[:limit]
    newer = rows[0].pk if rows and (more if after else before) else 0
    older = rows[-1].pk if rows and (after or more) else 0
    return Page(_with_outcomes(rows), newer, older)


def in_order(found: QuerySet[Activity]) -> Iterator[Activity]:
    """All of them, the first first, in memory that does not grow with them."""
    last = -LARGEST
    while rows := list(found.filter(id__gt=last).order_by("id")[:CHUNK]):
        yield from rows
        last = rows[-1].pk


def actors() -> tuple[str, ...]:
    """Everybody who is in the log. One query, on an index."""
    return tuple(Activity.objects.order_by("actor").values_list("actor", flat=True).distinct())


def verbs() -> tuple[str, ...]:
    """Everything that was done. One query, on an index."""
    return tuple(Activity.objects.order_by("verb").values_list("verb", flat=True).distinct())


def latest_check() -> ActivityCheck | None:
    """What the workers last found; `None` before the first has looked."""
    return ActivityCheck.objects.first()


def _with_outcomes(rows: list[Activity]) -> tuple[Shown, ...]:
    intended = [row.pk for row in rows if row.detail.get("intended")]
    outcomes = {each.of: each for each in Activity.objects.filter(of__in=intended).order_by("id")} if intended else {}
    return tuple(Shown(row, outcomes.get(row.pk)) for row in rows)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
