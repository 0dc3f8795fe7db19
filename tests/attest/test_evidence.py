"""Whether a date can be true, with clocks that differ."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOON, evidence
from txt_dashboard.attest.evidence import judge_times
from txt_dashboard.attest.reasons import Reason

MINUTE = timedelta(minutes=1)


def judged(attested: int, previous: int | None = None, tolerance: timedelta = MINUTE):
    return judge_times(
        evidence(at=NOON + timedelta(seconds=attested)),
        requested_at=NOON,
        received_at=NOON + timedelta(seconds=2),
        previous=None if previous is None else NOON + timedelta(seconds=previous),
        tolerance=tolerance,
    )


def test_validity_counts_from_the_earlier_of_the_servers_time_and_our_request() -> None:
    assert judged(1).counts_from == NOON
    assert judged(-30).counts_from == NOON - timedelta(seconds=30)


def test_a_clock_ahead_within_the_tolerance_is_tolerated_and_shown() -> None:
    timing = judged(62)
    assert timing.finding is None
    assert timing.ahead == MINUTE


def test_a_clock_further_ahead_is_doubted() -> None:
    finding = judged(63).finding
    assert finding is not None
    assert finding.reason is Reason.CLOCK_AHEAD
    assert finding.params == {"seconds": "61", "limit": "60"}


def test_time_going_backwards_is_doubted() -> None:
    finding = judged(1, previous=2).finding
    assert finding is not None
    assert finding.reason is Reason.CLOCK_BACKWARDS
    assert judged(2, previous=2).finding is None


@given(attested=st.integers(-10_000, 10_000), previous=st.none() | st.integers(-10_000, 10_000))
def test_evidence_never_counts_from_after_our_request(attested: int, previous: int | None) -> None:
    assert judged(attested, previous).counts_from <= NOON
