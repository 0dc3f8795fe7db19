"""The ten steps of one host's evidence in their order, for people to look at: quote, log, reference values, result.

Each has its own outcome, and no later one hides an earlier failure. A log explains; it never turns a verdict, so its
step warns at most. RFC 9334, section 3 (appraisal of evidence).
"""

from collections.abc import Iterable

from txt_dashboard.attest.appraisal import Match, Outcome, PartAppraisal, Result
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Log
from txt_dashboard.attest.eventlog.replay import Standing, judge
from txt_dashboard.attest.material import Proven
from txt_dashboard.attest.pcr import NEVER_REFERENCE, Registers
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.steps import Step, StepFinding, StepReason, StepResult

_NOT_BOUND = {
    Reason.TPM_KEY_MISSING: StepReason.KEY_MISSING,
    Reason.TPM_KEY_SHARED: StepReason.KEY_SHARED,
    Reason.QUOTE_REJECTED: StepReason.KEY_OTHER_TPM,
}
_STANDINGS = {
    Standing.EXPLAINED: StepReason.LOG_EXPLAINED,
    Standing.UNEXPLAINED: StepReason.LOG_UNEXPLAINED,
    Standing.CONTRADICTED: StepReason.LOG_CONTRADICTED,
}
_REFERENCES = {
    Outcome.MATCHES: StepReason.REFERENCE_MATCHES,
    Outcome.DIFFERS: StepReason.REFERENCE_DIFFERS,
    Outcome.UNDETERMINED: StepReason.REFERENCE_OPEN,
}
_RESULTS = {
    Match.TRUSTED: StepReason.RESULT_TRUSTED,
    Match.UNTRUSTED: StepReason.RESULT_UNTRUSTED,
    Match.UNDETERMINED: StepReason.RESULT_OPEN,
}


def all_steps(proven: Proven, log: Log | LogError | None, result: Result) -> tuple[StepResult, ...]:
    """All ten steps; `log` is the host's event log, why it can't be read, or `None` where none came."""
    findings = dict(_of_quote(proven))
    findings[Step.LOG] = _of_log(log, proven)
    findings[Step.REFERENCE] = tuple(_of_parts(result.parts)) or StepReason.REFERENCE_NONE.alone
    findings[Step.RESULT] = (StepFinding(_RESULTS[result.match], {"detail": str(result.finding)}),)
    return tuple(StepResult(step, findings[step]) for step in Step)


def judge_log(log: Log, registers: Registers) -> tuple[StepFinding, ...]:
    """How a log stands with verified registers, each bank by itself; those that never stay the same are left out."""
    found = []
    for bank, values in registers.items():
        fixed = {index: value for index, value in values.items() if index not in NEVER_REFERENCE}
        standing = judge(log, bank, fixed)
        for kind, reason in _STANDINGS.items():
            indexes = [str(index) for index, each in standing.items() if each is kind]
            if indexes:
                found.append(StepFinding(reason, {"registers": f"{bank}:{','.join(indexes)}"}))
    return tuple(found) or StepReason.LOG_NONE.alone


def _of_quote(proven: Proven) -> Iterable[tuple[Step, tuple[StepFinding, ...]]]:
    if proven.verification is not None:
        return ((each.step, each.findings) for each in proven.verification.steps)
    finding = proven.evidence.finding
    reason = _NOT_BOUND.get(finding.reason, StepReason.KEY_MISSING) if finding else StepReason.KEY_MISSING
    return ((step, (reason if step is Step.KEY else StepReason.KEYLESS).alone) for step in Step)


def _of_log(log: Log | LogError | None, proven: Proven) -> tuple[StepFinding, ...]:
    if log is None:
        return StepReason.LOG_NONE.alone
    if isinstance(log, LogError):
        return (StepFinding(StepReason.LOG_UNREADABLE, {"error": str(log)}),)
    if proven.verification is None or proven.verification.pcrs is None:
        return StepReason.LOG_UNPROVEN.alone
    return judge_log(log, proven.verification.pcrs.registers)


def _of_parts(parts: Iterable[PartAppraisal]) -> Iterable[StepFinding]:
    for part in parts:
        detail = str(part.finding) if part.finding else ""
        yield StepFinding(_REFERENCES[part.outcome], {"part": part.part.value, "detail": detail})
