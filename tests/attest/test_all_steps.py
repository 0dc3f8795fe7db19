"""Ten steps of a host's evidence, in order, each with an outcome of its own; a log warns and never fails."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.attest.forge import NONCE, Forge
from tests.attest.logbuilder import Record, agile_log
from txt_dashboard.attest.all_steps import all_steps
from txt_dashboard.attest.appraisal import Result, appraise
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Log, parse
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.material import Binding, Material, Proven, prove
from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.quote import Demand, Quote
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement, Rules
from txt_dashboard.attest.steps import Outcome, Step, StepReason, StepResult

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LOG = parse(agile_log(Record(0, 4, bytes(4)), Record(4, 4, b"grub")))
VALUES = dict(replay(LOG, Bank.SHA256))
KEY = Forge.p256().key()
NEED = Requirement(Part.PLATFORM, Bank.SHA256, frozenset({0, 4}))


def proven(values: Values = VALUES, binding: Binding | None = None, nonce: bytes = NONCE) -> Proven:
    """A really signed quote of these values."""
    digest = hashlib.sha256(b"".join(values[index] for index in sorted(values))).digest()
    forge = Forge.p256(registers=sorted(values)).but(digest=digest)
    sent = Material(Quote(forge.message, forge.quote().signature, {Bank.SHA256: values}), forge.area, NOON)
    demand = Demand(nonce, {Bank.SHA256: frozenset(values)})
    return prove(Evidence(Verdict.TRUSTED, NOON), sent, binding or Binding(KEY), demand)


def appraised(of: Proven, golden: Values = VALUES) -> Result:
    baseline = Baseline("golden", Part.PLATFORM, Bank.SHA256, golden)
    return appraise(of.evidence, Rules(Policy((NEED,), timedelta(minutes=2)), (baseline,)))


def told(of: Proven, log: Log | LogError | None = LOG, golden: Values = VALUES) -> dict[Step, StepResult]:
    steps = all_steps(of, log, appraised(of, golden))
    assert [each.step for each in steps] == list(Step)
    assert all("{" not in each.reason for each in steps)
    return {each.step: each for each in steps}


def test_good_evidence_passes_all_ten() -> None:
    assert {each.outcome for each in told(proven()).values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("binding", "reason"),
    [(Binding(), StepReason.KEY_MISSING), (Binding(KEY, is_shared=True), StepReason.KEY_SHARED)],
)
def test_without_a_key_of_its_own_nothing_is_verified(binding: Binding, reason: StepReason) -> None:
    steps = told(proven(binding=binding))
    assert [finding.reason for finding in steps[Step.KEY].findings] == [reason]
    assert {steps[step].outcome for step in list(Step)[1:8]} == {Outcome.NOT_REACHED}
    assert steps[Step.RESULT].outcome is Outcome.WARN


def test_a_rejected_quote_leaves_the_log_nothing_to_explain() -> None:
    steps = told(proven(nonce=bytes(20)))
    assert [steps[step].outcome for step in (Step.NONCE, Step.LOG, Step.RESULT)] == [
        Outcome.FAIL,
        Outcome.NOT_REACHED,
        Outcome.WARN,
    ]


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (None, StepReason.LOG_NONE),
        (LogError(7, "it ends"), StepReason.LOG_UNREADABLE),
        (LOG, StepReason.LOG_EXPLAINED),
        (parse(agile_log(Record(7, 4, b"x"), banks=("sha1",))), StepReason.LOG_UNEXPLAINED),
    ],
)
def test_a_log_explains_or_says_why_not(log: Log | LogError | None, reason: StepReason) -> None:
    steps = told(proven(), log)
    assert [finding.reason for finding in steps[Step.LOG].findings] == [reason]
    assert steps[Step.RESULT].outcome is Outcome.PASS


def test_a_log_that_lies_is_named_and_turns_no_verdict() -> None:
    lie = parse(agile_log(Record(0, 4, bytes(4)), Record(4, 4, b"another grub")))
    steps = told(proven(), lie)
    assert steps[Step.LOG].outcome is Outcome.WARN
    assert "leads to exactly the verified registers sha256:0." in steps[Step.LOG].reason
    assert "leads to other values of sha256:4," in steps[Step.LOG].reason
    assert steps[Step.RESULT].outcome is Outcome.PASS


def test_registers_that_never_stay_the_same_are_not_asked_of_the_log() -> None:
    steps = told(proven({**VALUES, 10: b"i" * 32, 16: b"d" * 32}))
    assert steps[Step.LOG].outcome is Outcome.PASS


def test_what_differs_fails_at_its_step_and_not_before() -> None:
    steps = told(proven(), golden={**VALUES, 4: b"g" * 32})
    assert [steps[step].outcome for step in (Step.DIGEST, Step.LOG, Step.REFERENCE, Step.RESULT)] == [
        Outcome.PASS,
        Outcome.PASS,
        Outcome.FAIL,
        Outcome.FAIL,
    ]
    assert "PCR 4" in steps[Step.REFERENCE].reason


def test_without_a_policy_nothing_is_compared() -> None:
    of = proven()
    steps = {each.step: each for each in all_steps(of, LOG, replace(appraised(of), parts=()))}
    assert steps[Step.REFERENCE].outcome is Outcome.NOT_REACHED
