"""Appraisal: evidence × reference values × policy → result, with its reasons.

Two questions that are never mixed: does the evidence *match* what was approved, and is it *fresh*?
A host is trusted only while both say so. When in doubt it is not (fail closed).
RFC 9334, section 3 (appraisal of evidence).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from txt_dashboard.attest.by_events import Judged, Logs, fixed, judge_events, no_logs
from txt_dashboard.attest.evidence import IMPOSSIBLE_DATES, UNPROVEN, Evidence, Verdict, Voucher
from txt_dashboard.attest.pcr import DRTM_REGISTERS, Difference, diff
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Baseline, Measurement, Part, Policy, Requirement, Rules, measure


class Match(StrEnum):
    """Does the evidence match what was approved?"""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNDETERMINED = "undetermined"


class Freshness(StrEnum):
    """Is there evidence that still counts?"""

    FRESH = "fresh"
    STALE = "stale"
    UNREACHABLE = "unreachable"  # it ran out, and the last attempt to renew it got no answer
    NEVER = "never"


class State(StrEnum):
    """What relying parties are told."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    STALE = "stale"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How one part of a host compares with the closest approved baseline."""

    MATCHES = "matches"
    DIFFERS = "differs"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class PartAppraisal:
    """One part against its closest approved baseline: what differs, and why it can't be told.

    `excused` are registers with another value whose events match, `unproven` those of which no log shows it.
    """

    part: Part
    outcome: Outcome
    baseline: Baseline | None
    differences: tuple[Difference, ...] = ()
    finding: Finding | None = None
    excused: tuple[int, ...] = ()
    unproven: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to *does it match?*, with the reason for it and what each part showed."""

    match: Match
    finding: Finding
    parts: tuple[PartAppraisal, ...]

    @property
    def differing(self) -> tuple[int, ...]:
        """Indexes of the registers that differ, ascending."""
        return tuple(sorted({each.index for part in self.parts for each in part.differences}))

    @property
    def baselines_end(self) -> datetime | None:
        """When the first of the matched baselines ends, or `None`: trust can't outlive what it rests on."""
        ends = (part.baseline.not_after for part in self.parts if part.baseline and part.baseline.not_after)
        return min(ends, default=None)


def appraise_part(
    measurement: Measurement, requirement: Requirement, baselines: Iterable[Baseline], logs: Logs = no_logs
) -> PartAppraisal:
    """Compares one part with the approved baselines that cover it.

    The closest is the one with the fewest differing registers (by name where that is equal). Registers
    that a baseline names beyond the requirement are not compared: the measurement does not hold them.
    `logs` gives the log of a register's value, and must give none unless a quote has proven the measurement.
    """
    missing = requirement.registers - measurement.values.keys()
    if missing:
        listed = {"registers": _listed(missing)}
        return _undetermined(requirement, Finding(Reason.REGISTERS_MISSING, listed))
    of_part = [each for each in baselines if each.part is requirement.part]
    closest = _closest(measurement, requirement, of_part, logs)
    if _not_launched(measurement, requirement):
        baseline, judged = closest or (None, Judged(()))
        finding = Finding(Reason.NOT_LAUNCHED)
        return PartAppraisal(requirement.part, Outcome.DIFFERS, baseline, judged.differing, finding)
    if closest is None:
        reason = Reason.BASELINE_INCOMPLETE if of_part else Reason.NO_BASELINE
        return _undetermined(requirement, Finding(reason, {"part": requirement.part.value}))
    baseline, judged = closest
    outcome, found = _of(judged)
    rest = judged.excused, judged.unproven
    return PartAppraisal(requirement.part, outcome, baseline, judged.differing, found, *rest)


def _of(judged: Judged) -> tuple[Outcome, Finding | None]:
    """What becomes of a part whose registers compare so with its closest baseline."""
    if judged.differing:
        listed = {"registers": _listed(each.index for each in judged.differing)}
        if judged.why is not None and len(judged.differing) == 1:
            return Outcome.DIFFERS, Finding(Reason.EVENTS_DIFFER, {**listed, "detail": judged.why.sentence})
        return Outcome.DIFFERS, Finding(Reason.REGISTERS_DIFFER, listed)
    if judged.unproven:
        return Outcome.UNDETERMINED, Finding(Reason.EVENTS_UNPROVEN, {"registers": _listed(judged.unproven)})
    return Outcome.MATCHES, None


def conclude(evidence: Evidence, parts: Sequence[PartAppraisal], policy: Policy) -> Result:
    """Our appraisal of the parts and the server's verdict, made one answer: trusted needs both."""
    match, finding = _conclude(evidence, parts, policy)
    return Result(match, finding, tuple(parts))


def appraise(evidence: Evidence, rules: Rules, logs: Logs = no_logs) -> Result:
    """Evidence against the rules in force: the whole appraisal in one call."""
    counting = logs if evidence.is_proven else no_logs
    parts = [
        appraise_part(measure(need, evidence.registers), need, rules.baselines, counting)
        for need in rules.policy.requirements
    ]
    return conclude(evidence, parts, rules.policy)


def valid_until(counts_from: datetime, validity: timedelta, baselines_end: datetime | None) -> datetime:
    """The moment from which the evidence counts no more: its validity, or a matched baseline's end before it."""
    end = counts_from + validity
    return min(end, baselines_end) if baselines_end else end


