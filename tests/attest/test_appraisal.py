"""What makes a host trusted, and everything that does not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import BASELINES, GOOD, NOON, PLATFORM, POLICY, RULES, VMM, baseline, evidence, value, without
from txt_dashboard.attest.appraisal import (
    Freshness,
    Match,
    Outcome,
    State,
    agree,
    appraise,
    appraise_part,
    freshness,
    state_of,
    valid_until,
)
from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Measurement, Part, Policy, Rules, measure

REQUIRED = sorted(PLATFORM.registers | VMM.registers)


def reason(given: Evidence, rules: Rules = RULES) -> tuple[Match, Reason]:
    result = appraise(given, rules)
    return result.match, result.finding.reason


def test_trusted_needs_matching_registers_and_the_servers_word() -> None:
    assert reason(evidence()) == (Match.TRUSTED, Reason.MATCHES)


def test_registers_outside_the_policy_may_differ() -> None:
    assert reason(evidence({1: value("serial"), 10: value("ima")})) == (Match.TRUSTED, Reason.MATCHES)


def test_a_differing_register_is_untrusted_whatever_the_server_says() -> None:
    for verdict in Verdict:
        result = appraise(evidence({18: value("other kernel")}, verdict=verdict), RULES)
        assert (result.match, result.finding.reason) == (Match.UNTRUSTED, Reason.REGISTERS_DIFFER)
        assert result.differing == (18,)


def test_the_servers_untrusted_is_enough() -> None:
    assert reason(evidence(verdict=Verdict.UNTRUSTED)) == (Match.UNTRUSTED, Reason.SERVER_UNTRUSTED)


def test_the_servers_untrusted_counts_without_registers_too() -> None:
    given = Evidence(Verdict.UNTRUSTED, NOON)
    assert reason(given) == (Match.UNTRUSTED, Reason.SERVER_UNTRUSTED_ALONE)


def test_a_server_without_a_verdict_leaves_it_open() -> None:
    assert reason(evidence(verdict=Verdict.UNKNOWN)) == (Match.UNDETERMINED, Reason.SERVER_UNDECIDED)


@pytest.mark.parametrize("index", REQUIRED)
def test_a_missing_value_is_undetermined_never_agreement(index: int) -> None:
    result = appraise(without(evidence(), [index]), RULES)
    assert (result.match, result.finding.reason) == (Match.UNDETERMINED, Reason.REGISTERS_MISSING)
    assert result.finding.params["registers"] == str(index)


def test_no_registers_say_why_there_are_none() -> None:
    given = Evidence(Verdict.TRUSTED, NOON, finding=Finding(Reason.REPORT_OLDER))
    assert reason(given) == (Match.UNDETERMINED, Reason.REPORT_OLDER)


def test_a_part_without_a_baseline_is_undetermined() -> None:
    assert reason(evidence(), Rules(POLICY, BASELINES[:1])) == (Match.UNDETERMINED, Reason.NO_BASELINE)


def test_a_baseline_that_covers_less_than_required_cant_satisfy() -> None:
    less = baseline(Part.VMM, {18: GOOD[18]})
    assert reason(evidence(), Rules(POLICY, (BASELINES[0], less))) == (Match.UNDETERMINED, Reason.BASELINE_INCOMPLETE)


def test_a_baseline_of_another_bank_cant_satisfy() -> None:
    values = {index: value("golden", Bank.SHA256) for index in (17, 18)}
    other = BASELINES[1].__class__("sha256", Part.VMM, Bank.SHA256, values)
    assert reason(evidence(), Rules(POLICY, (BASELINES[0], other)))[0] is Match.UNDETERMINED


def test_no_measured_launch_is_untrusted_and_says_so() -> None:
    blank = dict.fromkeys(range(17, 23), b"\xff" * 20)
    assert reason(evidence(blank)) == (Match.UNTRUSTED, Reason.NOT_LAUNCHED)
    assert reason(evidence(blank), Rules(POLICY, ())) == (Match.UNTRUSTED, Reason.NOT_LAUNCHED)


def test_only_a_server_whose_word_is_enough_may_stand_alone() -> None:
    alone = Policy((PLATFORM, VMM), POLICY.validity, word_is_enough=True)
    given = Evidence(Verdict.TRUSTED, NOON)
    assert reason(given, Rules(alone, ())) == (Match.TRUSTED, Reason.SERVER_WORD_ALONE)
    assert reason(given, Rules(POLICY, ())) == (Match.UNDETERMINED, Reason.REGISTERS_MISSING)


def test_a_word_that_is_enough_does_not_excuse_a_differing_register() -> None:
    alone = Policy((PLATFORM, VMM), POLICY.validity, word_is_enough=True)
    assert reason(evidence({0: value("other")}), Rules(alone, BASELINES))[0] is Match.UNTRUSTED


@pytest.mark.parametrize("doubt", [Reason.CLOCK_AHEAD, Reason.CLOCK_BACKWARDS])
def test_an_impossible_date_leaves_it_open_even_where_the_word_is_enough(doubt: Reason) -> None:
    alone = Policy((PLATFORM, VMM), POLICY.validity, word_is_enough=True)
    for rules in (RULES, Rules(alone, BASELINES)):
        assert reason(evidence(finding=Finding(doubt)), rules) == (Match.UNDETERMINED, doubt)


def test_the_closest_baseline_is_the_one_with_fewest_differences() -> None:
    far = baseline(Part.VMM, {17: value("x"), 18: value("y")}, "A far")
    near = baseline(Part.VMM, {17: GOOD[17], 18: value("y")}, "B near")
    part = appraise_part(measure(VMM, evidence().registers), VMM, (far, near))
    assert part.outcome is Outcome.DIFFERS
    assert part.baseline is near
    assert [(each.index, each.golden, each.actual) for each in part.differences] == [(18, value("y"), GOOD[18])]


def test_trust_ends_with_the_baseline_it_rests_on() -> None:
    end = NOON + timedelta(minutes=3)
    ending = baseline(Part.VMM, {index: GOOD[index] for index in (17, 18)}, not_after=end)
    result = appraise(evidence(), Rules(POLICY, (BASELINES[0], ending)))
    assert valid_until(NOON, POLICY.validity, result.baselines_end) == end


@given(index=st.sampled_from(REQUIRED), bit=st.integers(0, 159), verdict=st.sampled_from(Verdict))
def test_any_flipped_bit_in_any_required_register_is_untrusted(index: int, bit: int, verdict: Verdict) -> None:
    flipped = (int.from_bytes(GOOD[index]) ^ (1 << bit)).to_bytes(20)
    result = appraise(evidence({index: flipped}, verdict=verdict), RULES)
    assert result.match is Match.UNTRUSTED
    assert index in result.differing


@given(
    gone=st.sets(st.sampled_from(REQUIRED), min_size=1),
    verdict=st.sampled_from(Verdict),
    baselines=st.sets(st.integers(0, 1)),
)
def test_any_absence_is_never_trusted(gone: set[int], verdict: Verdict, baselines: set[int]) -> None:
    rules = Rules(POLICY, tuple(BASELINES[at] for at in baselines))
    assert appraise(without(evidence(verdict=verdict), sorted(gone)), rules).match is not Match.TRUSTED


@given(
    match=st.sampled_from(Match),
    answered=st.booleans(),
    start=st.integers(-1000, 1000),
    length=st.integers(0, 1000),
    now=st.integers(-3000, 3000),
)
def test_no_order_of_times_is_trusted_outside_the_validity(
    match: Match, answered: bool, start: int, length: int, now: int
) -> None:
    begin, end, moment = (NOON + timedelta(seconds=each) for each in (start, start + length, now))
    state = state_of(match, freshness(begin, end, moment, answered=answered))
    assert (state is State.TRUSTED) == (match is Match.TRUSTED and begin <= moment < end)


@pytest.mark.parametrize(("ahead", "fresh"), [(0, "fresh"), (60, "fresh"), (61, "stale")])
def test_evidence_may_be_newer_than_the_moment_by_the_clocks_tolerance(ahead: int, fresh: str) -> None:
    begin = NOON + timedelta(seconds=ahead)
    found = freshness(begin, begin + timedelta(hours=1), NOON, answered=True, tolerance=timedelta(seconds=60))
    assert found == fresh


def test_what_was_untrusted_stays_so_until_newer_evidence() -> None:
    assert state_of(Match.UNTRUSTED, Freshness.STALE) is State.UNTRUSTED
    assert state_of(Match.TRUSTED, Freshness.UNREACHABLE) is State.STALE
    assert state_of(Match.TRUSTED, Freshness.NEVER) is State.UNKNOWN


@given(st.lists(st.sampled_from(State), max_size=4))
def test_servers_that_count_must_agree(states: list[State]) -> None:
    agreed = agree(states)
    assert (agreed is State.TRUSTED) == (bool(states) and set(states) == {State.TRUSTED})
    if State.UNTRUSTED in states:
        assert agreed is State.UNTRUSTED


def test_a_measurement_is_the_same_for_the_same_values_only() -> None:
    first = Measurement(Part.VMM, Bank.SHA1, {17: GOOD[17], 18: GOOD[18]})
    same = Measurement(Part.VMM, Bank.SHA1, {18: GOOD[18], 17: GOOD[17]})
    other = Measurement(Part.PLATFORM, Bank.SHA1, {17: GOOD[17], 18: GOOD[18]})
    assert first.key == same.key != other.key
