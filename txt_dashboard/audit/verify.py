"""Holding the whole log against its own chain and against the heads that were signed."""

from collections.abc import Iterator
from dataclasses import dataclass

from txt_dashboard.audit.chain import ChainBroken, Place, counted, follow
from txt_dashboard.audit.heads import Head, Verify


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found: how many entries are sound, and the head that proves most of them."""

    entries: int
    heads: int
    last: Head | None

    @property
    def unproven(self) -> int:
        """Entries after the last head: their order is proven, not that none is missing at the end."""
        return self.entries - (self.last.count if self.last else 0)


def verify(heads: Iterator[Head], signed: Verify, *, every_signature: bool = False) -> Report:
    """Walks the chain; raises `ChainBroken` with the first entry that is broken, rewritten or missing.

    Heads come in the order of their counts. All are compared with the chain. A signature is checked where it
    decides something, at the last head and at one that the chain contradicts, or at every head. Memory does not
    grow with entries or heads; time is that of one hash an entry and what reading it takes.
    """
    seen = _Heads(heads, signed, every_signature=every_signature)
    count = counted()
    place = Place()
    seen.compare(place)
    for number, digest in follow(place):
        place = Place(number, digest)
        if number == seen.due:
            seen.compare(place)
        if number == count.count and digest != count.digest:
            raise ChainBroken(number, f"Entry {number} was exchanged: the log's own count knows another digest.")
    seen.finish(place)
    if place.count < count.count:
        raise ChainBroken(place.count + 1, _cut_off(place, count.count, "the log's own count"))
    if place.count > counted().count:
        raise ChainBroken(place.count, f"Entry {place.count} was put in past the product: its count ends before.")
    return Report(place.count, seen.heads, seen.last)


class _Heads:
    """The heads on their way past the chain."""

    def __init__(self, heads: Iterator[Head], signed: Verify, *, every_signature: bool) -> None:
        self._rest = heads
        self._signed = signed
        self._every = every_signature
        self._next = next(heads, None)
        self.heads = 0
        self.last: Head | None = None  # of those that the chain agrees with

    @property
    def due(self) -> int:
        """The entry that the next head speaks of."""
        return self._next.count if self._next else -1

    def compare(self, place: Place) -> None:
        """Holds all heads of this place against it."""
        while (head := self._next) and head.count == place.count:
            if head.digest != place.digest:
                self._require_signature(head)
                raise ChainBroken(self._first_unproven, self._contradiction(head))
            if self._every:
                self._require_signature(head)
            self.heads, self.last = self.heads + 1, head
            self._next = next(self._rest, None)

    def finish(self, place: Place) -> None:
        """Heads that are left speak of entries that are not there."""
        furthest = self._next
        for head in self._rest:
            furthest = head
        if furthest:
            self._require_signature(furthest)
            witness = f"the head that was signed {_moment(furthest)}"
            raise ChainBroken(place.count + 1, _cut_off(place, furthest.count, witness))
        if self.last:
            self._require_signature(self.last)

    @property
    def _first_unproven(self) -> int:
        return self.last.count + 1 if self.last else 1

    def _contradiction(self, head: Head) -> str:
        first = self._first_unproven
        which = f"Entry {head.count}" if first >= head.count else f"An entry from {first} to {head.count}"
        return f"{which} was exchanged: the head that was signed {_moment(head)} knows another digest."

    def _require_signature(self, head: Head) -> None:
        if not head.is_signed(self._signed):
            sentence = (
                f"The head of {_moment(head)}, which counts {head.count} entries, is not signed by a key of ours."
            )
            raise ChainBroken(head.count, sentence)


def _cut_off(place: Place, count: int, witness: str) -> str:
    first = place.count + 1
    which = f"Entry {first} is" if first == count else f"Entries {first} to {count} are"
    return f"{which} missing at the end: {witness} has {count} entries."


def _moment(head: Head) -> str:
    return f"{head.at:%Y-%m-%d %H:%M:%S} UTC"
