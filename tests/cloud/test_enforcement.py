"""What makes a flavor a trusted one, and what undoes exactly that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.cloud.enforcement import (
    Change,
    Enforcement,
    Pitfall,
    change,
    demands,
    enforced,
    is_trait_name,
    pitfalls,
)

TRAIT = "CUSTOM_TRUSTED_HOST"
BY_TRAIT = {f"trait:{TRAIT}": "required"}
BY_FILTER = {"trust:trusted_host": "trusted"}


def applied(specs, difference: Change):
    return {key: value for key, value in (specs | difference.put).items() if key not in difference.remove}


@pytest.mark.parametrize(
    ("enforcement", "specs"),
    [(Enforcement.TRAIT, BY_TRAIT), (Enforcement.FILTER, BY_FILTER), (Enforcement.BOTH, BY_TRAIT | BY_FILTER)],
)
def test_each_enforcement_needs_its_own_extra_specs(enforcement, specs):
    assert demands(enforcement, TRAIT) == specs
    assert change({}, enforcement, TRAIT) == Change(specs, ())
    assert enforced(specs, TRAIT) is enforcement


def test_a_flavor_that_is_as_it_should_be_is_left_alone():
    assert not change(BY_TRAIT, Enforcement.TRAIT, TRAIT)
    assert not change({}, None, TRAIT)


def test_another_enforcement_takes_the_place_of_the_old_one():
    assert change(BY_TRAIT, Enforcement.FILTER, TRAIT) == Change(BY_FILTER, (f"trait:{TRAIT}",))


def test_what_somebody_else_set_is_not_undone():
    theirs = {f"trait:{TRAIT}": "forbidden", "trust:trusted_host": "untrusted", "hw:cpu_policy": "dedicated"}
    assert not change(theirs, None, TRAIT)
    assert pitfalls(theirs, TRAIT) == {Pitfall.TRAIT_FORBIDDEN, Pitfall.WRONG_VALUE}


def test_a_trait_of_another_name_is_another_trait():
    assert enforced({"trait:CUSTOM_TRUSTED_HOST_2": "required"}, TRAIT) is None
    assert change(BY_TRAIT, None, "CUSTOM_OTHER") == Change({}, ())


def test_a_demand_in_a_request_group_is_a_demand():
    assert enforced({f"trait_COMPUTE:{TRAIT}": "required"}, TRAIT) is Enforcement.TRAIT
    assert enforced({f"trait1:{TRAIT}": "required"}, TRAIT) is Enforcement.TRAIT


def test_the_key_without_its_scope_enforces_nothing():
    assert enforced({"trusted_host": "trusted"}, TRAIT) is None
    assert pitfalls({"trusted_host": "trusted"}, TRAIT) == {Pitfall.UNSCOPED_KEY}


def test_only_the_filter_fails_closed():
    assert [each for each in Enforcement if each.fails_closed] == [Enforcement.FILTER, Enforcement.BOTH]


def test_names_of_custom_traits():
    assert is_trait_name(TRAIT)
    for wrong in ("TRUSTED_HOST", "CUSTOM_", "CUSTOM_a", "CUSTOM_A\n", "CUSTOM_" + "A" * 249, "CUSTOM_Ä"):
        assert not is_trait_name(wrong)


VALUES = st.sampled_from(["required", "forbidden", "trusted", "untrusted", ""])
KEYS = st.sampled_from([f"trait:{TRAIT}", "trust:trusted_host", "trusted_host", "hw:mem_page_size", "trait:CUSTOM_X"])


@given(specs=st.dictionaries(KEYS, VALUES), enforcement=st.sampled_from([*Enforcement, None]))
def test_a_change_does_what_it_says_and_touches_nothing_else(specs, enforcement):
    after = applied(specs, change(specs, enforcement, TRAIT))
    assert enforced(after, TRAIT) is enforcement
    assert not change(after, enforcement, TRAIT)
    ours = demands(Enforcement.BOTH, TRAIT).keys()
    assert {key: value for key, value in after.items() if key not in ours} == {
        key: value for key, value in specs.items() if key not in ours
    }


@given(specs=st.dictionaries(st.sampled_from(["trusted_host", "hw:x", "trait:CUSTOM_X"]), VALUES))
def test_undoing_brings_back_what_was(specs):
    for enforcement in Enforcement:
        there = applied(specs, change(specs, enforcement, TRAIT))
        assert applied(there, change(there, None, TRAIT)) == specs
