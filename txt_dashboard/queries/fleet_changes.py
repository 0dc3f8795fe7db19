"""Which hosts changed after an event: for programs that follow the fleet."""

from dataclasses import dataclass

from django.db.models import Max

from txt_dashboard.models import HostEvent


@dataclass(frozen=True, slots=True)
class Followed:
    """The newest event of each host that changed, the latest first, and whether there are more."""

    events: tuple[HostEvent, ...]
    more: bool


def after_event(number: int, limit: int) -> Followed:
    """What came after the event of this number. One query, on the primary key."""
    rows = list(HostEvent.objects.filter(pk__gt=number).select_related("host").order_by("-pk")[: limit + 1])
    newest = {row.host_id: row for row in reversed(rows[:limit])}
    return Followed(tuple(sorted(newest.values(), key=lambda row: -row.pk)), len(rows) > limit)


def version_now() -> str:
    """A version for a list that is about to be read, to ask by it for what came after. One query, of a maximum."""
    newest = HostEvent.objects.aggregate(id=Max("id"))["id"] or 0
    return f"{newest}-0-0-0-0-0"


NOTHING = Followed((), more=False)
