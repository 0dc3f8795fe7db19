"""One host's history: what became of it, and which registers changed between one measurement and the next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part
from txt_dashboard.models import Host, HostEvent, Measurement
from txt_dashboard.queries.evidence import parse_values

PAGE = 30


@dataclass(frozen=True, slots=True)
class Change:
    """One register whose value is not what it was at the event before; `None` where there is no value."""

    part: Part
    bank: Bank
    index: int
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, and what changed in the measurements since the one before."""

    event: HostEvent
    changes: tuple[Change, ...]

    @property
    def moved(self) -> bool:
        """Whether the state changed; else only its reason or a measurement did."""
        return self.event.previous_state != self.event.state


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A stretch of a host's history, newest first."""

    entries: tuple[Entry, ...]
    older: tuple[datetime, int] | None  # where the next page begins, or `None` where history ends


def history(host: Host, before: tuple[datetime, int] | None = None, *, limit: int = PAGE) -> HistoryPage:
    """The events before this moment and id. One query, however long the history is."""
    events = host.events.select_related("platform", "vmm")
    if before is not None:
        at, last = before
        events = events.filter(Q(at__lt=at) | Q(at=at, id__lt=last))
    # One more than is shown: the oldest shown is compared with it.
    rows = list(events.order_by("-at", "-id")[: limit + 1])
    shown = rows[:limit]
    entries = tuple(Entry(event, tuple(_changes(rows, at))) for at, event in enumerate(shown))
    return HistoryPage(entries, (shown[-1].at, shown[-1].pk) if len(rows) > limit else None)


def _changes(rows: Sequence[HostEvent], at: int) -> Iterator[Change]:
    for part in Part:
        now = _measurement(rows[at], part)
        then = next((each for row in rows[at + 1 :] if (each := _measurement(row, part))), None)
        if now is None or then is None or now.key == then.key or now.bank != then.bank:
            continue
        after, before = parse_values(now.values), parse_values(then.values)
        for index in sorted(after.keys() | before.keys()):
            if after.get(index) != before.get(index):
                yield Change(part, Bank(now.bank), index, before.get(index), after.get(index))


def _measurement(event: HostEvent, part: Part) -> Measurement | None:
    return event.platform if part is Part.PLATFORM else event.vmm
