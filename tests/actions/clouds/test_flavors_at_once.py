"""Several people change a flavor at once, or somebody changed it since it was seen: nothing is overwritten."""

from datetime import timedelta

import pytest

from tests.actions.clouds.toggling import BUSY, REQUIRED, SET, shown, told
from tests.people import person
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.flavors import LASTS
from txt_dashboard.actions.permissions import Conflict, Role
from txt_dashboard.cloud.enforcement import Enforcement, digest
from txt_dashboard.models import CloudFlavor


def test_what_was_changed_since_it_was_seen_is_not_touched(flavor, toggle, clock):
    flavor.specs["hw:mem_page_size"] = "large"
    with pytest.raises(Conflict, match="since you saw them"):
        toggle()
    assert not REQUIRED.keys() & flavor.specs.keys()
    assert shown(clock).row.specs == flavor.specs  # now it is seen
    toggle()
    assert flavor.specs.items() >= REQUIRED.items()


def test_of_two_administrators_who_saw_the_same_one_has_an_effect(flavor, toggle):
    seen = digest(CloudFlavor.objects.get().specs)
    toggle(specs_hash=seen)
    with pytest.raises(Conflict):
        toggle(actor=person("bob", Role.ADMINISTRATOR), specs_hash=seen, by=Enforcement.FILTER)
    assert flavor.specs == {"hw:cpu_policy": "shared"} | REQUIRED
    assert [actor for actor, _ in told()] == ["ada", "ada"]


def test_while_one_is_at_it_the_other_is_told_so(flavor, toggle, accounts):
    bob = person("bob", Role.ADMINISTRATOR)

    def meanwhile(_name) -> Accounts:
        with pytest.raises(Conflict, match="Somebody else changes m1"):
            toggle(actor=bob)
        return accounts

    toggle(connect=meanwhile)
    assert flavor.specs.items() >= REQUIRED.items()
    assert len(told()) == 2


def test_a_claim_that_a_killed_process_left_behind_runs_out(flavor, toggle, clock):
    CloudFlavor.objects.update(changing_until=clock() + LASTS)
    with pytest.raises(Conflict):
        toggle()
    clock.now += LASTS + timedelta(seconds=1)
    toggle()
    assert shown(clock).trusted


def test_a_claim_by_a_clock_that_is_ahead_of_ours_holds_unless_it_never_ends(flavor, toggle, clock):
    CloudFlavor.objects.update(changing_until=clock() + LASTS + timedelta(milliseconds=1))
    with pytest.raises(Conflict):
        toggle()
    CloudFlavor.objects.update(changing_until=clock() + timedelta(days=1))
    toggle()
    assert shown(clock).trusted


def test_a_claim_ends_with_the_act_also_where_it_fails(flavor, toggle, living):
    living.on(SET, BUSY)
    for _ in range(2):
        with pytest.raises(Conflict, match="409"):
            toggle()
    assert CloudFlavor.objects.get().changing_until is None


def test_a_look_that_began_before_a_change_does_not_undo_it_on_the_page(flavor, clock, keeper):
    clock.advance(seconds=61)
    CloudFlavor.objects.update(specs=flavor.specs | REQUIRED, changed_at=clock() + timedelta(seconds=1))
    keeper.look_at_flavors()
    assert shown(clock).trusted