def freshness(
    counts_from: datetime | None,
    until: datetime | None,
    now: datetime,
    *,
    answered: bool,
    tolerance: timedelta = timedelta(0),
) -> Freshness:
    """Whether evidence counts now: from `counts_from` on and before `until`.

    A clock of ours that went back behind `counts_from` by more than `tolerance` makes evidence stale, never fresher.
    """
    if counts_from is None or until is None:
        return Freshness.NEVER
    if counts_from - tolerance <= now < until:
        return Freshness.FRESH
    return Freshness.STALE if answered else Freshness.UNREACHABLE


def state_of(match: Match, fresh: Freshness) -> State:
    """The state that follows from the two answers.

    What was found untrusted stays so until newer evidence says otherwise: silence clears nothing.
    """
    if fresh is Freshness.NEVER:
        return State.UNKNOWN
    if match is Match.UNTRUSTED:
        return State.UNTRUSTED
    if fresh is not Freshness.FRESH:
        return State.STALE
    return State.TRUSTED if match is Match.TRUSTED else State.UNKNOWN


def agree(states: Sequence[State]) -> State:
    """One state for a host that several servers speak of: those that count must agree."""
    for state in (State.UNTRUSTED, State.UNKNOWN, State.STALE):
        if state in states:
            return state
    return State.TRUSTED if states else State.UNKNOWN


def renewal_due(counts_from: datetime, until: datetime, now: datetime) -> bool:
    """Whether half of the validity has passed: from then on an outage is worth a warning."""
    return now - counts_from >= (until - counts_from) / 2


def _conclude(evidence: Evidence, parts: Sequence[PartAppraisal], policy: Policy) -> tuple[Match, Finding]:
    undetermined = [each.finding for each in parts if each.outcome is Outcome.UNDETERMINED and each.finding]
    vouched = bool(parts) and not undetermined and evidence.finding is None
    if any(each.outcome is Outcome.DIFFERS for each in parts):
        return Match.UNTRUSTED, _differences(parts)
    if evidence.verdict is Verdict.UNTRUSTED:
        return Match.UNTRUSTED, Finding(Reason.SERVER_UNTRUSTED if vouched else Reason.SERVER_UNTRUSTED_ALONE)
    if (doubt := _doubt(evidence, parts)) is not None:
        return Match.UNDETERMINED, doubt
    if policy.must_quote and evidence.voucher is not Voucher.QUOTE:
        return Match.UNDETERMINED, Finding(Reason.QUOTE_MISSING)
    if evidence.verdict is Verdict.UNKNOWN:
        return Match.UNDETERMINED, Finding(Reason.SERVER_UNDECIDED)
    if vouched:
        return Match.TRUSTED, Finding(Reason.MATCHES)
    if policy.word_is_enough:
        return Match.TRUSTED, Finding(Reason.SERVER_WORD_ALONE)
    return Match.UNDETERMINED, evidence.finding or undetermined[0]


def _doubt(evidence: Evidence, parts: Sequence[PartAppraisal]) -> Finding | None:
    """What no server's word can make up for; a log that is kept back is no better than a quote that is."""
    if evidence.finding is not None and evidence.finding.reason in IMPOSSIBLE_DATES | UNPROVEN:
        return evidence.finding
    return next((part.finding for part in parts if part.unproven and not part.differences), None)


def _differences(parts: Sequence[PartAppraisal]) -> Finding:
    for part in parts:
        if part.finding is not None and part.finding.reason is Reason.NOT_LAUNCHED:
            return part.finding
    told = [part.finding for part in parts if part.outcome is Outcome.DIFFERS]
    if len(told) == 1 and told[0] is not None and told[0].reason is Reason.EVENTS_DIFFER:
        return told[0]
    indexes = {each.index for part in parts for each in part.differences}
    return Finding(Reason.REGISTERS_DIFFER, {"registers": _listed(indexes)})


def _closest(
    measurement: Measurement, requirement: Requirement, baselines: Iterable[Baseline], logs: Logs
) -> tuple[Baseline, Judged] | None:
    compared = [
        (baseline, diff({index: baseline.values[index] for index in requirement.registers}, measurement.values))
        for baseline in baselines
        if baseline.covers(requirement)
    ]
    # Logs are read only for what can still be the closest: a comparison of values costs next to nothing.
    least = min((fixed(*pair) for pair in compared), default=0)
    judged = [
        (baseline, judge_events(baseline, differences, logs))
        for baseline, differences in compared
        if fixed(baseline, differences) == least
    ]
    return min(judged, key=lambda pair: (*_distance(pair[1]), pair[0].name, pair[0].key), default=None)


def _distance(judged: Judged) -> tuple[int, int]:
    return len(judged.differing), len(judged.unproven)


def _not_launched(measurement: Measurement, requirement: Requirement) -> bool:
    required = requirement.registers & set(DRTM_REGISTERS)
    values = [measurement.values[index] for index in required]
    return bool(values) and all(value.count(0xFF) == len(value) for value in values)


def _undetermined(requirement: Requirement, finding: Finding) -> PartAppraisal:
    return PartAppraisal(requirement.part, Outcome.UNDETERMINED, None, (), finding)


def _listed(indexes: Iterable[int]) -> str:
    return ", ".join(str(index) for index in sorted(indexes))
