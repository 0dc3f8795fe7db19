"""A Keylime leaves an agent alone once it failed: it is reactivated when the host's own quote says so."""

import pytest

from tests.actions.policies.conftest import Fleet
from tests.servers.keylime_world import BOOTED
from txt_dashboard.models import Activity

pytestmark = pytest.mark.django_db
PCR = "pcr_validation.invalid_pcr_17"


def fails(fleet: Fleet, *, state: int = 9, event: str | None = PCR, name: str = "hv2") -> None:
    at = int(fleet.now().timestamp())
    fleet.agents[name].says |= {
        "operational_state": state, "attestation_status": "FAIL", "last_event_id": event, "last_received_quote": at,
    }  # fmt: skip
    fleet.turn(70)


def test_who_matches_again_is_reactivated_and_attested_again(fleet: Fleet) -> None:
    fleet.agents["hv2"].values[17] = bytes(32)
    fleet.turn(70)
    assert fleet.states()["hv2"] == "untrusted"
    fleet.turn(30)
    assert fleet.told() == []
    fleet.agents["hv2"].values[17] = BOOTED[17]
    fleet.turn(70)
    fleet.turn(30)
    assert fleet.told() == ["PUT agent-hv2"]
    fleet.turn(70)
    assert fleet.states()["hv2"] == "trusted"
    begun, done = Activity.objects.filter(host="hv2", verb__contains="reactivate").order_by("id")
    assert (begun.verb, done.verb, done.of) == ("reactivate agent", "agent reactivated", begun.id)
    assert begun.detail["failed with"] == PCR


def test_an_agent_is_reactivated_once_in_five_minutes(fleet: Fleet) -> None:
    fleet.world.obeys = lambda method, _: False
    fails(fleet)
    for _ in range(4):
        fleet.turn(61)
    assert fleet.told() == ["PUT agent-hv2"]
    for _ in range(3):
        fleet.turn(61)
    assert fleet.told() == ["PUT agent-hv2"] * 2


def test_a_quote_from_before_the_failure_proves_nothing(fleet: Fleet) -> None:
    fails(fleet)
    fleet.agents["hv2"].says["last_received_quote"] = int(fleet.now().timestamp()) + 3600
    fleet.turn(30)
    assert fleet.told() == []
    assert "no newer quote" in fleet.stand("hv2").problem


@pytest.mark.parametrize("event", ["ima.validation.ima-ng.not_in_allowlist", "measured_boot.invalid_pcr_4"])
def test_what_a_quote_does_not_show_is_left_to_people(fleet: Fleet, event: str) -> None:
    fails(fleet, event=event)
    fleet.turn(30)
    fleet.turn(700)
    assert fleet.told() == []
    assert "quotes don't show" in fleet.stand("hv2").problem


def test_a_quote_that_came_late_is_no_mismatch_and_its_agent_is_reactivated(fleet: Fleet) -> None:
    fails(fleet, event="quote_validation.quote_validation")
    fleet.turn(30)
    assert fleet.told() == ["PUT agent-hv2"]


def test_an_agent_that_somebody_stopped_stays_so(fleet: Fleet) -> None:
    fails(fleet, state=10, event=None)
    fleet.turn(30)
    fleet.turn(700)
    assert fleet.told() == []
    assert "stopped it" in fleet.stand("hv2").problem


def test_an_agent_that_could_not_be_reached_is_reactivated_once_it_answers(fleet: Fleet) -> None:
    port = fleet.agents["hv2"].port
    fleet.agents["hv2"].registers["port"] = 1024
    fails(fleet, state=7, event="internal.verifier.not_reachable")
    fleet.turn(30)
    assert fleet.told() == []
    fleet.agents["hv2"].registers["port"] = port
    fleet.turn(30)
    assert fleet.told() == ["PUT agent-hv2"]


def test_an_agent_whose_key_changed_is_not_reactivated(fleet: Fleet) -> None:
    fleet.agents["hv2"].restart()
    fails(fleet)
    fleet.turn(30)
    assert fleet.told() == []


def test_nobody_is_reactivated_where_nothing_is_written(fleet: Fleet, settings) -> None:
    settings.TXT_KEYLIME_PUBLISH = []
    fails(fleet)
    fleet.turn(30)
    assert fleet.told() == []
