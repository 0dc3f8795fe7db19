"""Walking the chain, in memory that does not grow with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

from txt_dashboard.audit.entry import GENESIS, HASHED, digest_of
from txt_dashboard.models import Activity, ActivityHead

CHUNK = 2000  # entries read by one statement
LOWEST = -(2**63)


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
            if digest_of(row[:-1]) != row[-1]:
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


def _read(last: int, size: int = CHUNK) -> list[tuple[Any, ...]]:
    entries = Activity.objects.annotate(text=Cast("detail", TextField())).order_by("id")
    # Numbers begin with 1: what stands below was put there.
    rows = entries.filter(id__gt=last or LOWEST).values_list(*HASHED, "digest")
    try:
        return list(rows[:size])
    except (ValueError, TypeError, AttributeError):  # SQLite keeps anything in any column
        if size > 1:
            return _read(last, size // 2)
        number = last + 1
        raise ChainBroken(number, f"Entry {number} was rewritten: it holds what no entry can hold.") from None


def _out_of_place(expected: int, found: int) -> str:
    if found < expected:
        return f"Entry {found} was put in: the log's numbers begin with 1."
    return f"Entry {expected} is missing: the next one that is there is {found}."


def _does_not_follow(number: int) -> str:
    if number == 1:
        return "Entry 1 is not the log's first: it follows something that is not there."
    return f"Entry {number} does not follow entry {number - 1}: one of the two was exchanged."
