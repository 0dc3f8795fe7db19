"""Reading what services answer: typed, bounded, and refusing all else."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from txt_dashboard.cloud.errors import AnswerUnusable, Call

Value = TypeVar("Value")
_LONGEST_TEXT = 4096  # names have 255 at most; disabled reasons and the like a little more
_MOST_PAGES = 10_000
_TRIES = 3  # of a list that changes while its pages are asked for
_ENDLESS = "its pages have no end"


class BadField(ValueError):
    """A field is missing or of another type; the sentence names it."""


class MarkerGone(Exception):
    """The object by which a page was asked for is not there any more."""


class Row:
    """One JSON object of an answer. Each method raises `BadField`."""

    def __init__(self, fields: object) -> None:
        if not isinstance(fields, dict):
            raise BadField("an object is something else")
        self._fields: Mapping[str, object] = fields

    def text(self, name: str) -> str:
        """Text that must be there and say something."""
        found = self._fields.get(name)
        if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_TEXT:
            raise BadField(f"{name} is no text")
        return found

    def optional(self, name: str) -> str:
        """Text, empty where there is none."""
        return self.text(name) if self._fields.get(name) not in (None, "") else ""

    def number(self, name: str) -> int:
        """A whole number."""
        found = self._fields.get(name)
        if not isinstance(found, int) or isinstance(found, bool):
            raise BadField(f"{name} is no number")
        return found

    def flag(self, name: str) -> bool:
        """True or false."""
        found = self._fields.get(name)
        if not isinstance(found, bool):
            raise BadField(f"{name} is neither true nor false")
        return found

    def row(self, name: str) -> "Row":
        """An object in the object."""
        return Row(self._fields.get(name))

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._fields.get(name) is not None

    def names(self, name: str) -> tuple[str, ...]:
        """The keys of an object in the object."""
        return tuple(Row(self._fields.get(name))._fields)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self._fields.get(name)
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise BadField(f"{name} is no list of texts")
        return tuple(found)

    def pairs(self, name: str) -> dict[str, str]:
        """An object of texts."""
        found = self._fields.get(name)
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise BadField(f"{name} is no object of texts")
        return {str(key): value for key, value in found.items()}


def read(call: Call, found: object, shape: Callable[[Row], Value]) -> Value:
    """The value of one object; raises `AnswerUnusable`."""
    try:
        return shape(Row(found))
    except BadField as error:
        raise AnswerUnusable(call, f"its answer has another form than the contract: {error}") from None


def read_all(call: Call, found: object, shape: Callable[[Row], Value]) -> tuple[Value, ...]:
    """The values of a list of objects; raises `AnswerUnusable`."""
    if not isinstance(found, list):
        raise AnswerUnusable(call, "its answer has another form than the contract: no list")
    return tuple(read(call, each, shape) for each in found)


def pages(call: Call, fetch: Callable[[str | None], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All objects of a list that comes in pages, each page asked for by the id of the last object before it.

    Services cut pages at a size of their own, so the end is an empty page. Where that last object goes away between
    two pages, the list begins anew or `fetch` raises `MarkerGone`: then all of it is asked for again, a few times.
    Raises `AnswerUnusable` where there is no end to it.
    """
    for _ in range(_TRIES):
        with suppress(MarkerGone):
            return _to_the_end(call, fetch)
    raise AnswerUnusable(call, _ENDLESS)


def _to_the_end(call: Call, fetch: Callable[[str | None], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    marker: str | None = None
    found: list[dict[str, Any]] = []
    seen: set[object] = set()
    for _ in range(_MOST_PAGES):
        page = fetch(marker)
        if not page:
            return found
        if page[0].get("id") in seen:
            raise MarkerGone
        seen.update(each.get("id") for each in page)
        found += page
        marker = str(page[-1].get("id"))
    raise AnswerUnusable(call, _ENDLESS)
