"""Why registers differ, as two logs tell it: golden and actual. A hint for people, never a verdict.

Only digests decide what counts as the same event; types and texts name it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from txt_dashboard.attest.eventlog.align import Gap, align
from txt_dashboard.attest.eventlog.ipl import Thing
from txt_dashboard.attest.eventlog.kinds import kind_name
from txt_dashboard.attest.eventlog.log import Event, Log
from txt_dashboard.attest.eventlog.story import Story, stories
from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank

_MAX_CLAUSES = 8


class NoCommonBank(ValueError):
    """Two logs that hold digests of no common bank can't be compared."""


class Told(NamedTuple):
    """One event with its story, and its digest in the bank compared (empty where it has none)."""

    event: Event
    story: Story
    digest: bytes

    @property
    def kind(self) -> str:
        """The event type's name."""
        return kind_name(self.event.kind)


class Change(NamedTuple):
    """Events of one register that differ; pairs are (old, new). `starts` is set where register 0 starts elsewhere."""

    removed: tuple[Told, ...]
    added: tuple[Told, ...]
    changed: tuple[tuple[Told, Told], ...]
    moved: tuple[tuple[Told, Told], ...]
    starts: tuple[int, int] | None
    clauses: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All of it, honestly: what the log says."""
        return sentence(self.clauses)


class Explanation(NamedTuple):
    """The registers that the logs extend differently, by index, and all of it in one sentence."""

    bank: Bank
    registers: dict[int, Change]
    sentence: str


def explain(old: Log, new: Log, bank: Bank | None = None) -> Explanation:
    """What differs between two logs, in this bank, or in the strongest that both have; raises `NoCommonBank`.

    Where registers were verified, name their bank: what a log holds of another one proves nothing of them.
    """
    common = set(old.banks) & set(new.banks)
    if not common or (bank is not None and bank not in common):
        which = "no common bank" if bank is None else f"{bank} not both"
        raise NoCommonBank(f"the two logs hold digests of {which}")
    bank = bank or max(common, key=lambda each: each.size)
    before, after = _by_register(old, bank), _by_register(new, bank)
    changes: dict[int, Change] = {}
    clauses: list[str] = []
    for index in range(REGISTER_COUNT):
        starts = (old.startup_locality, new.startup_locality) if index == 0 else (0, 0)
        change, said = _compare(before[index], after[index], starts)
        if said:
            changes[index] = change
            clauses.extend(clause for clause in said if clause not in clauses)
    return Explanation(bank, changes, sentence(clauses))


def _by_register(log: Log, bank: Bank) -> defaultdict[int, list[Told]]:
    found: defaultdict[int, list[Told]] = defaultdict(list)
    for event, story in zip(log.events, stories(log.events), strict=True):
        if event.extends:
            found[event.register].append(Told(event, story, event.digests.get(bank, b"")))
    return found


def _compare(old: list[Told], new: list[Told], starts: tuple[int, int]) -> tuple[Change, list[str]]:
    gaps, moves = align(*[[told.digest or told.event.data for told in side] for side in (old, new)])
    removed: list[Told] = []
    added: list[Told] = []
    changed: list[tuple[Told, Told]] = []
    for gap in gaps:
        _pair(old, new, gap, removed, added, changed)
    moved = tuple((old[at], new[to]) for at, to in moves)
    differ = starts if starts[0] != starts[1] else None
    clauses = [f"the TPM was started from locality {starts[1]} instead of {starts[0]}"] if differ else []
    clauses += _clauses(removed, added, [pair[1] for pair in changed], [pair[1] for pair in moved])
    change = Change(tuple(removed), tuple(added), tuple(changed), moved, differ, tuple(clauses))
    return change, clauses


def _pair(
    old: Sequence[Told],
    new: Sequence[Told],
    gap: Gap,
    removed: list[Told],
    added: list[Told],
    changed: list[tuple[Told, Told]],
) -> None:
    """Sorts what stands in one gap: events about the same are a change, in order; the others came or went."""
    waiting: defaultdict[tuple[int, str], list[Told]] = defaultdict(list)
    for at in reversed(gap.new):
        waiting[_about(new[at])].append(new[at])
    partners = set()
    for at in gap.old:
        if candidates := waiting[_about(old[at])]:
            partner = candidates.pop()
            partners.add(partner.event.offset)
            changed.append((old[at], partner))
        else:
            removed.append(old[at])
    added.extend(new[at] for at in gap.new if new[at].event.offset not in partners)


def _about(told: Told) -> tuple[int, str]:
    return told.event.kind, told.story.key


def _clauses(removed: list[Told], added: list[Told], changed: list[Told], moved: list[Told]) -> list[str]:
    """One clause a thing, in the order of the logs' events."""
    sides = ((changed, "changed"), (removed, "removed"), (added, "added"), (moved, "moved"))
    happened = [(told.event.offset, told.story.thing, how) for side, how in sides for told in side]
    ways: defaultdict[Thing, set[str]] = defaultdict(set)
    for _, thing, how in sorted(happened, key=lambda item: item[0]):
        ways[thing].add(how)
    return [_clause(thing, hows.pop() if len(hows) == 1 else "changed") for thing, hows in ways.items()]


def _clause(thing: Thing, how: str) -> str:
    be = "were" if thing.plural else "was"
    if how == "moved":
        return f"{thing.name} came in another order"
    if how == "changed":
        return f"{thing.name} {be} replaced" if thing.replaced else f"{thing.name} changed"
    return f"{thing.name} {be} {how}"


def sentence(clauses: Iterable[str]) -> str:
    """`the log says: a, b and c`; the caveat stays in front, for the text is the log's."""
    said = list(clauses)
    if not said:
        return "the logs say nothing different"
    more = len(said) - _MAX_CLAUSES
    if more > 1:
        said[_MAX_CLAUSES:] = [f"{more} more things changed"]
    head, last = said[:-1], said[-1]
    return "the log says: " + (f"{', '.join(head)} and {last}" if head else last)
