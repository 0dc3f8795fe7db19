"""What becomes of hosts of one kind when one set of rules takes the place of another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from txt_dashboard.attest.appraisal import Freshness, Match, Outcome, State, agree, state_of
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import Part, ReferenceSet, Rules
from txt_dashboard.queries.census import Kind, Register, Witness

Age = tuple[str, tuple[timedelta, ...]]  # a server, and the validities that its evidence has outlived
Ages = frozenset[Age]
YOUNG: Ages = frozenset()


class Change(StrEnum):
    """What a host gains or loses."""

    GAINED = "gained"
    LOST = "lost"
    GAINED_ONCE_FRESH = "gained once fresh"  # it would, but its evidence has run out
    LOST_ONCE_FRESH = "lost once fresh"  # it is stale now; without the change new evidence would make it trusted
    GAINED_ONCE_VOUCHED = "gained once vouched"  # its values would be approved; its server calls it untrusted


@dataclass(frozen=True, slots=True)
class Standing:
    """A host's state under one set of rules: as it is, with fresh evidence, and with its server's word for it too."""

    actual: State
    fresh: State
    vouched: State


@dataclass(frozen=True)
class Fate:
    """A host's standing before and after, and the parts that decide where it differs."""

    before: Standing
    after: Standing
    parts: frozenset[Part] = frozenset()

    @cached_property
    def change(self) -> Change | None:
        """What the host gains or loses, or `None`."""
        before, after = self.before, self.after
        if _gains(before.actual, after.actual):
            return Change.GAINED
        if _gains(after.actual, before.actual):
            return Change.LOST
        if _gains(before.fresh, after.fresh):
            return Change.GAINED_ONCE_FRESH
        if _gains(after.fresh, before.fresh):
            return Change.LOST_ONCE_FRESH
        return Change.GAINED_ONCE_VOUCHED if _gains(before.vouched, after.vouched) else None


@dataclass(frozen=True)
class _Turn:
    """The rules for one server and pool, before and after; `None` where none speak of them.

    `counted` and `counts` say whether the server's word counts before and after.
    """

    before: Rules | None
    after: Rules | None
    counted: bool
    counts: bool

    @cached_property
    def key(self) -> tuple[object, object]:
        """Equal keys are equal turns."""
        return (self.counted, self.before and self.before.key), (self.counts, self.after and self.after.key)

    @cached_property
    def changed_parts(self) -> frozenset[Part]:
        """The parts that are judged by other registers or baselines than before."""
        return frozenset(part for part in Part if _of_part(self.before, part) != _of_part(self.after, part))

    @cached_property
    def required(self) -> frozenset[Register]:
        """The registers that are required before or after."""
        return _required(self.before) | _required(self.after)


@dataclass(frozen=True)
class _Turns:
    """What changes for hosts of some servers and one pool."""

    turns: tuple[_Turn, ...]

    @cached_property
    def key(self) -> tuple[tuple[object, object], ...]:
        """Equal keys are equal turns."""
        return tuple(turn.key for turn in self.turns)

    @cached_property
    def same(self) -> bool:
        """Whether nothing changes."""
        return all(before == after for before, after in self.key)


