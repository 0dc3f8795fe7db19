"""Which values approved baselines let registers have, as lists."""

from datetime import timedelta

import pytest

from txt_dashboard.attest.allowed import MOST_VALUES, CannotAllow, allowed_by
from txt_dashboard.attest.eventlog.varying import EventBaseline, Expected
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement, Rules

PLATFORM = Requirement(Part.PLATFORM, Bank.SHA256, frozenset({0, 4}))
VMM = Requirement(Part.VMM, Bank.SHA256, frozenset({17}))


def golden(part: Part, bank: Bank = Bank.SHA256, **values: int) -> Baseline:
    """Its registers hold one byte over and over: `golden(Part.VMM, r17=1)`."""
    held = {int(name[1:]): bytes([byte]) * bank.size for name, byte in values.items()}
    return Baseline(f"{part} {values}", part, bank, held)


def rules(*baselines: Baseline, needs: tuple[Requirement, ...] = (PLATFORM, VMM)) -> Rules:
    return Rules(Policy(needs, timedelta(minutes=5), word_is_enough=not needs), baselines)


def test_a_register_may_have_the_value_of_any_baseline() -> None:
    found = allowed_by(
        rules(golden(Part.PLATFORM, r0=1, r4=2), golden(Part.PLATFORM, r0=1, r4=3), golden(Part.VMM, r17=4))
    )
    assert found.values == {0: {b"\1" * 32}, 4: {b"\2" * 32, b"\3" * 32}, 17: {b"\4" * 32}}
    assert found.bank is Bank.SHA256


def test_only_registers_that_are_required_are_told() -> None:
    found = allowed_by(rules(golden(Part.PLATFORM, r0=1, r4=2, r7=3), golden(Part.VMM, r17=4, r18=5)))
    assert sorted(found.values) == [0, 4, 17]


def test_a_baseline_that_covers_less_than_is_required_adds_nothing() -> None:
    some = rules(golden(Part.PLATFORM, r0=1, r4=2), golden(Part.PLATFORM, r0=9), golden(Part.VMM, r17=4))
    assert allowed_by(some).values[0] == {b"\1" * 32}


def test_equal_keys_allow_the_same_in_whatever_order() -> None:
    one, other = golden(Part.VMM, r17=1), golden(Part.VMM, r17=2)
    platform = golden(Part.PLATFORM, r0=1, r4=2)
    assert allowed_by(rules(platform, one, other)).key == allowed_by(rules(other, platform, one)).key
    assert allowed_by(rules(platform, one)).key != allowed_by(rules(platform, one, other)).key


@pytest.mark.parametrize(
    ("some", "why"),
    [
        (rules(golden(Part.PLATFORM, r0=1, r4=2)), "no approved baseline in force names all sha256 registers"),
        (rules(golden(Part.PLATFORM, r0=1, r4=2), golden(Part.VMM, Bank.SHA1, r17=4)), "part vmm"),
        (rules(needs=()), "requires no register"),
        (rules(needs=(PLATFORM, Requirement(Part.VMM, Bank.SHA1, frozenset({17})))), "two banks"),
        (
            rules(golden(Part.PLATFORM, r0=1, r4=2), *(golden(Part.VMM, r17=n) for n in range(MOST_VALUES + 1))),
            "register 17 has 65 approved values",
        ),
    ],
)
def test_what_lists_can_not_tell_says_why(some: Rules, why: str) -> None:
    with pytest.raises(CannotAllow, match=why):
        allowed_by(some)


def test_a_baseline_that_judges_by_events_can_not_be_told() -> None:
    need = Requirement(Part.PLATFORM, Bank.SHA256, frozenset({5}))
    events = EventBaseline(5, Bank.SHA256, (Expected(b"\1" * 32),))
    varying = Baseline("by events", Part.PLATFORM, Bank.SHA256, {5: events.value}, events={5: events})
    with pytest.raises(CannotAllow, match="baseline by events judges register 5 by its events"):
        allowed_by(rules(golden(Part.PLATFORM, r5=4), varying, needs=(need,)))
