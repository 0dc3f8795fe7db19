"""The fleet as rules see it: hosts by kind of evidence, however many there are of each kind.

Hosts of one kind are judged alike, so a question about the fleet costs as many appraisals as there are kinds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from django.db.models import Count, Min, Q, QuerySet

from txt_dashboard.attest.alike import Said, evidence_key
from txt_dashboard.attest.appraisal import Match
from txt_dashboard.attest.eventlog.varying import REGISTERS
from txt_dashboard.attest.evidence import Evidence, Verdict, Voucher
from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import registers_key
from txt_dashboard.models import Attestation, Host
from txt_dashboard.models import Measurement as MeasurementRow

CHUNK = 5000  # values in one condition
NOTHING_SHOWN = registers_key({})
_ANY_TIME = datetime.min.replace(tzinfo=UTC)  # evidence's date was judged when it came

Register = tuple[Bank, int]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Witness:
    """What one server says and shows of all hosts of a kind; `evidence` is `None` where it never gave any.

    `match` and `reason` are what was concluded under the rules named by `rules_key`. The evidence holds the
    registers that are `measured`; others may be kept of each host (see `split`).
    """

    server: str
    evidence: Evidence | None
    measured: frozenset[Register] = frozenset()
    rules_key: str = ""
    match: Match = Match.UNDETERMINED
    reason: Reason = Reason.NEVER_ATTESTED


@dataclass(frozen=True, eq=False)
class Kind:
    """Hosts that are judged alike, by pool: how many, and the lowest id of each pool.

    `key` is the evidence key; where `hosts` names them one by one, the key alone does not tell them from others.
    """

    key: str
    witnesses: tuple[Witness, ...]
    pools: Mapping[str, tuple[int, int]]  # pool -> (count, lowest id)
    hosts: Mapping[int, str] = field(default_factory=dict)  # id -> pool

    @property
    def count(self) -> int:
        """How many hosts there are of this kind."""
        return sum(count for count, _ in self.pools.values())


@dataclass(frozen=True, slots=True)
class Census:
    """All kinds, and how many hosts of each pool have no evidence from anybody."""

    kinds: tuple[Kind, ...]
    silent: Mapping[str, int]


class _Row(NamedTuple):
    """An attestation as far as it tells kinds apart."""

    host_id: int
    server_id: int
    verdict: str
    voucher: str
    doubt: Mapping[str, object] | None
    platform_id: str | None
    vmm_id: str | None
    server: str
    rules_key: str
    match: str
    reason: str
    ever: bool

    @property
    def said(self) -> Said:
        doubt = str(self.doubt["code"]) if self.doubt else ""
        return Said(self.server_id, self.ever, self.verdict, self.voucher, doubt, self.platform_id, self.vmm_id)


_COLUMNS = tuple("server__name" if name == "server" else name for name in _Row._fields)


def take_census(among: QuerySet[Host] | None = None) -> Census:
    """Counts the fleet, or some hosts. Three queries, and three more where there are some that no worker settled."""
    pools: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    hosts = Host.objects.all() if among is None else among
    grouped = hosts.values_list("evidence_key", "pool").annotate(Count("pk"), Min("pk")).order_by()
    for key, pool, count, lowest in grouped:
        pools[key][pool] = count, lowest
    examples = {key: min(lowest for _, lowest in pools[key].values()) for key in pools if key}
    said = _said_of(examples.values())
    # A host may have moved on since it was counted: then it is no example, and its kind is looked at host by host.
    moved = {key for key, host in examples.items() if evidence_key(row.said for row in said.get(host, ())) != key}
    single = _unsettled({"", *moved}, among) if moved or "" in pools else {}
    silent: Counter[str] = Counter()
    for key in {"", *moved}:
        silent.update({pool: count for pool, (count, _) in pools.get(key, {}).items()})
    silent.subtract(single.values())
    shown = _measured(said)
    kinds = [
        Kind(key, tuple(_witness(row, shown) for row in said[host]), pools[key])
        for key, host in examples.items()
        if key not in moved
    ]
    return Census((*kinds, *_one_by_one(single)), +silent)


def split(kinds: Mapping[Kind, frozenset[Register]]) -> list[Kind]:
    """Kinds of which registers decide that no rule required so far: hosts are told apart by those, too.

    Reads the latest values of every host concerned. Two queries for 5,000 kinds or hosts.
    """
    others = _others(kinds)
    found: list[Kind] = []
    for kind, registers in kinds.items():
        asked = sorted(registers)
        alike: dict[tuple[object, ...], dict[int, str]] = defaultdict(dict)
        for host, pool in (kind.hosts or others.pools[kind.key]).items():
            values = others.values.get(host, {})
            alike[tuple(_value(values.get(each.server), at) for each in kind.witnesses for at in asked)][host] = pool
        for hosts in alike.values():
            values = others.values.get(next(iter(hosts)), {})
            witnesses = tuple(_completed(each, values.get(each.server, {}), asked) for each in kind.witnesses)
            found.append(_named(kind.key, witnesses, hosts))
    return found


def may_vary(kinds: Iterable[Kind]) -> Iterator[tuple[Bank, int, bytes]]:
    """Values that quotes have proven, of registers that baselines may let vary by their events."""
    for kind in kinds:
        for witness in kind.witnesses:
            if witness.evidence is not None and witness.evidence.is_proven:
                for bank, values in witness.evidence.registers.items():
                    yield from ((bank, index, values[index]) for index in REGISTERS & values.keys())


def chunks(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    """The items, as many at once as one query may name."""
    everything = list(items)
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]


def _said_of(hosts: Iterable[int]) -> dict[int, list[_Row]]:
    """What servers say of these hosts."""
    ever = Q(counts_from__isnull=False, valid_until__isnull=False)
    attestations = Attestation.objects.order_by("server__name").annotate(ever=ever)
    said: dict[int, list[_Row]] = defaultdict(list)
    for some in chunks(hosts):
        for row in map(_Row._make, attestations.filter(host__in=some).values_list(*_COLUMNS)):
            said[row.host_id].append(row)
    return said


def _unsettled(keys: Iterable[str], among: QuerySet[Host] | None) -> dict[int, str]:
    """Hosts with evidence whose key says nothing, and their pools."""
    heard = Attestation.objects.filter(counts_from__isnull=False, host__evidence_key__in=keys)
    if among is not None:
        heard = heard.filter(host__in=among)
    return dict(heard.values_list("host_id", "host__pool"))


def _one_by_one(hosts: Mapping[int, str]) -> list[Kind]:
    """The kinds of these hosts (id -> pool), whatever their keys say."""
    said = _said_of(hosts)
    shown = _measured(said)
    alike: dict[str, dict[int, str]] = defaultdict(dict)
    for host, rows in said.items():
        alike[evidence_key(row.said for row in rows)][host] = hosts[host]
    return [
        _named(key, tuple(_witness(row, shown) for row in said[next(iter(of_kind))]), of_kind)
        for key, of_kind in alike.items()
    ]


def _named(key: str, witnesses: tuple[Witness, ...], hosts: Mapping[int, str]) -> Kind:
    pools: dict[str, tuple[int, int]] = {}
    for host, pool in hosts.items():
        count, lowest = pools.get(pool, (0, host))
        pools[pool] = count + 1, min(lowest, host)
    return Kind(key, witnesses, pools, hosts)


def _measured(said: Mapping[int, Sequence[_Row]]) -> dict[str, tuple[Bank, Values]]:
    """The values of all measurements that are named."""
    keys = {key for rows in said.values() for row in rows for key in (row.platform_id, row.vmm_id) if key}
    return {
        key: (Bank(bank), {int(index): bytes.fromhex(value) for index, value in values.items()})
        for some in chunks(keys)
        for key, bank, values in MeasurementRow.objects.filter(key__in=some).values_list("key", "bank", "values")
    }


def _witness(row: _Row, shown: Mapping[str, tuple[Bank, Values]]) -> Witness:
    if not row.ever:
        return Witness(row.server, None)
    registers: dict[Bank, dict[int, bytes]] = {}
    for key in (row.platform_id, row.vmm_id):
        if key:
            bank, values = shown[key]
            registers.setdefault(bank, {}).update(values)
    # Its parameters are for people: no rule judges by them.
    doubt = Finding(Reason.of(str(row.doubt["code"]))) if row.doubt else None
    evidence = Evidence(Verdict(row.verdict), _ANY_TIME, registers, Voucher(row.voucher), doubt)
    measured = frozenset((bank, index) for bank, values in registers.items() for index in values)
    return Witness(row.server, evidence, measured, row.rules_key, Match(row.match), Reason.of(row.reason))


@dataclass(frozen=True, slots=True)
class _Others:
    """What is kept of hosts beside their measurements: by host and server, and the pools of hosts by kind."""

    values: Mapping[int, Mapping[str, Mapping[Register, bytes]]]
    pools: Mapping[str, Mapping[int, str]]


def _others(kinds: Mapping[Kind, frozenset[Register]]) -> _Others:
    values: dict[int, dict[str, dict[Register, bytes]]] = defaultdict(dict)
    pools: dict[str, dict[int, str]] = defaultdict(dict)
    keys = [kind.key for kind in kinds if not kind.hosts]
    named = [host for kind in kinds for host in kind.hosts]
    wanted = frozenset().union(*kinds.values())
    for some in chunks(keys):
        for host, key, pool in Host.objects.filter(evidence_key__in=some).values_list("pk", "evidence_key", "pool"):
            pools[key][host] = pool
    conditions = [Q(host__evidence_key__in=some) for some in chunks(keys)]
    conditions += [Q(host__in=some) for some in chunks(named)]
    for condition in conditions:
        rows = Attestation.objects.filter(condition).exclude(registers_key__in=("", NOTHING_SHOWN))
        for host, server, kept in rows.values_list("host_id", "server__name", "others"):
            values[host][server] = {
                (bank, index): bytes.fromhex(kept[bank][str(index)])
                for bank, index in wanted
                if str(index) in kept.get(bank, {})
            }
    return _Others(values, pools)


def _value(values: Mapping[Register, bytes] | None, register: Register) -> bytes | None:
    return values.get(register) if values else None


def _completed(witness: Witness, values: Mapping[Register, bytes], asked: Sequence[Register]) -> Witness:
    """The witness with what else its hosts show of these registers."""
    if witness.evidence is None:
        return witness
    registers = {bank: dict(of_bank) for bank, of_bank in witness.evidence.registers.items()}
    for bank, index in asked:
        value = values.get((bank, index))
        if value is not None:
            registers.setdefault(bank, {}).setdefault(index, value)
    return replace(witness, evidence=replace(witness.evidence, registers=registers))
