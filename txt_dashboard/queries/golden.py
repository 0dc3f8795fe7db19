"""What is in force, as people look at it: baselines with the hosts that show them, policies, and servers."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Q, QuerySet

from txt_dashboard.attest.entries import PolicyOf, policy_id, server_id
from txt_dashboard.attest.reference import Baseline, Endpoint, Part, ReferenceSet, measurement_key
from txt_dashboard.attest.signed_set import SignedSet
from txt_dashboard.models import Attestation, Host, Server
from txt_dashboard.models import SignedSet as SignedSetRow
from txt_dashboard.queries.in_force import InForce

PAGE = 50
SHORTEST_VALUE = 6  # digits, as in the search for hosts
_COLUMN = {Part.PLATFORM: "platform_id", Part.VMM: "vmm_id"}


class Phase(StrEnum):
    """Where a baseline is in its dates."""

    IN_FORCE = "in force"
    COMING = "coming"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Held:
    """One baseline of the set. `hosts` show exactly its values in all that a policy requires of its part.

    Of one that has ended they are its stragglers: hosts whose values nothing else in force allows them.
    `until` is the end of an emergency by which it is what it is.
    """

    baseline: Baseline
    phase: Phase
    hosts: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """When the set in force was signed, and by which key."""

    signed_at: datetime
    key_id: str


@dataclass(frozen=True, slots=True)
class Urgent:
    """An entry that holds by an emergency approval, until when."""

    entry_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A server: where people approved it to be, where its row says that it is, and whether its word counts."""

    name: str
    pk: int | None  # of its row
    url: str
    approved: bool
    counts: bool

    @property
    def entry_id(self) -> str:
        """Of its entry in the set."""
        return server_id(self.name)


def signature_of(number: int) -> Signature | None:
    """Of the set with this number. One query."""
    row = SignedSetRow.objects.filter(number=number).values_list("signed_at", "key_id").first()
    return Signature(*row) if row else None


def emergencies(held: SignedSet, now: datetime) -> tuple[Urgent, ...]:
    """What holds by an emergency approval at this moment. No query."""
    return tuple(Urgent(id_, until) for id_, until in held.emergencies.items() if until > now)


def baselines(current: InForce, now: datetime) -> tuple[Held, ...]:
    """All of the set, by part and name, without their hosts. No query."""
    until = {each.entry_id: each.until for each in emergencies(current.set, now)}
    found = [Held(each, phase_of(each, now), until=until.get(each.id)) for each in current.reference.baselines]
    order = list(Part)
    return tuple(sorted(found, key=lambda each: (order.index(each.baseline.part), each.baseline.name)))


def phase_of(baseline: Baseline, now: datetime) -> Phase:
    """Where it is in its dates; the end is exclusive."""
    if baseline.not_after and now >= baseline.not_after:
        return Phase.ENDED
    return Phase.COMING if baseline.not_before and now < baseline.not_before else Phase.IN_FORCE


def search(found: Iterable[Held], text: str) -> tuple[Held, ...]:
    """Those with this in their name or pools, or with a register's value that begins so."""
    wanted = text.lower()
    return tuple(each for each in found if _matches(each.baseline, wanted))


def counted(page: Sequence[Held], reference: ReferenceSet, now: datetime) -> tuple[Held, ...]:
    """The same with their hosts. One query a part, however many hosts there are.

    A host counts once for each distinct set of registers that policies of its servers require.
    """
    keys = [keys_of(each.baseline, reference) for each in page]
    shown = _shown({key for of_one in keys for key in of_one})
    allowed: dict[str, list[Baseline]] = defaultdict(list)
    if any(each.phase is Phase.ENDED for each in page):
        for each in reference.baselines:
            if phase_of(each, now) is Phase.IN_FORCE:
                for key in keys_of(each, reference):
                    allowed[key].append(each)
    return tuple(
        Held(each.baseline, each.phase, _hosts(each, of_one, shown, allowed, now), each.until)
        for each, of_one in zip(page, keys, strict=True)
    )


def keys_of(baseline: Baseline, reference: ReferenceSet) -> frozenset[str]:
    """The keys of the measurements that match the baseline, one for each set of registers that is required."""
    needs = {need for policy in reference.policies.values() for need in policy.requirements}
    covered = {need.registers for need in needs if baseline.covers(need)}
    return frozenset(
        measurement_key(baseline.part, baseline.bank, {index: baseline.values[index] for index in registers})
        for registers in covered
    )


def showing(baseline: Baseline, reference: ReferenceSet) -> QuerySet[Host]:
    """The hosts in its scope that show exactly its values to a server that counts."""
    keys = keys_of(baseline, reference)
    column = _COLUMN[baseline.part]
    shown = Attestation.objects.filter(_heard(), **{f"{column}__in": keys})
    hosts = Host.objects.filter(pk__in=shown.values("host"))
    return hosts.filter(pool__in=baseline.pools) if baseline.pools else hosts


def policies(reference: ReferenceSet) -> tuple[tuple[str, PolicyOf], ...]:
    """All policies with the ids of their entries, by server and pool."""
    return tuple(
        (policy_id(server, pool), PolicyOf(server, pool, policy))
        for (server, pool), policy in sorted(reference.policies.items())
    )


def servers(reference: ReferenceSet) -> tuple[Standing, ...]:
    """All servers of the set and all others that are there, by name. One query."""
    rows = {row.name: row for row in Server.objects.only("name", "url")}
    return tuple(
        _standing(name, rows.get(name), reference.servers.get(name)) for name in sorted({*rows, *reference.servers})
    )


def _standing(name: str, row: Server | None, approved: Endpoint | None) -> Standing:
    url = approved.url if approved else row.url if row else ""
    counts = approved is not None and approved.counts
    return Standing(name, row.pk if row else None, url, approved is not None, counts)


def _matches(baseline: Baseline, wanted: str) -> bool:
    if wanted in baseline.name.lower() or any(wanted in pool.lower() for pool in baseline.pools):
        return True
    long_enough = len(wanted) >= SHORTEST_VALUE
    return long_enough and any(value.hex().startswith(wanted) for value in baseline.values.values())


def _heard() -> Q:
    return Q(server__counts=True, counts_from__isnull=False)


def _shown(keys: Collection[str]) -> Mapping[str, Counter[str]]:
    """How many hosts of each pool show each of these measurements."""
    shown: dict[str, Counter[str]] = defaultdict(Counter)
    for column in _COLUMN.values():
        rows = Attestation.objects.filter(_heard(), **{f"{column}__in": keys}) if keys else Attestation.objects.none()
        grouped = rows.values_list(column, "host__pool").annotate(Count("host", distinct=True)).order_by()
        for key, pool, count in grouped:
            shown[key][pool] += count
    return shown


def _hosts(
    held: Held,
    keys: Iterable[str],
    shown: Mapping[str, Counter[str]],
    allowed: Mapping[str, Sequence[Baseline]],
    now: datetime,
) -> int:
    total = 0
    for key in keys:
        for pool, count in shown.get(key, {}).items():
            in_scope = not held.baseline.pools or pool in held.baseline.pools
            strays = held.phase is not Phase.ENDED or not any(each.applies(pool, now) for each in allowed[key])
            total += count if in_scope and strays else 0
    return total
