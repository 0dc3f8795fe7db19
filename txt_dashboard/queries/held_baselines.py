"""Baselines in force as programs read them: by the page, and by their ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from txt_dashboard.attest.entries import EntryKind
from txt_dashboard.attest.signed_set import entry_hash, plain
from txt_dashboard.queries.impact import Impact, impact
from txt_dashboard.queries.in_force import InForce

_PREFIX = f"{EntryKind.BASELINE}:"


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """One baseline of the set, as it stands there."""

    id: str
    entry: dict[str, Any]

    @property
    def content_hash(self) -> str:
        """SHA-256 of what it says."""
        return entry_hash(self.entry) or ""


def baselines(held: InForce, after: str, limit: int) -> tuple[Sequence[HeldEntry], str]:
    """Baselines in force by their ids, from the one after this id on, and the id that the next page begins after."""
    if held.refused:
        return (), ""
    ids = sorted(id_ for id_ in held.set.entries if id_.startswith(_PREFIX) and id_ > after)
    found = list(islice((one for id_ in ids if (one := baseline(held, id_))), limit + 1))
    return found[:limit], found[limit - 1].id if len(found) > limit else ""


def baseline(held: InForce, id_: str) -> HeldEntry | None:
    """The baseline with this id, or `None` where it is not in force."""
    entry = held.set.entries.get(id_)
    shown = plain(entry) if entry is not None and not held.refused else None
    return HeldEntry(id_, dict(shown)) if shown is not None else None


def impact_of_retiring(held: InForce, id_: str, now: datetime) -> Impact:
    """What it would do to hosts if this baseline were not in force any more."""
    without = held.set.after(held.set.patch({id_: None}), now)
    return impact(held.reference, without.reference, now)
