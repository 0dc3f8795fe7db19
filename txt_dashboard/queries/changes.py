"""What changed: hosts that left their baselines, grouped by identical values of what differs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, Min

from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.eventlog.why import sentence
from txt_dashboard.attest.pcr import Difference
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.models import Attestation
from txt_dashboard.queries.closest import Compared, compare
from txt_dashboard.queries.why import whys

SHOWN = 8
_SERVER_ONLY = (Reason.SERVER_UNTRUSTED.code, Reason.SERVER_UNTRUSTED_ALONE.code)


@dataclass(frozen=True, slots=True)
class Change:
    """Hosts that are untrusted for the same cause."""

    hosts: int
    first: datetime
    last: datetime
    reason: str
    pools: tuple[str, ...] = ()
    group: str = ""  # the drift key, empty where only the server says untrusted
    server: str = ""
    registers: tuple[int, ...] = ()
    differences: tuple[Difference, ...] = ()
    why: str = ""  # what the logs say, in a sentence


@dataclass(frozen=True, slots=True)
class Changes:
    """The largest groups, and how many more there are."""

    shown: tuple[Change, ...]
    more: int


@dataclass(slots=True)
class _Group:
    """Attestations with the same drift key, whatever their pools."""

    key: str
    example: int
    first: datetime
    last: datetime
    hosts: int = 0
    pools: list[str] = field(default_factory=list)


def changes(reference: ReferenceSet, now: datetime) -> Changes:
    """Groups of hosts that drifted alike, and of hosts that only their server calls untrusted. Five queries."""
    groups = sorted(_groups(), key=lambda group: (-group.hosts, group.key))
    shown = groups[:SHOWN]
    examples = Attestation.objects.filter(pk__in=[group.example for group in shown])
    of_group = {each.pk: each for each in examples.select_related("host", "server").defer("others", "details")}
    compared = compare(of_group.values(), reference, now)
    told = _whys(compared)
    drifted = [
        _change(group, of_group[group.example], compared[group.example], told.get(group.example, ""))
        for group in shown
    ]
    return Changes((*drifted, *_by_word()), len(groups) - len(shown))


def _groups() -> Iterable[_Group]:
    rows = (
        Attestation.objects.filter(server__counts=True)
        .exclude(drift_key="")
        .values_list("drift_key", "host__pool")
        .annotate(Min("id"), Min("host__since"), Max("host__since"), Count("host", distinct=True))
        .order_by("host__pool")
    )
    groups: dict[str, _Group] = {}
    for key, pool, example, first, last, hosts in rows:
        group = groups.setdefault(key, _Group(key, example, first, last))
        group.first, group.last = min(group.first, first), max(group.last, last)
        group.hosts += hosts
        group.pools.append(pool)
    return groups.values()


def _whys(compared: Mapping[int, Compared]) -> dict[int, str]:
    """What the logs say of each example, where there are logs of its values and of the golden ones."""
    pairs = [(id_, pair) for id_, each in compared.items() for pair in each.pairs]
    clauses: dict[int, list[str]] = defaultdict(list)
    for (id_, _), by_register in zip(pairs, whys([pair for _, pair in pairs]), strict=True):
        said = clauses[id_]
        said += [each for change in by_register.values() for each in change.clauses if each not in said]
    return {id_: sentence(said) for id_, said in clauses.items() if said}


def _change(group: _Group, example: Attestation, compared: Compared, why: str) -> Change:
    return Change(
        hosts=group.hosts,
        first=group.first,
        last=group.last,
        reason=example.reason,
        pools=tuple(group.pools),
        group=group.key,
        server=example.server.name,
        registers=tuple(example.differing),
        differences=tuple(difference for part in compared.parts for difference in part.differences),
        why=why,
    )


def _by_word() -> list[Change]:
    rows = (
        Attestation.objects.filter(
            host__state=State.UNTRUSTED, drift_key="", reason__in=_SERVER_ONLY, server__counts=True
        )
        .values("server__name", "reason")
        .annotate(hosts=Count("id"), first=Min("host__since"), last=Max("host__since"))
        .order_by("-hosts", "server__name")
    )
    return [
        Change(row["hosts"], row["first"], row["last"], row["reason"], server=row["server__name"]) for row in rows
    ]
