"""Appraisals remembered: a measurement is appraised once under the same rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TypeVar

from txt_dashboard.attest.appraisal import Match, Outcome, PartAppraisal, Result, appraise_part, conclude
from txt_dashboard.attest.by_events import Logs, no_logs
from txt_dashboard.attest.evidence import Evidence
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Measurement, Part, Requirement, Rules, measure

LIMIT = 20_000

Key = tuple[object, ...]
Appraised = tuple[Measurement, PartAppraisal]
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Appraisal:
    """What became of evidence under rules, and the measurements that it rests on.

    Hosts that show and are said the same share one object, so it is equal to itself only.
    """

    result: Result
    measurements: tuple[Measurement, ...]
    rules_key: str

    @property
    def pairs(self) -> Iterable[Appraised]:
        """Each part's measurement and what became of it."""
        return zip(self.measurements, self.result.parts, strict=True)

    def key(self, part: Part) -> str | None:
        """The key of the part's measurement, or `None` where the policy requires nothing of it."""
        return next((each.key for each in self.measurements if each.part is part and each.values), None)

    @cached_property
    def keys(self) -> tuple[str | None, str | None]:
        """The keys of the platform's and the vmm's measurement."""
        return self.key(Part.PLATFORM), self.key(Part.VMM)

    def required(self, bank: Bank) -> frozenset[int]:
        """The registers of a bank that the measurements hold."""
        return self._required.get(bank, frozenset())

    @cached_property
    def _required(self) -> dict[Bank, frozenset[int]]:
        required: dict[Bank, frozenset[int]] = {}
        for each in self.measurements:
            required[each.bank] = required.get(each.bank, frozenset()) | each.values.keys()
        return required

    @cached_property
    def drift_key(self) -> str:
        """The same for all hosts whose differing parts measured the same; empty where none differs."""
        differing = {part.part for part in self.result.parts if part.outcome is Outcome.DIFFERS}
        keys = [each.key for each in self.measurements if each.part in differing]
        return sha256("".join(keys).encode()).hexdigest() if keys else ""


_NO_POLICY = Result(Match.UNDETERMINED, Finding(Reason.NO_POLICY), ())


class Appraiser:
    """A memory of appraisals. Appraisal is pure, so remembering never changes an answer.

    `logs` gives the log that leads to a register's value. What rests on a log that failed, or that is not there, is
    not remembered: a better one may come.
    """

    def __init__(self, logs: Logs = no_logs) -> None:
        self.appraisals = 0  # that had to be made
        self._logs = logs
        self._parts: dict[Key, Appraised] = {}
        self._wholes: dict[Key, Appraisal] = {}

    def appraise(self, evidence: Evidence, rules: Rules | None) -> Appraisal:
        """The whole appraisal of one host; without rules nothing can be told."""
        if rules is None:
            return Appraisal(_NO_POLICY, (), "")
        keys = [_key(need, evidence.registers) for need in rules.policy.requirements]
        if evidence.finding is not None:
            return self._appraise(evidence, rules, keys)
        key = (rules.key, evidence.verdict, evidence.voucher, *keys)
        known = self._wholes.get(key)
        if known is None:
            known = self._appraise(evidence, rules, keys)
            if all(map(_lasts, known.result.parts)):
                _remember(self._wholes, key, known)
        return known

    def _appraise(self, evidence: Evidence, rules: Rules, keys: list[Key]) -> Appraisal:
        needs = rules.policy.requirements
        appraised = [self._part(evidence, rules, need, key) for need, key in zip(needs, keys, strict=True)]
        parts = [part for _, part in appraised]
        result = conclude(evidence, parts, rules.policy)
        return Appraisal(result, tuple(measurement for measurement, _ in appraised), rules.key)

    def _part(self, evidence: Evidence, rules: Rules, need: Requirement, key: Key) -> Appraised:
        case = (rules.key, rules.by_events and evidence.is_proven, *key)
        known = self._parts.get(case)
        if known is None:
            self.appraisals += 1
            measurement = measure(need, evidence.registers)
            logs = self._logs if evidence.is_proven else no_logs
            known = measurement, appraise_part(measurement, need, rules.baselines, logs)
            if _lasts(known[1]):
                _remember(self._parts, case, known)
        return known


def _lasts(part: PartAppraisal) -> bool:
    by_events = part.baseline.events if part.baseline else {}
    return not part.unproven and not any(each.index in by_events for each in part.differences)


def _key(need: Requirement, registers: Registers) -> Key:
    """What the evidence shows of one part: cheaper to make than the measurement and its hash."""
    return need.part, *map(registers.get(need.bank, {}).get, need.indexes)


def _remember(memory: dict[Key, Value], key: Key, value: Value) -> Value:
    if len(memory) >= LIMIT:
        memory.clear()
    memory[key] = value
    return value