class Judge:
    """Judges kinds of hosts by the rules in force in one set at one moment, and in another at another."""

    def __init__(
        self,
        before: tuple[ReferenceSet, datetime],
        after: tuple[ReferenceSet, datetime],
        appraiser: Appraiser,
    ) -> None:
        self._before, self._after, self._appraiser = before, after, appraiser
        self._turn: dict[tuple[str, str], _Turn] = {}
        self._turns: dict[tuple[object, ...], _Turns] = {}
        self._fates: dict[tuple[object, ...], Fate] = {}
        self._required: dict[str, frozenset[Register]] = {}  # by the key of the rules

    @property
    def validities(self) -> tuple[timedelta, ...]:
        """For how long evidence is valid by any of the rules that were asked, ascending."""
        sides = [rules for turn in self._turn.values() for rules in (turn.before, turn.after) if rules]
        return tuple(sorted({rules.policy.validity for rules in sides}))

    def undecided(self, kind: Kind) -> frozenset[Register]:
        """Registers that the rules of any of its pools require where they change, and that it was not measured by."""
        found: set[Register] = set()
        changing = {turns.key: turns for turns in map(self._turns_of(kind), kind.pools) if not turns.same}
        for turns in changing.values():
            for witness, turn in zip(kind.witnesses, turns.turns, strict=True):
                if witness.evidence is not None:
                    found |= turn.required - witness.measured
        return frozenset(found)

    def fate(self, kind: Kind, pool: str, ages: Ages = YOUNG) -> Fate | None:
        """What becomes of the kind's hosts in this pool, or `None` where they are judged as before."""
        turns = self._turns_of(kind)(pool)
        if turns.same:
            return None
        case = kind, ages, turns.key
        fate = self._fates.get(case)
        if fate is None:
            fate = self._fates[case] = self._judge(kind, turns.turns, dict(ages))
        return fate

    def _turns_of(self, kind: Kind) -> Callable[[str], _Turns]:
        """From a pool to what changes for the kind's hosts there."""
        servers = tuple(witness.server for witness in kind.witnesses)

        def of_pool(pool: str) -> _Turns:
            turns = self._turns.get((pool, servers))
            if turns is None:
                made = _Turns(tuple(self._turn_of(server, pool) for server in servers))
                turns = self._turns[pool, servers] = made
            return turns

        return of_pool

    def _turn_of(self, server: str, pool: str) -> _Turn:
        turn = self._turn.get((server, pool))
        if turn is None:
            (before, then), (after, later) = self._before, self._after
            turn = self._turn[server, pool] = _Turn(
                before.rules(server, pool, then),
                after.rules(server, pool, later),
                server in before.counting,
                server in after.counting,
            )
        return turn

    def _judge(self, kind: Kind, turns: Sequence[_Turn], ages: Mapping[str, tuple[timedelta, ...]]) -> Fate:
        pairs = list(zip(kind.witnesses, turns, strict=True))
        before = self._standing([(witness, turn.before) for witness, turn in pairs if turn.counted], ages)
        after = self._standing([(witness, turn.after) for witness, turn in pairs if turn.counts], ages)
        fate = Fate(before, after)
        if fate.change is None:
            return fate
        loses = fate.change in (Change.LOST, Change.LOST_ONCE_FRESH)
        return Fate(before, after, frozenset(part for pair in pairs for part in self._parts(*pair, loses=loses)))

    def _standing(self, sides: Iterable[tuple[Witness, Rules | None]], ages: Mapping[str, object]) -> Standing:
        states = [self._states(witness, rules, ages.get(witness.server, ())) for witness, rules in sides]
        return Standing(*(agree([each[at] for each in states]) for at in range(3)))

    def _states(self, witness: Witness, rules: Rules | None, outlived: object) -> tuple[State, State, State]:
        if witness.evidence is None:
            return State.UNKNOWN, State.UNKNOWN, State.UNKNOWN
        match, reason = self._match(witness, rules)
        old = rules is not None and isinstance(outlived, tuple) and rules.policy.validity in outlived
        fresh = state_of(match, Freshness.FRESH)
        vouched = State.TRUSTED if reason is Reason.SERVER_UNTRUSTED else fresh
        return state_of(match, Freshness.STALE) if old else fresh, fresh, vouched

    def _match(self, witness: Witness, rules: Rules | None) -> tuple[Match, Reason]:
        """What is on file where it was concluded by these very rules and nothing else decides, else an appraisal."""
        if rules is None or witness.evidence is None:
            return Match.UNDETERMINED, Reason.NO_POLICY
        if rules.key not in self._required:
            self._required[rules.key] = _required(rules)
        if witness.rules_key == rules.key and self._required[rules.key] <= witness.measured:
            return witness.match, witness.reason
        result = self._appraiser.appraise(witness.evidence, rules).result
        return result.match, result.finding.reason

    def _parts(self, witness: Witness, turn: _Turn, *, loses: bool) -> Iterable[Part]:
        """The parts by which hosts lose (they match no more), or gain (they are judged otherwise, and match)."""
        if witness.evidence is None or turn.after is None or not turn.counts:
            return
        for part in self._appraiser.appraise(witness.evidence, turn.after).result.parts:
            matches = part.outcome is Outcome.MATCHES
            if not matches if loses else matches and part.part in turn.changed_parts:
                yield part.part


def _gains(before: State, after: State) -> bool:
    return before is not State.TRUSTED and after is State.TRUSTED


def _required(rules: Rules | None) -> frozenset[Register]:
    if rules is None:
        return frozenset()
    return frozenset((need.bank, index) for need in rules.policy.requirements for index in need.registers)


def _of_part(rules: Rules | None, part: Part) -> object:
    if rules is None:
        return None
    needs = [need for need in rules.policy.requirements if need.part is part]
    return needs, {each.key for each in rules.baselines if each.part is part}
