"""Entries as lines to take along: JSON, from which anybody can check the chain, and CSV for spreadsheets."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from txt_dashboard.models import Activity
from txt_dashboard.models.activity import detail_text

COLUMNS = ("number", "at", "actor", "verb", "target", "host", "of", "reason", "detail", "previous", "digest")
# What makes a spreadsheet take a cell for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Entries = Iterable[Activity]


def as_jsonl(entries: Entries) -> Iterator[str]:
    """One JSON object a line, with all that the entry's digest covers."""
    for each in entries:
        line = {
            "number": each.pk,
            "at": _moment(each.at),
            "actor": each.actor,
            "verb": each.verb,
            "target": each.target,
            "host": each.host,
            "of": each.of,
            "detail": each.detail,
            "previous": each.previous,
            "digest": each.digest,
        }
        yield json.dumps(line, separators=(",", ":")) + "\n"


def as_csv(entries: Entries) -> Iterator[str]:
    """A line of names, and one for each entry. Cells that a spreadsheet would run begin with an apostrophe."""
    yield csv_line(COLUMNS)
    for each in entries:
        reason = str(each.detail.get("reason") or "")
        said = (each.actor, each.verb, each.target, each.host)
        detail = detail_text(each.detail)
        of = "" if each.of is None else str(each.of)
        cells = (str(each.pk), _moment(each.at), *said, of, reason, detail, each.previous, each.digest)
        yield csv_line(cells)


FORMATS: dict[str, Callable[[Entries], Iterator[str]]] = {"jsonl": as_jsonl, "csv": as_csv}


def csv_line(cells: Iterable[str]) -> str:
    """One line. Cells that a spreadsheet would run begin with an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return line.getvalue()


def _moment(moment: datetime) -> str:
    """As the digest covers it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
