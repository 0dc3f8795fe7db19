"""What speaks against a draft of a baseline, all of it at once."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import GOOD, NOON, POLICY, value
from txt_dashboard.attest.draft import (
    Draft,
    contradictions,
    in_scope,
    only_takes_away,
    refusals,
    required_only,
    warnings,
)
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import InvalidReference, Part, Policy, Requirement

POLICIES = {("oat-1", ""): POLICY}
FINE = Draft("VMM 2", Part.VMM, Bank.SHA1, {17: GOOD[17], 18: GOOD[18]})


def refused(**changes: object) -> tuple[str, ...]:
    return refusals(replace(FINE, **changes), POLICIES)


def test_what_a_host_measured_can_be_proposed() -> None:
    assert refused() == ()
    assert FINE.baseline().values == FINE.values


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"values": {17: GOOD[17], 18: value("x", Bank.SHA256)}}, "Register 18: a sha1 value has 20 bytes, this one"),
        ({"values": {10: GOOD[17]}}, "Register 10 is never a reference value"),
        ({"values": {16: GOOD[17]}}, "Register 16 is never a reference value"),
        ({"values": {23: GOOD[17]}}, "Register 23 is never a reference value"),
        ({"values": {24: GOOD[17]}}, "Register 24 does not exist"),
        ({"values": {-1: GOOD[17]}}, "Register -1 does not exist"),
        ({"values": {17: bytes(20)}}, "Register 17 is all 00"),
        ({"values": {17: b"\xff" * 20}}, "Register 17 is all ff"),
        ({"values": {0: GOOD[0]}}, "Register 0 is outside the vmm part"),
        ({"values": {}}, "names no register"),
        ({"bank": Bank.SHA256, "values": {17: value("x", Bank.SHA256)}}, "requires sha256 registers of the vmm part"),
        ({"name": ""}, "printable"),
        ({"name": "x" * 101}, "printable"),
        ({"name": "a\u202eb"}, "printable"),
        ({"pools": frozenset({"az\n1"})}, "pool's name"),
        ({"pools": frozenset(map(str, range(1001)))}, "at most 1000 pools"),
        ({"not_before": NOON, "not_after": NOON}, "ends before it begins"),
        ({"not_after": datetime(2027, 1, 1)}, "time zone"),  # noqa: DTZ001 - that is the point
    ],
)
def test_what_cant_be_proposed_is_refused_with_its_reason(changes, says) -> None:
    (sentence,) = refused(**changes)
    assert says in sentence
    assert sentence.endswith(".")


def test_every_reason_is_named_at_once() -> None:
    said = refused(name="", values={10: GOOD[17], 17: bytes(20), 0: GOOD[0]}, not_before=NOON, not_after=NOON)
    assert len(said) == 5


def test_blank_values_are_refused_only_where_a_policy_requires_the_register() -> None:
    assert not any("all 00" in each for each in refused(values={17: GOOD[17], 19: bytes(20)}))


def test_policies_say_which_registers_belong_to_the_part() -> None:
    wider = Policy((Requirement(Part.VMM, Bank.SHA1, frozenset({17, 18, 19})),), timedelta(minutes=1))
    draft = replace(FINE, values={**FINE.values, 19: GOOD[18]})
    assert refusals(draft, POLICIES) != ()
    assert refusals(draft, {**POLICIES, ("oat-2", ""): wider}) == ()
    elsewhere = {**POLICIES, ("oat-1", "edge"): wider}
    assert refusals(replace(draft, pools=frozenset({"az1"})), elsewhere) != ()
    assert refusals(replace(draft, pools=frozenset({"edge"})), elsewhere) == ()


def test_where_no_policy_speaks_of_the_scope_nothing_can_be_proposed() -> None:
    (sentence,) = refusals(FINE, {})
    assert "No policy in its scope" in sentence


@pytest.mark.parametrize(
    ("changes", "less"),
    [
        ({}, True),
        ({"name": "Old"}, True),
        ({"not_after": NOON}, True),
        ({"not_before": NOON}, True),
        ({"pools": frozenset({"az1"})}, True),
        ({"pools": frozenset()}, False),
        ({"pools": frozenset({"az3"})}, False),
        ({"not_after": None}, False),
        ({"not_before": None}, False),
        ({"not_after": NOON + timedelta(days=9)}, False),
        ({"values": {17: GOOD[17]}}, False),
    ],
)
def test_ending_what_is_in_force_only_takes_away(changes, less) -> None:
    begins, ends = NOON - timedelta(days=1), NOON + timedelta(days=1)
    before = replace(FINE, pools=frozenset({"az1", "az2"}), not_before=begins, not_after=ends).baseline()
    assert only_takes_away(before, replace(before, **changes)) is less


def test_scope_follows_the_policy_of_the_pool_or_else_of_the_server() -> None:
    own = Policy((Requirement(Part.VMM, Bank.SHA1, frozenset({19})),), timedelta(minutes=1))
    policies = {("oat-1", ""): POLICY, ("oat-1", "edge"): own}
    assert in_scope(policies, {"edge"}) == own.requirements
    assert in_scope(policies, {"az1"}) == POLICY.requirements
    assert set(in_scope(policies, {"az1", "edge"})) == {*own.requirements, *POLICY.requirements}
    assert set(in_scope(policies)) == {*own.requirements, *POLICY.requirements}
    assert in_scope({}) == ()


def test_a_paste_of_all_registers_is_cut_to_those_of_the_part() -> None:
    everything = replace(FINE, values={index: value(f"v{index}") for index in range(24)})
    assert refusals(required_only(everything, POLICIES), POLICIES) == ()


def test_where_nothing_would_be_left_the_refusal_says_why() -> None:
    platform = replace(FINE, part=Part.PLATFORM)
    assert "Register 17 is outside" in refusals(required_only(platform, POLICIES), POLICIES)[0]
    everything = replace(FINE, values={index: value(f"v{index}") for index in range(24)})
    assert "No policy in its scope" in " ".join(refusals(required_only(everything, {}), {}))


def test_unknown_pools_and_missing_registers_are_warnings() -> None:
    assert warnings(FINE, POLICIES, {"az1"}) == ()
    (pool,) = warnings(replace(FINE, pools=frozenset({"az9"})), POLICIES, {"az1"})
    assert "az9" in pool
    (missing,) = warnings(replace(FINE, values={17: GOOD[17]}), POLICIES, ())
    assert "18" in missing
    assert len(warnings(replace(FINE, pools=frozenset(map(str, range(999)))), POLICIES, ())) == 21


@given(
    name=st.text(max_size=3),
    values=st.dictionaries(st.integers(-1, 25), st.binary(min_size=19, max_size=21), max_size=3),
    begins=st.none() | st.datetimes(timezones=st.none() | st.just(NOON.tzinfo)),
    ends=st.none() | st.datetimes(timezones=st.none() | st.just(NOON.tzinfo)),
)
def test_what_contradicts_nothing_is_a_baseline(name, values, begins, ends) -> None:
    draft = Draft(name, Part.VMM, Bank.SHA1, values, not_before=begins, not_after=ends)
    if not contradictions(draft):
        assert draft.baseline().values == values
    elif values and name.isprintable() and name and not any("zone" in each for each in contradictions(draft)):
        with pytest.raises(InvalidReference):
            draft.baseline()
