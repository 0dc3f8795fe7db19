"""Which events of one register are the same in two logs, in order, and which came in another place.

Patience alignment (B. Cohen): digests that occur equally often on both sides anchor it, the longest rising run of
anchors keeps the order, and equal neighbours grow from them. Time is O(n log n), for any input.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple


class Gap(NamedTuple):
    """What stands between two matches: positions in the old and in the new sequence, without a partner."""

    old: list[int]
    new: list[int]


class Alignment(NamedTuple):
    """`gaps` in order, and `moved`: pairs of old and new position with the same digest in another place."""

    gaps: list[Gap]
    moved: list[tuple[int, int]]


def align(old: Sequence[bytes], new: Sequence[bytes]) -> Alignment:
    """The differences of two sequences of digests."""
    gaps = []
    for gap in _gaps(old, new, _grow(old, new, _anchors(old, new, equal_counts=True))):
        gaps.extend(_narrow(old, new, gap))
    moved = _moves(old, new, gaps)
    left = {position for position, _ in moved}
    right = {position for _, position in moved}
    rest = [Gap([at for at in gap.old if at not in left], [at for at in gap.new if at not in right]) for gap in gaps]
    return Alignment([gap for gap in rest if gap.old or gap.new], moved)


def _anchors(old: Sequence[bytes], new: Sequence[bytes], *, equal_counts: bool) -> list[tuple[int, int]]:
    """Pairs of positions of the same digest, rising on both sides: its first with its first, and so on.

    With `equal_counts`, only digests that occur equally often on both sides.
    """
    counts = Counter(new)
    fixed = {digest for digest, count in Counter(old).items() if counts[digest] == count}
    where: defaultdict[bytes, list[int]] = defaultdict(list)
    for at in reversed(range(len(new))):
        where[new[at]].append(at)
    able = fixed if equal_counts else where.keys()
    return _longest_rise([(at, where[each].pop()) for at, each in enumerate(old) if each in able and where[each]])


def _narrow(old: Sequence[bytes], new: Sequence[bytes], gap: Gap) -> list[Gap]:
    """The gaps that are left when equal digests inside one gap are matched in order."""
    left, right = [old[at] for at in gap.old], [new[at] for at in gap.new]
    inner = _gaps(left, right, _anchors(left, right, equal_counts=False))
    return [Gap([gap.old[at] for at in each.old], [gap.new[at] for at in each.new]) for each in inner]


def _longest_rise(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs whose second numbers rise (patience sorting); the first ones rise already."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, number) in enumerate(pairs):
        pile = bisect_left(tails, number)
        before.append(ends[pile - 1] if pile else -1)
        if pile == len(tails):
            tails.append(number)
            ends.append(index)
        else:
            tails[pile], ends[pile] = number, index
    chain = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _grow(old: Sequence[bytes], new: Sequence[bytes], anchors: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The anchors, with equal neighbours behind and before each, and at both ends."""
    ends = (len(old), len(new))
    matches: list[tuple[int, int]] = []
    left = right = 0
    for stop in [*anchors, ends]:
        while left < stop[0] and right < stop[1] and old[left] == new[right]:
            matches.append((left, right))
            left, right = left + 1, right + 1
        back = []
        at, to = stop[0] - 1, stop[1] - 1
        while at >= left and to >= right and old[at] == new[to]:
            back.append((at, to))
            at, to = at - 1, to - 1
        matches.extend(reversed(back))
        if stop != ends:
            matches.append(stop)
        left, right = stop[0] + 1, stop[1] + 1
    return matches


def _gaps(old: Sequence[bytes], new: Sequence[bytes], matches: list[tuple[int, int]]) -> list[Gap]:
    gaps = []
    left = right = 0
    for at, to in [*matches, (len(old), len(new))]:
        gaps.append(Gap(list(range(left, at)), list(range(right, to))))
        left, right = at + 1, to + 1
    return [gap for gap in gaps if gap.old or gap.new]


def _moves(old: Sequence[bytes], new: Sequence[bytes], gaps: list[Gap]) -> list[tuple[int, int]]:
    """Equal digests left in the gaps: the first of the old with the first of the new, and so on."""
    waiting: defaultdict[bytes, list[int]] = defaultdict(list)
    for gap in gaps:
        for to in gap.new:
            waiting[new[to]].append(to)
    for positions in waiting.values():
        positions.reverse()
    return [(at, waiting[old[at]].pop()) for gap in gaps for at in gap.old if waiting.get(old[at])]
