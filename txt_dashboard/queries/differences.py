"""What a proposal would change, entry by entry: what is in force against what is proposed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from txt_dashboard.attest.bound_key import BoundKey
from txt_dashboard.attest.entries import Entry, EntryKind, PolicyOf, key_id, kind_of, read_entry
from txt_dashboard.attest.reference import Baseline, Endpoint, InvalidReference
from txt_dashboard.attest.registers import mapping_of, meaning
from txt_dashboard.attest.signed_set import EMPTY, Change, InvalidSet, Patch, SignedSet, entry_hash, plain
from txt_dashboard.models import Proposal, ProposalState
from txt_dashboard.queries.in_force import in_force, opened
from txt_dashboard.queries.register import Register
from txt_dashboard.queries.why import Pair, whys

Said = Baseline | PolicyOf | Endpoint | BoundKey


class Act(StrEnum):
    """What becomes of an entry."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry, before and after.

    `outdated`: it is not any more what the proposal began from, so `before` is not what would be replaced.
    A baseline's registers are compared with those of `against`: itself before, or for a new one the closest in force.
    """

    entry_id: str
    kind: EntryKind
    act: Act
    before: Said | None
    after: Said | None
    outdated: bool = False
    against: Baseline | None = None
    registers: tuple[Register, ...] = ()
    sharing: tuple[str, ...] = ()  # other hosts that this key would be approved for, too

    @property
    def name(self) -> str:
        """What people call it."""
        said = self.after or self.before
        if isinstance(said, PolicyOf):
            return f"{said.server} / {said.pool}" if said.pool else said.server
        if isinstance(said, BoundKey):
            return said.host
        return said.name if said is not None else self.entry_id

    @property
    def pair(self) -> Pair | None:
        """Values in force and proposed values, where both are there."""
        if self.against is None or not isinstance(self.after, Baseline) or self.after.bank is not self.against.bank:
            return None
        return Pair(self.after.part, self.after.bank, self.against.values, self.after.values)

    @property
    def differing(self) -> tuple[Register, ...]:
        """Registers whose value changes, appears or goes."""
        return tuple(row for row in self.registers if row.golden != row.actual)

    @property
    def same(self) -> tuple[Register, ...]:
        """Registers whose value stays."""
        return tuple(row for row in self.registers if row.golden == row.actual)


@dataclass(frozen=True, slots=True)
class Differences:
    """All that a proposal changes. `altered`: its content is not what its hash says, so nobody approved it."""

    entries: tuple[Difference, ...]
    restores: bool = False
    altered: bool = False
    unreadable: str = ""

    @property
    def outdated(self) -> bool:
        """Whether something that it touches has changed since."""
        return any(each.outdated for each in self.entries)


def differences(proposal: Proposal, now: datetime) -> Differences:
    """What the proposal changes in what is in force; of one in force, what it did change. Three queries at most."""
    try:
        patch = Patch.read(proposal.patch)
        base = _base(proposal)
        known = base.reference.baselines if base else ()
        entries = [_difference(id_, each, base, known, now) for id_, each in sorted(patch.changes.items())]
    except (InvalidSet, InvalidReference) as error:
        return Differences((), unreadable=str(error))
    entries = _shared(_explained(entries), base)
    order = list(Act)
    entries.sort(key=lambda each: (each.kind != EntryKind.SERVER, each.kind, order.index(each.act), each.name))
    return Differences(tuple(entries), patch.restores, patch.content_hash != proposal.content_hash)


def _explained(entries: Sequence[Difference]) -> list[Difference]:
    """With what logs say of the registers that change, where hosts have shown both values. One query."""
    paired = [(at, pair) for at, each in enumerate(entries) if (pair := each.pair) is not None]
    if not paired:
        return list(entries)
    told = dict(zip([at for at, _ in paired], whys([pair for _, pair in paired]), strict=True))
    return [
        replace(each, registers=tuple(replace(row, why=told.get(at, {}).get(row.index)) for row in each.registers))
        for at, each in enumerate(entries)
    ]


def _shared(entries: Sequence[Difference], base: SignedSet | None) -> list[Difference]:
    """With the hosts that each key would be approved for beside its own."""
    if not any(isinstance(each.after, BoundKey) for each in entries):
        return list(entries)
    held = {each.entry_id: each for each in entries}
    hosts: dict[str, set[str]] = {}
    for (server, host), bound in (base.reference.keys if base else {}).items():
        if key_id(server, host) not in held:
            hosts.setdefault(bound.fingerprint, set()).add(host)
    for each in entries:
        if isinstance(each.after, BoundKey):
            hosts.setdefault(each.after.fingerprint, set()).add(each.after.host)
    return [
        replace(each, sharing=tuple(sorted(hosts[each.after.fingerprint] - {each.after.host})))
        if isinstance(each.after, BoundKey)
        else each
        for each in entries
    ]


def kinds_of(proposal: Proposal) -> dict[str, int]:
    """How many entries of each kind it touches, without reading them."""
    changes = proposal.patch.get("changes", {}) if isinstance(proposal.patch, dict) else {}
    counts: dict[str, int] = {}
    for id_ in changes:
        kind = id_.partition(":")[0]
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def closest(wanted: Baseline, known: Iterable[Baseline], now: datetime) -> Baseline | None:
    """Of the baselines that apply to a pool of its scope now, the one that differs in the fewest registers."""
    pools = wanted.pools or {""}
    alike = [
        each
        for each in known
        if each.part is wanted.part
        and each.bank is wanted.bank
        and each.id != wanted.id
        and any(each.applies(pool, now) for pool in pools)
    ]
    return min(alike, key=lambda each: (_distance(each, wanted), each.name), default=None)


def _base(proposal: Proposal) -> SignedSet | None:
    """What it begins from: for one in force, the set before its own; `None` where that can't be read any more."""
    if proposal.state != ProposalState.IN_FORCE or proposal.set_number is None:
        return in_force().set
    if proposal.set_number == 1:
        return EMPTY
    try:
        return opened(proposal.set_number - 1)
    except InvalidSet:
        return None


def _difference(
    id_: str, change: Change, base: SignedSet | None, known: Sequence[Baseline], now: datetime
) -> Difference:
    held = base.entries.get(id_) if base else None
    outdated = entry_hash(held) != change.before
    kind = kind_of(id_)
    before = _read(id_, plain(held) if held is not None else None)
    after = _read(id_, change.after)
    act = Act.REMOVE if after is None else Act.ADD if change.before is None else Act.CHANGE
    against = before if isinstance(before, Baseline) else None
    if isinstance(after, Baseline) and against is None:
        against = closest(after, known, now)
    registers: tuple[Register, ...] = ()
    if kind is EntryKind.BASELINE:
        registers = _registers(against, after if isinstance(after, Baseline) else None)
    return Difference(id_, kind, act, before, after, outdated, against, registers)


def _read(id_: str, entry: Entry | None) -> Said | None:
    return None if entry is None else read_entry(id_, entry)


def _registers(before: Baseline | None, after: Baseline | None) -> tuple[Register, ...]:
    said = after or before
    if said is None:
        return ()
    bank, mapping = said.bank, mapping_of({said.bank: {}})
    golden = before.values if before and before.bank is bank else {}
    proposed = after.values if after else {}
    return tuple(
        Register(bank, index, meaning(index, mapping), golden.get(index), proposed.get(index))
        for index in sorted({*golden, *proposed})
    )


def _distance(left: Baseline, right: Baseline) -> int:
    return sum(left.values.get(index) != right.values.get(index) for index in {*left.values, *right.values})
