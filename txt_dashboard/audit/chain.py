"""Walking the chain, in memory that does not grow with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, TextField
from django.db.models.functions import Cast

from txt_dashboard.audit.entry import GENESIS, HASHED, digest_of
from txt_dashboard.models import Activity, ActivityHead

CHUNK = 2000  # entries read by one statement
LOWEST = -(2**63)
_COLUMNS = (*("stored_at" if name == "at" else name for name in HASHED), "digest")


class ChainBroken(Exception):
    """The first entry that is not as it was written, by its number; the message is a sentence."""

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.number = number


@dataclass(frozen=True, slots=True)
class Place:
    """After an entry: its number, and its digest. The default is before the first."""

    count: int = 0
    digest: str = GENESIS


def follow(start: Place) -> Iterator[tuple[int, str]]:
    """Each entry after the start, as its number and digest, once it is found to be sound and to follow.

    One statement for every `CHUNK` entries. Raises `ChainBroken`.
    """
    last, previous = start.count, start.digest
    while rows := _read(last):
        for row in rows:
            number = row[1]
            if number != last + 1:
                raise ChainBroken(last + 1, _out_of_place(last + 1, number))
            if _digest_of(row) != row[-1]:
                raise ChainBroken(number, f"Entry {number} was rewritten: its digest is not that of what it says.")
            if row[0] != previous:
                raise ChainBroken(number, _does_not_follow(number))
            last, previous = number, row[-1]
            yield last, previous


def counted() -> Place:
    """How far the log goes by its own count, which is kept apart from the entries."""
    head = ActivityHead.objects.first()
    return Place(head.count, head.digest) if head else Place()


def end() -> Place:
    """How far the log goes by its last entry."""
    last = Activity.objects.order_by("-id").values_list("id", "digest").first()
    return Place(*last) if last else Place()


def digest_at(number: int) -> str | None:
    """The digest that an entry bears now; `None` where it is missing."""
    if number == 0:
        return GENESIS
    return Activity.objects.filter(id=number).values_list("digest", flat=True).first()


def _read(last: int) -> list[tuple[Any, ...]]:
    # SQLite's text: reading a moment from it in Django's way takes longer than all the rest.
    stored_at = Cast("at", TextField()) if connection.vendor == "sqlite" else F("at")
    entries = Activity.objects.annotate(text=Cast("detail", TextField()), stored_at=stored_at).order_by("id")
    # Numbers begin with 1: what stands below was put there.
    return list(entries.filter(id__gt=last or LOWEST).values_list(*_COLUMNS)[:CHUNK])


def _digest_of(row: tuple[Any, ...]) -> str | None:
    """The digest that the row should bear; `None` where it holds what no entry can hold."""
    previous, number, at, *said, _ = row
    try:
        moment = at if isinstance(at, datetime) else datetime.fromisoformat(f"{at}+00:00")
    except ValueError:  # SQLite keeps anything in any column
        return None
    return digest_of((previous, number, moment, *said))


def _out_of_place(expected: int, found: int) -> str:
    if found < expected:
        return f"Entry {found} was put in: the log's numbers begin with 1."
    return f"Entry {expected} is missing: the next one that is there is {found}."


def _does_not_follow(number: int) -> str:
    if number == 1:
        return "Entry 1 is not the log's first: it follows something that is not there."
    return f"Entry {number} does not follow entry {number - 1}: one of the two was exchanged."
