"""The effective state of hosts: the one place that says whether a host is trusted *now*.

`Host.state` is written when it changes, so it can outlive its evidence while no worker runs. Here a
host that is stored as trusted counts as such only while all its attestations are fresh
(`models.attestation.counts_at`); else it is stale. Normally a worker has swept such hosts, so
the lapsed ones are few and found by an index.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When

from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Attestation, Host, HostEvent
from txt_dashboard.models.attestation import latest_begin
from txt_dashboard.queries.in_force import in_force

MOVES = timedelta(hours=24)
_OTHERS = [state for state in State if state is not State.TRUSTED]


def not_fresh(now: datetime) -> Q:
    """Attestations that do not count now: run out, never begun, or begun in a future that our clock left again."""
    ahead = Q(counts_from__gt=latest_begin(now))
    return Q(valid_until__lte=now) | ahead | Q(valid_until=None) | Q(counts_from=None)


def outlived(now: datetime) -> QuerySet[Attestation]:
    """Attestations by servers whose word counts, that do not count now themselves.

    While what is in force can't be verified none does, also where no worker lives to write that down.
    """
    counting = Attestation.objects.filter(server__counts=True)
    return counting if in_force().refused else counting.filter(not_fresh(now))


def lapsed(now: datetime) -> Q:
    """Hosts stored as trusted whose evidence does not count now."""
    return Q(state=State.TRUSTED, pk__in=outlived(now).values("host"))


def in_state(state: str, now: datetime, *, any_lapsed: bool = True) -> Q:
    """Hosts that are effectively in this state. `any_lapsed` spares the question where a tally has answered it."""
    if not any_lapsed or state not in (State.TRUSTED, State.STALE):
        return Q(state=state)
    if state == State.TRUSTED:
        return Q(state=State.TRUSTED) & ~lapsed(now)
    return Q(state=State.STALE) | lapsed(now)


def with_reason(code: str, now: datetime, *, any_lapsed: bool = True) -> Q:
    """Hosts that are in their effective state for this reason."""
    if not any_lapsed:
        return Q(reason=code)
    if code == Reason.EVIDENCE_EXPIRED.code:
        return Q(reason=code) | lapsed(now)
    return Q(reason=code) & ~lapsed(now)


def with_state(hosts: QuerySet[Host], now: datetime) -> QuerySet[Host]:
    """The hosts with `shown_state` and `shown_reason`, which pages show instead of the stored ones.

    Asked for each host by itself: right for a page of hosts, too dear for all of them.
    """
    own = outlived(now).filter(host=OuterRef("pk"))
    gone = Q(state=State.TRUSTED) & Exists(own)
    return hosts.annotate(
        shown_state=Case(When(gone, then=Value(State.STALE.value)), default=F("state"), output_field=CharField()),
        shown_reason=Case(
            When(gone, then=Value(Reason.EVIDENCE_EXPIRED.code)), default=F("reason"), output_field=CharField()
        ),
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many hosts are in each state, by pool. `lapsed` of the stale ones are still stored as trusted."""

    pools: Mapping[str, Mapping[str, int]]
    lapsed: int

    def of(self, state: str) -> int:
        """Hosts in this state, in all pools."""
        return sum(states.get(state, 0) for states in self.pools.values())

    @property
    def total(self) -> int:
        """All hosts."""
        return sum(sum(states.values()) for states in self.pools.values())


def tally(now: datetime) -> Tally:
    """Counts all hosts by pool and effective state. Two queries."""
    pools: dict[str, Counter[str]] = defaultdict(Counter)
    # Grouped as the index is ordered.
    for state, pool, count in Host.objects.values_list("state", "pool").annotate(Count("pk")).order_by():
        pools[pool][state] += count
    # From the attestations' side: mostly none has lapsed, so no host is looked at.
    stored = outlived(now).exclude(host__state__in=_OTHERS)
    gone = Counter(pool for pool, _ in stored.values_list("host__pool", "host").distinct())
    for pool, count in gone.items():
        pools[pool][State.TRUSTED] -= count
        pools[pool][State.STALE] += count
    return Tally(dict(sorted(pools.items())), gone.total())


def moves(now: datetime, lapsed_hosts: int) -> Mapping[str, int]:
    """By how many hosts each state grew or shrank in the last 24 hours. One query."""
    moved = HostEvent.objects.filter(at__gt=now - MOVES).exclude(state=F("previous_state"))
    grown: Counter[str] = Counter({State.STALE.value: lapsed_hosts, State.TRUSTED.value: -lapsed_hosts})
    for before, after, count in moved.values_list("previous_state", "state").annotate(Count("pk")).order_by():
        grown[before] -= count
        grown[after] += count
    return grown
