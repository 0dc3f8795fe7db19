"""What a change of the reference values would do: which hosts gain or lose trust, by the appraisal that judges them.

It costs one appraisal for each distinct measurement, however many hosts show it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256

from django.db.models import Q, QuerySet

from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.reference import Part, ReferenceSet, measurement_key
from txt_dashboard.models import Attestation, Host
from txt_dashboard.queries.ages import Aged, aged_hosts
from txt_dashboard.queries.census import Kind, may_vary, split, take_census
from txt_dashboard.queries.fate import Change, Fate, Judge
from txt_dashboard.queries.logs import KeptLogs

EXAMPLES = 5

Counts = Mapping[Change, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts of one kind and pool that something changes for in the same way.

    They are the hosts with this evidence key and pool but for those `without`; where `hosts` names ids, those.
    """

    change: Change
    key: str
    pool: str
    count: int
    hosts: tuple[int, ...] = ()
    without: tuple[int, ...] = ()


@dataclass(frozen=True)
class Impact:
    """How many hosts gain or lose trust: in all, by pool, and by the parts that decide it.

    A host that two parts decide for counts for both. `moves` counts hosts whose state changes, by the states before
    and after. `examples` names a few hosts for each change.
    """

    hosts: int
    counts: Counts
    pools: Mapping[str, Counts]
    parts: Mapping[Part, Counts]
    moves: Mapping[tuple[State, State], int]
    examples: Mapping[Change, tuple[str, ...]]
    groups: tuple[Group, ...] = field(repr=False)

    def __getitem__(self, change: Change) -> int:
        return self.counts.get(change, 0)

    @property
    def unchanged(self) -> int:
        """Hosts that neither gain nor lose trust now."""
        return self.hosts - self[Change.GAINED] - self[Change.LOST]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is shown of hosts that something changes for, in hex: equal digests, the same was shown.

        Hosts that nothing changes for are left out, or every newly found host would call approvals into question.
        """
        shown = {
            "counts": dict(self.counts),
            "pools": {pool: dict(counts) for pool, counts in self.pools.items()},
            "parts": {part.value: dict(counts) for part, counts in self.parts.items()},
            "moves": {f"{before} {after}": count for (before, after), count in self.moves.items()},
            "examples": {change.value: names for change, names in self.examples.items()},
        }
        return sha256(b"txt-dashboard impact 1\n" + json.dumps(shown, sort_keys=True).encode()).hexdigest()


def impact(
    before: ReferenceSet,
    after: ReferenceSet,
    now: datetime,
    *,
    at: datetime | None = None,
    appraiser: Appraiser | None = None,
) -> Impact:
    """What `after` would do to hosts in the place of `before`, by the evidence that counts at `now`.

    `at` is a later moment by which `after` is judged instead, where dates of its baselines matter. The number of
    queries does not grow with the fleet: three for the census, one for evidence that ran out, and at most five for
    the examples of each change; one more where registers may vary by their events. Changed policies cost two more
    where they require registers that none required.
    """
    logs = KeptLogs()
    judge = Judge((before, now), (after, at or now), appraiser or Appraiser(logs))
    census = take_census()
    kinds = _told_apart(census.kinds, judge)
    if any(baseline.events for side in (before, after) for baseline in side.baselines):
        logs.fetch(may_vary(kinds))
    hosts = sum(kind.count for kind in kinds) + sum(census.silent.values())
    tally = _Tally()
    aged = aged_hosts(kinds, judge.validities, now)
    for kind in kinds:
        for pool in kind.pools:
            _judge(kind, pool, aged.get((kind, pool), {}), judge, tally)
    groups = sorted(tally.groups, key=lambda group: (-group.count, group.key, group.pool))
    pools = {pool: dict(tally.pools[pool]) for pool in sorted(tally.pools)}
    parts = {part: dict(tally.parts[part]) for part in Part if part in tally.parts}
    examples = {change: _examples(of_change) for change in Change if (of_change := _of(groups, change))}
    return Impact(hosts, dict(tally.counts), pools, parts, dict(tally.moves), examples, tuple(groups))


def stragglers(reference: ReferenceSet, now: datetime, at: datetime) -> Impact:
    """What the dates of baselines do until `at`: hosts that lose trust then, as they are now, are the stragglers."""
    return impact(reference, reference, now, at=at)


def turning_points(before: ReferenceSet, after: ReferenceSet, now: datetime) -> tuple[datetime, ...]:
    """The moments to come at which a baseline begins or ends that only one of the sets holds, ascending."""
    known = {each.key: each for each in before.baselines}
    other = {each.key: each for each in after.baselines}
    differing = [(known.get(key) or other[key]) for key in known.keys() ^ other.keys()]
    moments = {moment for each in differing for moment in (each.not_before, each.not_after)}
    return tuple(sorted(moment for moment in moments if moment is not None and moment > now))


def affected(found: Impact, change: Change) -> QuerySet[Host]:
    """All hosts that this changes for, to be paged by `queries.table.page`."""
    groups = _of(found.groups, change)
    named = [host for group in groups for host in group.hosts]
    without = [host for group in groups for host in group.without]
    by_pool: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        if not group.hosts:
            by_pool[group.pool].append(group.key)
    chosen = Q(pk__in=named)
    for pool, keys in by_pool.items():
        chosen |= Q(pool=pool, evidence_key__in=keys) & ~Q(pk__in=without)
    return Host.objects.filter(chosen)


def showing(reference: ReferenceSet, part: Part, bank: Bank, values: Values) -> int:
    """How many hosts show exactly these values in all registers that a policy of the set requires of the part."""
    required = {
        need.registers for policy in reference.policies.values() for need in policy.requirements
        if need.part is part and need.bank is bank and need.registers <= values.keys()
    }  # fmt: skip
    keys = [measurement_key(part, bank, {index: values[index] for index in registers}) for registers in required]
    column = "platform__in" if part is Part.PLATFORM else "vmm__in"
    shown = Attestation.objects.filter(counts_from__isnull=False, **{column: keys})
    return shown.values("host").distinct().count()


@dataclass(slots=True)
class _Tally:
    """What has been counted so far."""

    counts: Counter[Change] = field(default_factory=Counter)
    pools: dict[str, Counter[Change]] = field(default_factory=lambda: defaultdict(Counter))
    parts: dict[Part, Counter[Change]] = field(default_factory=lambda: defaultdict(Counter))
    moves: Counter[tuple[State, State]] = field(default_factory=Counter)
    groups: list[Group] = field(default_factory=list)

    def add(
        self,
        fate: Fate | None,
        key: str,
        pool: str,
        count: int,
        *,
        hosts: tuple[int, ...] = (),
        without: tuple[int, ...] = (),
    ) -> None:
        """Counts hosts that share a fate."""
        if fate is None or count <= 0:
            return
        if fate.before.actual is not fate.after.actual:
            self.moves[fate.before.actual, fate.after.actual] += count
        if fate.change is None:
            return
        self.counts[fate.change] += count
        self.pools[pool][fate.change] += count
        for part in fate.parts:
            self.parts[part][fate.change] += count
        self.groups.append(Group(fate.change, key, pool, count, hosts, without))


def _told_apart(kinds: Sequence[Kind], judge: Judge) -> list[Kind]:
    """The kinds, those among them split of which more decides than was measured."""
    undecided = {kind: registers for kind in kinds if (registers := judge.undecided(kind))}
    if not undecided:
        return list(kinds)
    return [kind for kind in kinds if kind not in undecided] + split(undecided)


def _judge(kind: Kind, pool: str, aged: Aged, judge: Judge, tally: _Tally) -> None:
    """Counts the hosts of one kind and pool: those with fresh evidence, and the others by what ran out."""
    old = frozenset(host for hosts in aged.values() for host in hosts)
    young = tuple(host for host, of_pool in kind.hosts.items() if of_pool == pool and host not in old)
    count = kind.pools[pool][0] - len(old)
    tally.add(judge.fate(kind, pool), kind.key, pool, count, hosts=young, without=tuple(sorted(old)))
    for ages, hosts in aged.items():
        tally.add(judge.fate(kind, pool, ages), kind.key, pool, len(hosts), hosts=tuple(hosts))


def _of(groups: Iterable[Group], change: Change) -> list[Group]:
    return [group for group in groups if group.change is change]


def _examples(groups: Iterable[Group]) -> tuple[str, ...]:
    """Hosts of the largest groups: a query for each, until there are enough."""
    names: list[str] = []
    for group in groups:
        left = EXAMPLES - len(names)
        if not left:
            break
        hosts = Host.objects.filter(evidence_key=group.key, pool=group.pool).exclude(pk__in=group.without)
        if group.hosts:
            hosts = Host.objects.filter(pk__in=group.hosts[:left])
        names += hosts.order_by("pk").values_list("name", flat=True)[:left]
    return tuple(names)
