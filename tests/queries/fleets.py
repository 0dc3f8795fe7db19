"""Random fleets and reference sets, and an oracle that looks at every host by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tests.factories import GOOD, NOON, baseline, value
from tests.rows import make_server
from txt_dashboard import conf
from txt_dashboard.actions.outcome import COLUMNS, Judged, judge, remember
from txt_dashboard.actions.settle import settle
from txt_dashboard.attest.appraisal import Match, State, agree, appraise, freshness, state_of, valid_until
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Endpoint, Part, Policy, ReferenceSet, Requirement, registers_key
from txt_dashboard.models import Attestation, Host

SERVERS = ("oat-1", "oat-2")
COUNTING = {name: Endpoint(name, "oat-1.6", "http://127.0.0.1:9", "", counts=True) for name in SERVERS}
POOLS = ("az1", "az2", "")
LATER = NOON + timedelta(days=2)
_NEW = {index: value(f"new {index}") for index in (0, 1, 7, 17, 18)}
_SHOWN = {**GOOD, 1: value("good 1")}


@dataclass(frozen=True)
class Said:
    """What one server says of one host, how old it is, and by which rules it was appraised when it came."""

    evidence: Evidence | None
    age: timedelta
    appraised_by: int


@dataclass(frozen=True)
class Made:
    """One host. `unsettled` is what an older program may have left behind."""

    pool: str
    said: dict[str, Said]
    unsettled: bool


@dataclass(frozen=True)
class Fleet:
    """Hosts, by name, and sets of rules; the first is in force."""

    hosts: dict[str, Made]
    sets: tuple[ReferenceSet, ...]


_BASELINES = [
    baseline(part, {at: values[at] for at in indexes}, f"{part} {name} {number}", pools=pools, **dates)
    for part, indexes in ((Part.PLATFORM, (0, 1, 7)), (Part.VMM, (17, 18)))
    for name, values in (("good", _SHOWN), ("new", _NEW))
    for number, (pools, dates) in enumerate(
        [
            (frozenset(), {}),
            (frozenset({"az1"}), {}),
            (frozenset(), {"not_after": NOON + timedelta(days=1)}),
            (frozenset(), {"not_before": NOON + timedelta(days=1)}),
            (frozenset(), {"not_after": NOON}),
        ]
    )
]


_ANYWHERE = range(0, len(_BASELINES), 5)  # those for all pools and times: they decide most


def random_fleet(seed: int) -> Fleet:
    """Up to 24 hosts and three sets of rules. Mostly as it should be: what is wrong must not hide what changes."""
    dice = Random(seed)
    hosts = {f"hv{at}": _host(dice) for at in range(dice.randint(0, 24))}
    before = _set(dice)
    return Fleet(hosts, (before, _varied(dice, before), _varied(dice, before)))


def _host(dice: Random) -> Made:
    servers = dice.choice([SERVERS[:1], SERVERS[:1], SERVERS[1:], SERVERS, ()])
    said = {server: Said(_evidence(dice), _age(dice), dice.choice([0, 0, 0, 1, 2])) for server in servers}
    return Made(dice.choice(POOLS), said, unsettled=dice.random() < 0.2)


def _evidence(dice: Random) -> Evidence | None:
    if dice.random() < 0.05:
        return None
    verdict = dice.choice([Verdict.TRUSTED] * 15 + list(Verdict))
    if dice.random() < 0.05:
        return Evidence(verdict, NOON, finding=Finding(Reason.REPORT_OLDER))
    doubt = Finding(Reason.CLOCK_AHEAD, {"seconds": "9", "limit": "1"}) if dice.random() < 0.05 else None
    kernel, firmware = (dice.choice([_SHOWN, _SHOWN, _NEW]) for _ in range(2))
    shown = {at: (kernel if at in (17, 18) else firmware)[at] for at in _SHOWN if dice.random() < 0.97}
    if dice.random() < 0.2:
        shown[1] = _NEW[1]
    return Evidence(verdict, NOON, {Bank.SHA1: shown}, finding=doubt)


def _age(dice: Random) -> timedelta:
    return timedelta(minutes=dice.choice([1] * 8 + [-1, 3, 5, 10, 30]))


def _policy(dice: Random) -> Policy:
    platform = frozenset(dice.choice([(0, 7)] * 3 + [(0, 1), (0,)]))
    vmm = frozenset(dice.choice([(17, 18)] * 3 + [(18,)]))
    needs = (Requirement(Part.PLATFORM, Bank.SHA1, platform), Requirement(Part.VMM, Bank.SHA1, vmm))
    return Policy(needs, timedelta(minutes=dice.choice([10, 10, 4])), word_is_enough=dice.random() < 0.15)


def _set(dice: Random) -> ReferenceSet:
    chosen = {at for at in range(len(_BASELINES)) if dice.random() < (0.6 if at in _ANYWHERE else 0.1)}
    places = [(server, pool) for server in SERVERS for pool in ("", "az2") if dice.random() < (0.3 if pool else 0.9)]
    policies = {place: _policy(dice) for place in places}
    return ReferenceSet(tuple(_BASELINES[at] for at in sorted(chosen)), policies, COUNTING)


def _varied(dice: Random, base: ReferenceSet) -> ReferenceSet:
    """What a proposal makes of it: a baseline more or less, or another policy; now and then everything else."""
    if dice.random() < 0.1:
        return _set(dice)
    held = {_BASELINES.index(each) for each in base.baselines}
    if dice.random() < 0.8:
        held ^= {dice.choice([*_ANYWHERE, *range(len(_BASELINES))])}
    policies = dict(base.policies)
    if dice.random() < 0.3:
        policies[dice.choice(SERVERS), dice.choice(["", "az2"])] = _policy(dice)
    return ReferenceSet(tuple(_BASELINES[at] for at in sorted(held)), policies, COUNTING)


def write(fleet: Fleet) -> None:
    """Writes the fleet as workers would have, and settles it."""
    servers = {name: make_server(name) for name in SERVERS}
    appraiser = Appraiser()
    hosts = {}
    for name, made in fleet.hosts.items():
        hosts[name] = host = Host.objects.create(name=name, pool=made.pool, since=NOON, created_at=NOON)
        for server, said in made.said.items():
            stored: dict[str, object] = {}
            if said.evidence is not None:
                rules = fleet.sets[said.appraised_by].rules(server, made.pool, NOON)
                stored = _stored(said, judge(said.evidence, rules, appraiser))
            Attestation.objects.create(host=host, server=servers[server], due_at=NOON, **stored)
    settle([host.pk for host in hosts.values()], now=NOON)
    for at, (name, made) in enumerate(fleet.hosts.items()):
        if made.unsettled:
            Host.objects.filter(name=name).update(evidence_key="" if at % 2 else "of something else")


def naive(made: Made, rules: ReferenceSet, moment: datetime, *, fresh: bool = False) -> State:
    """One host's state by one set: every server's evidence appraised by itself."""
    return agree([_state(said, server, made.pool, rules, moment, fresh=fresh) for server, said in made.said.items()])


def names(fleet: Fleet, before: Iterable[State], after: Iterable[State]) -> tuple[set[str], set[str]]:
    """The hosts that become trusted, and those that are trusted no more."""
    gained, lost = set(), set()
    for name, was, becomes in zip(fleet.hosts, before, after, strict=True):
        if (was is State.TRUSTED) != (becomes is State.TRUSTED):
            (lost if was is State.TRUSTED else gained).add(name)
    return gained, lost


def _stored(said: Said, judged: Judged) -> dict[str, object]:
    remember([judged], NOON)
    stored = dict(zip(COLUMNS, judged.stored(registers_key(judged.evidence.registers)), strict=True))
    begins = NOON - said.age
    times = {"counts_from": begins, "valid_until": begins + timedelta(hours=1)}
    shown = {"platform_id": stored.pop("platform"), "vmm_id": stored.pop("vmm")}
    return {**stored, **shown, **times}


def _state(said: Said, server: str, pool: str, reference: ReferenceSet, moment: datetime, *, fresh: bool) -> State:
    if said.evidence is None:
        return State.UNKNOWN
    rules = reference.rules(server, pool, moment)
    if rules is None:
        return state_of(Match.UNDETERMINED, freshness(NOON, LATER, NOON, answered=True))
    result = appraise(said.evidence, rules)
    begins = NOON if fresh else NOON - said.age
    until = valid_until(begins, rules.policy.validity, result.baselines_end)
    return state_of(result.match, freshness(begins, until, NOON, answered=True, tolerance=conf.clock_tolerance()))
