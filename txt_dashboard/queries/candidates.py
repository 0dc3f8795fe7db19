"""What could be proposed as a baseline: what a host shows, what hosts that drifted alike show, and on the first day
all that hosts show and nobody approved.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from txt_dashboard.attest.appraisal import Outcome, PartAppraisal
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.draft import LONGEST_NAME, Draft, refusals
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Baseline, Measurement, ReferenceSet, Rules
from txt_dashboard.models import Attestation, Host
from txt_dashboard.queries.census import Kind, chunks, may_vary, take_census
from txt_dashboard.queries.logs import KeptLogs

SHOWN = 20
EXAMPLES = 3
_FIRST = frozenset({Reason.NO_BASELINE, Reason.BASELINE_INCOMPLETE})

Wanted = Callable[[PartAppraisal], bool]
_Appraised = tuple[str, Measurement, PartAppraisal]  # a server, what it shows of a part, and what becomes of that


@dataclass(frozen=True, slots=True)
class Candidate:
    """Values that hosts show of one part, as a draft for all pools.

    `finding` says why no approved baseline covers them, or is `None` where they match `closest`. `refused` says why
    they can't be proposed. `key` is the measurement's.
    """

    key: str
    draft: Draft
    finding: Finding | None
    closest: Baseline | None
    hosts: int
    pools: tuple[str, ...]
    servers: tuple[str, ...]
    examples: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirstDay:
    """A page of candidates, those of most hosts first; the next one begins behind `after`, "" where none is left.

    Of all `hosts` that policies speak of, `covered` have something approved to be compared with in every part.
    """

    candidates: tuple[Candidate, ...]
    total: int
    after: str
    hosts: int
    covered: int


@dataclass(slots=True)
class _Found:
    """One measurement, while the hosts that show it are counted."""

    measurement: Measurement
    appraised: PartAppraisal
    hosts: int = 0
    pools: set[str] = field(default_factory=set)
    servers: set[str] = field(default_factory=set)
    lowest: list[int] = field(default_factory=list)  # ids of hosts

    @property
    def rank(self) -> tuple[int, str]:
        """By how many hosts show it, the most first."""
        return -self.hosts, self.measurement.key


def of_host(host: Host, reference: ReferenceSet, now: datetime) -> tuple[Candidate, ...]:
    """What this host shows of each part that policies require, whether it matches or not. At most seven queries."""
    found = _Counted(reference, now, lambda _: True)
    found.count(take_census(Host.objects.filter(pk=host.pk)).kinds)
    return _candidates(found.ranked(), reference)


def of_group(drift_key: str, reference: ReferenceSet, now: datetime) -> tuple[Candidate, ...]:
    """What hosts that drifted alike show of the parts that differ. At most eight queries, for any group.

    What another server says of the same hosts is no part of it.
    """
    drifted = Attestation.objects.filter(drift_key=drift_key) if drift_key else Attestation.objects.none()
    alike = {key for pair in drifted.values_list("platform", "vmm").distinct() for key in pair}
    found = _Counted(reference, now, lambda part: part.outcome is Outcome.DIFFERS)
    found.count(take_census(Host.objects.filter(pk__in=drifted.values("host"))).kinds)
    return tuple(each for each in _candidates(found.ranked(), reference) if each.key in alike)


def first_day(reference: ReferenceSet, now: datetime, *, after: str = "", differing: bool = False) -> FirstDay:
    """What hosts show of parts for which nothing is approved yet, in a handful of candidates.

    With `differing` also what differs from all that is approved: after the first approval that is what other hosts
    show. Raises `ValueError` for an `after` that makes no sense. At most seven queries, for any fleet.
    """

    def wanted(part: PartAppraisal) -> bool:
        return _nothing_approved(part) or (differing and part.outcome is Outcome.DIFFERS)

    behind = _rank(after) if after else None
    found = _Counted(reference, now, wanted)
    found.count(take_census().kinds)
    ranked = found.ranked()
    rest = [each for each in ranked if behind is None or each.rank > behind]
    page = rest[:SHOWN]
    following = f"{page[-1].hosts}~{page[-1].measurement.key}" if len(rest) > SHOWN else ""
    return FirstDay(_candidates(page, reference), len(ranked), following, found.hosts, found.covered)


class _Counted:
    """Hosts by what they show of each part, as far as that is wanted."""

    def __init__(self, reference: ReferenceSet, now: datetime, wanted: Wanted) -> None:
        self.hosts = self.covered = 0
        self._reference, self._now, self._wanted = reference, now, wanted
        self._logs = KeptLogs()
        self._appraiser = Appraiser(self._logs)
        self._rules: dict[tuple[str, str], Rules | None] = {}
        self._appraised: dict[tuple[object, ...], list[_Appraised]] = {}
        self._found: dict[str, _Found] = {}

    def ranked(self) -> list[_Found]:
        """All that was found, that of most hosts first."""
        return sorted(self._found.values(), key=lambda found: found.rank)

    def count(self, kinds: Sequence[Kind]) -> None:
        """Appraises each kind in each of its pools."""
        if any(baseline.events for baseline in self._reference.baselines):
            self._logs.fetch(may_vary(kinds))
        for kind in kinds:
            for pool in kind.pools:
                self._count(kind, pool)

    def _count(self, kind: Kind, pool: str) -> None:
        count, lowest = kind.pools[pool]
        rules = [self._rules_of(witness.server, pool) for witness in kind.witnesses]
        case = kind, *(each.key if each else "" for each in rules)
        if case not in self._appraised:
            self._appraised[case] = list(self._appraise(kind, rules))
        appraised = self._appraised[case]
        if not appraised:
            return
        self.hosts += count
        self.covered += 0 if any(_nothing_approved(part) for _, _, part in appraised) else count
        counted: set[str] = set()  # two servers may show the same of a host
        for server, measurement, part in appraised:
            if _complete(part) and self._wanted(part):
                found = self._found.setdefault(measurement.key, _Found(measurement, part))
                found.servers.add(server)
                if measurement.key not in counted:
                    counted.add(measurement.key)
                    found.hosts += count
                    found.pools.add(pool)
                    found.lowest.append(lowest)

    def _appraise(self, kind: Kind, rules: Sequence[Rules | None]) -> Iterator[_Appraised]:
        for witness, of_server in zip(kind.witnesses, rules, strict=True):
            if witness.evidence and of_server:
                for measurement, part in self._appraiser.appraise(witness.evidence, of_server).pairs:
                    yield witness.server, measurement, part

    def _rules_of(self, server: str, pool: str) -> Rules | None:
        if (server, pool) not in self._rules:
            self._rules[server, pool] = self._reference.rules(server, pool, self._now)
        return self._rules[server, pool]


def _candidates(found: Sequence[_Found], reference: ReferenceSet) -> tuple[Candidate, ...]:
    examples = {each.measurement.key: sorted(each.lowest)[:EXAMPLES] for each in found}
    names: dict[int, str] = {}
    for some in chunks({host for hosts in examples.values() for host in hosts}):
        names |= dict(Host.objects.filter(pk__in=some).values_list("pk", "name"))
    candidates = []
    for each in found:
        shown = each.measurement
        hosts = tuple(names[host] for host in examples[shown.key] if host in names)
        name = f"{shown.part} of {hosts[0]}" if hosts else shown.part.value
        draft = Draft(name[:LONGEST_NAME], shown.part, shown.bank, shown.values)
        candidates.append(
            Candidate(
                key=shown.key,
                draft=draft,
                finding=each.appraised.finding,
                closest=each.appraised.baseline,
                hosts=each.hosts,
                pools=tuple(sorted(each.pools)),
                servers=tuple(sorted(each.servers)),
                examples=hosts,
                refused=refusals(draft, reference.policies),
            )
        )
    return tuple(candidates)


def _nothing_approved(part: PartAppraisal) -> bool:
    return part.finding is not None and part.finding.reason in _FIRST


def _complete(part: PartAppraisal) -> bool:
    """Whether all registers that are required were shown."""
    return part.finding is None or part.finding.reason is not Reason.REGISTERS_MISSING


def _rank(after: str) -> tuple[int, str]:
    hosts, separator, key = after.partition("~")
    if not separator or not (hosts.isascii() and hosts.isdigit() and len(hosts) <= 9):
        raise ValueError("this is not where a page of candidates begins")
    return -int(hosts), key
