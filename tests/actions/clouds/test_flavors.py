"""A person makes a flavor a trusted one, or an ordinary one again: who may, with which reason, and by which specs."""

import pytest

from tests.actions.clouds.conftest import TRAIT
from tests.actions.clouds.toggling import ASKED, REQUIRED, SET, SPECS, shown, told
from tests.people import person
from txt_dashboard.actions.permissions import COMMAND_LINE, Conflict, Invalid, NotAllowed, NotFound, Role
from txt_dashboard.cloud.enforcement import Enforcement
from txt_dashboard.models import Activity


@pytest.mark.parametrize(
    ("by", "specs"), [(None, REQUIRED), ("trait", REQUIRED), ("filter", ASKED), ("both", REQUIRED | ASKED)]
)
def test_a_flavor_becomes_trusted_and_ordinary_again(flavor, toggle, clock, by, specs):
    others = dict(flavor.specs)
    toggle(by=Enforcement(by) if by else None)
    assert flavor.specs == others | specs
    assert shown(clock).enforced == (by or "trait")
    toggle(trusted=False)
    assert flavor.specs == others
    assert not shown(clock).trusted


def test_the_settings_choose_the_enforcement(flavor, toggle, settings):
    settings.TXT_ENFORCEMENT = Enforcement.BOTH
    toggle()
    assert flavor.specs.keys() >= (REQUIRED | ASKED).keys()


def test_the_trait_is_there_before_it_is_required(flavor, living, toggle):
    living.traits.clear()
    toggle()
    calls = [f"{each.method} {each.path}" for each in living.asked]
    assert calls.index(f"PUT /placement/traits/{TRAIT}") < calls.index(SET)


def test_another_enforcement_is_set_before_the_old_one_is_unset(flavor, living, toggle):
    toggle(by=Enforcement.TRAIT)
    living.asked.clear()
    toggle(by=Enforcement.FILTER)
    assert flavor.specs == {"hw:cpu_policy": "shared"} | ASKED
    writes = [each.method for each in living.asked if each.path.startswith(SPECS) and each.method != "GET"]
    assert writes == ["POST", "DELETE"]


def test_the_log_says_what_was_intended_and_what_came_of_it(flavor, toggle):
    toggle(reason="Contract 12.")
    (_, intended), (actor, outcome) = told()
    assert intended["reason"] == "Contract 12."
    assert intended["before"] == {f"trait:{TRAIT}": None}
    assert intended["after"] == REQUIRED
    assert intended["intended"] is True
    assert (actor, outcome["outcome"]) == ("ada", "done")
    assert Activity.objects.get(of__isnull=False, verb="set flavor trust").target == "m1"


def test_what_is_so_already_is_no_act(flavor, toggle, living):
    toggle()
    toggle()
    assert len(told()) == 2


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_administrators_may(flavor, toggle, living, role):
    asked = len(living.asked)
    with pytest.raises(NotAllowed):
        toggle(actor=person("eve", role))
    assert len(living.asked) == asked


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_it_takes_a_reason(flavor, toggle, reason):
    with pytest.raises(Invalid):
        toggle(reason=reason)
    assert told() == []


def test_a_flavor_that_nobody_knows_is_not_there(flavor, toggle):
    with pytest.raises(NotFound):
        toggle(flavor_id="2")


def test_a_flavor_that_was_deleted_meanwhile_is_not_there(flavor, toggle, living, look):
    del living.flavors["1"]
    with pytest.raises(NotFound, match="any more"):
        toggle()
    assert told() == []


def test_a_demand_that_is_not_ours_keeps_a_flavor_trusted_and_is_told(flavor, toggle, look):
    flavor.specs[f"trait1:{TRAIT}"] = "required"
    look()
    with pytest.raises(Conflict, match=f"trait1:{TRAIT}"):
        toggle(trusted=False)
    assert told() == []


def test_the_command_line_may(flavor, toggle, clock):
    toggle(actor=COMMAND_LINE)
    assert shown(clock).trusted
