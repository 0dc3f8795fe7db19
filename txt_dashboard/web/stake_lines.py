"""Intervals at stake as lines to take along: JSON, and CSV for spreadsheets."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from txt_dashboard.audit.export import csv_line
from txt_dashboard.models import StakeInterval

COLUMNS = (
    "number", "cloud", "project", "instance", "name", "host", "why", "since", "seen_until", "until", "ending",
)  # fmt: skip

Rows = Iterable[StakeInterval]


def as_jsonl(rows: Rows) -> Iterator[str]:
    """One JSON object a line."""
    for each in rows:
        yield json.dumps(dict(zip(COLUMNS, _cells(each), strict=True)), separators=(",", ":")) + "\n"


def as_csv(rows: Rows) -> Iterator[str]:
    """A line of names, and one for each interval."""
    yield csv_line(COLUMNS)
    for each in rows:
        yield csv_line("" if cell is None else str(cell) for cell in _cells(each))


FORMATS: dict[str, Callable[[Rows], Iterator[str]]] = {"jsonl": as_jsonl, "csv": as_csv}


def _cells(row: StakeInterval) -> tuple[object, ...]:
    said = (row.pk, row.cloud, row.project, row.instance, row.name, row.host, row.why)
    return (*said, _moment(row.since), _moment(row.seen_until), _moment(row.until), row.ending)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
