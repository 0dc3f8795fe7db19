"""Event logs and why registers differ, as programs read them."""

import pytest

from tests.api.callers import caller
from tests.quoted_fleet import HOSTS, ODD
from txt_dashboard.actions.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(sim):
    """What a viewer's program reads once a host has drifted."""
    sim.drifted()
    return caller(Role.VIEWER)


def test_a_register_that_differs_says_what_the_logs_say(program):
    (server,) = program.get(f"/v1/hosts/{ODD}/diff").json()["servers"]
    whys = [row["why"] for row in server["differing"] if row["why"]]
    assert "The log says: grubx64.efi was replaced." in [each["sentence"] for each in whys]
    assert {event["how"] for each in whys for event in each["events"]} <= {"added", "removed", "changed", "moved"}


def test_a_log_is_read_page_by_page(program):
    seen, marker = [], ""
    while marker is not None:
        told = program.get(f"/v1/hosts/{ODD}/log", {"limit": 7, "marker": marker}).json()
        seen += [each["number"] for each in told["items"]]
        marker = told["next"]
    assert told["problem"] == ""
    assert seen == list(range(1, told["total"] + 1))


def test_a_log_is_searched_by_text_register_and_difference(program):
    whole, register, text, differing, none = (
        program.get(f"/v1/hosts/{ODD}/log?{query}").json()["found"]
        for query in ("", "index=4", "q=grub", "differing=true", "q=there-is-no-such-thing")
    )
    assert whole > register > 0
    assert whole > text > 0
    assert whole > differing > 0
    assert none == 0
    for odd in ("index=99", "index=x", "index=-1", "marker=x", "limit=101"):
        assert program.get(f"/v1/hosts/{ODD}/log?{odd}").status_code == 400


def test_it_says_to_which_values_the_log_leads(program):
    told = program.get(f"/v1/hosts/{HOSTS[0]}/log").json()
    assert (told["server"], told["servers"]) == (told["servers"][0], [told["server"]])
    assert "explained" in {each["standing"] for each in told["standings"]}
    assert program.get(f"/v1/hosts/{HOSTS[0]}/log?server=oat-9").json()["items"] == []
