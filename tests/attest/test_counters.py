"""What the counters of two quotes tell, across the end of 32 bits too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.attest.counters import ROLLED_BACK, judge
from txt_dashboard.attest.steps import Outcome, StepReason
from txt_dashboard.attest.tpm_types import Counters

LAST = Counters(reset_count=7, restart_count=2, clock=1000)
TOP = 1 << 32
U32, CLOCK = st.integers(0, TOP - 1), st.integers(0, (1 << 64) - 1)


def found(now: Counters, last: Counters | None = LAST, *, safe: bool = True) -> list[StepReason]:
    return [finding.reason for finding in judge(last, now, safe=safe)]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (Counters(7, 2, 1001), StepReason.COUNTERS_STEADY),
        (Counters(7, 2, 1000), StepReason.COUNTERS_CLOCK_STOOD),
        (Counters(7, 2, 999), StepReason.COUNTERS_CLOCK_STOOD),
        (Counters(7, 3, 1001), StepReason.COUNTERS_RESTARTED),
        (Counters(7, 1, 1001), StepReason.COUNTERS_RESTART_FELL),
        (Counters(8, 0, 1001), StepReason.COUNTERS_RESET),
        (Counters(8, 9, 1001), StepReason.COUNTERS_RESET),
        (Counters(8, 0, 999), StepReason.COUNTERS_CLOCK_STOOD),
        (Counters(6, 2, 1001), StepReason.COUNTERS_RESET_FELL),
        (Counters(6, 9, 999), StepReason.COUNTERS_RESET_FELL),
    ],
)
def test_what_happened_since(now: Counters, reason: StepReason) -> None:
    assert found(now) == [reason]


def test_the_first_quote_has_nothing_to_be_compared_with() -> None:
    assert found(Counters(0, 0, 0), last=None) == [StepReason.COUNTERS_FIRST]


def test_a_clock_may_go_back_only_over_a_loss_of_power() -> None:
    assert found(Counters(8, 0, 10), safe=False) == [StepReason.COUNTERS_RESET, StepReason.COUNTERS_UNSAFE]
    assert found(Counters(7, 2, 10), safe=False)[0] is StepReason.COUNTERS_CLOCK_STOOD


def test_differences_are_told_not_counts() -> None:
    (finding,) = judge(LAST, Counters(10, 0, 2000), safe=True)
    assert finding.params == {"times": "3"}


@given(reset=U32, by=st.integers(0, TOP // 2 - 1), restart=U32, clock=st.integers(0, 1 << 32))
def test_a_constant_offset_changes_nothing(reset: int, by: int, restart: int, clock: int) -> None:
    last = Counters(reset, restart, clock)
    rise = Counters((reset + by) % TOP, restart, clock + 1)
    assert found(rise, last) == [StepReason.COUNTERS_RESET if by else StepReason.COUNTERS_STEADY]
    if by:
        assert found(Counters(reset, restart, clock + 2), rise) == [StepReason.COUNTERS_RESET_FELL]


@given(last=st.builds(Counters, U32, U32, CLOCK), now=st.builds(Counters, U32, U32, CLOCK), safe=st.booleans())
def test_counters_never_fail_a_quote_and_a_fallen_one_is_never_missed(
    last: Counters, now: Counters, safe: bool
) -> None:
    reasons = found(now, last, safe=safe)
    assert all(reason.outcome in (Outcome.PASS, Outcome.WARN) for reason in reasons)
    if (now.reset_count - last.reset_count) % TOP >= TOP // 2:
        assert reasons[0] in ROLLED_BACK
    if now.reset_count == last.reset_count and now.clock <= last.clock:
        assert reasons[0] in ROLLED_BACK
