"""Flavors by program: the list, one of them, and asking for trusted hosts."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from tests.api.callers import caller, send
from tests.cloud.fake import answer
from tests.cloud.living import LivingCloud
from tests.clouds import REQUIRED, TRAIT, connected, look
from txt_dashboard.actions.governance import keys
from txt_dashboard.actions.permissions import Role
from txt_dashboard.models import Activity, Cloud, CloudFlavor

pytestmark = pytest.mark.django_db
SET = "POST /nova/v2.1/flavors/f-1/os-extra_specs"


@pytest.fixture
def cloud(tmp_path, settings, fleet, clock) -> Iterator[LivingCloud]:
    keys.create()
    fleet(hv1=None, hv2=None)
    with connected(tmp_path, settings) as made:
        clock.now = timezone.now()
        look(clock)
        yield made


@pytest.fixture
def ada():
    return caller(Role.ADMINISTRATOR, name="ada")


@pytest.fixture
def put(ada):
    """Asks for it with the hash that the flavor has now, unless told otherwise."""

    def do(flavor: str = "f-1", **changes: object):
        seen = ada.get(f"/v1/flavors/{flavor}").json().get("specs_hash", "0" * 64)
        body = {"trusted": True, "reason": "Contract 12.", "specs_hash": seen, **changes}
        return send(ada, "PUT", f"/v1/flavors/{flavor}/trust", body)

    return do


def test_all_flavors_with_what_holds_for_all(cloud, ada):
    told = ada.get("/v1/flavors").json()
    items = {each["name"]: each for each in told.pop("items")}
    assert told.pop("read_at")
    assert told.pop("version")
    assert told == {
        "cloud": "east",
        "simulated": False,
        "problem": "",
        "enforcement": "trait",
        "trait": TRAIT,
        "trusted_hosts": 2,
        "warnings": [],
        "why_not": None,
        "next": None,
    }
    assert items["m1.safe"] | {"specs_hash": ""} == {
        "id": "f-2",
        "name": "m1.safe",
        "public": True,
        "vcpus": 1,
        "ram_mib": 512,
        "disk_gib": 1,
        "trusted": True,
        "enforced": "trait",
        "fails_closed": False,
        "capacity": 2,
        "instances": 0,
        "old_demand": 0,
        "specs_hash": "",
        "warnings": [],
    }
    assert (items["m1.small"]["trusted"], items["m1.small"]["enforced"]) == (False, None)


def test_without_a_cloud_there_is_nothing_and_a_sentence(db, ada):
    told = ada.get("/v1/flavors").json()
    assert (told["cloud"], told["items"], told["problem"]) == (None, [], "No cloud is connected.")
    assert ada.get("/v1/flavors/f-1").status_code == 404
    assert ada.get("/v1/flavors?cloud=west").status_code == 404


def test_flavors_come_in_pages(cloud, ada):
    first = ada.get("/v1/flavors?limit=1").json()
    second = ada.get("/v1/flavors", {"limit": 1, "marker": first["next"]}).json()
    assert [each["name"] for each in first["items"] + second["items"]] == ["m1.safe", "m1.small"]
    assert second["next"] is None


def test_one_flavor_with_what_a_decision_needs(cloud, ada):
    told = ada.get("/v1/flavors/f-1").json()
    assert (told["name"], told["cloud"], told["problem"], told["why_not"]) == ("m1.small", "east", "", None)
    told = caller(Role.VIEWER, name="vera").get("/v1/flavors/f-1").json()
    assert "needs one of these roles: administrator" in told["why_not"]


@pytest.mark.parametrize("enforcement", ["trait", "filter", "both"])
def test_one_flavor_says_what_enforces_it_where_nobody_chooses(cloud, ada, put, settings, enforcement):
    settings.TXT_ENFORCEMENT = enforcement
    assert ada.get("/v1/flavors/f-1").json()["enforcement"] == enforcement
    assert put(enforcement=None).json()["enforced"] == enforcement


def test_an_administrators_key_makes_it_trusted_and_ordinary_again(cloud, put):
    told = put().json()
    assert (told["trusted"], told["enforced"]) == (True, "trait")
    assert cloud.flavors["f-1"].specs.items() >= REQUIRED.items()
    told = put(enforcement="both").json()
    assert (told["enforced"], told["fails_closed"]) == ("both", True)
    assert put(trusted=False).json()["trusted"] is False
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"}
    entry = Activity.objects.filter(verb="set flavor trust", of=None).first()
    assert (entry.actor, entry.detail["reason"]) == ("ada by key test", "Contract 12.")


def test_what_changed_since_it_was_seen_is_a_conflict(cloud, put):
    assert put(specs_hash="0" * 64).status_code == 409
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"}


def test_what_the_cloud_refuses_is_told(cloud, put, ada):
    cloud.on(SET, answer({}, 403))
    answered = put()
    assert answered.status_code == 502
    assert answered["Content-Type"] == "application/problem+json"
    assert "the account needs the role admin" in answered.json()["detail"]
    assert ada.get("/v1/flavors/f-1").json()["trusted"] is False


def test_while_nobody_knows_what_came_of_it_it_is_not_trusted(cloud, put, ada):
    cloud.on(SET, answer({}, 503))
    assert put().status_code == 502
    told = ada.get("/v1/flavors/f-1").json()
    assert [each["code"] for each in told["warnings"]] == ["in_doubt"]
    assert (told["trusted"], told["enforced"], told["fails_closed"], told["old_demand"]) == (False, None, None, None)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reason": ""}, 400),
        ({"reason": "  "}, 400),
        ({"enforcement": "magic"}, 400),
        ({"trusted": None}, 400),
        ({"specs_hash": "x"}, 400),
        ({"more": 1}, 400),
    ],
)
def test_what_cannot_be_used_is_refused(cloud, put, changes, status):
    assert put(**changes).status_code == status
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"}


def test_a_flavor_that_is_not_there(cloud, put):
    assert put("f-9", specs_hash="0" * 64).status_code == 404


def test_of_several_clouds_the_first_by_name_unless_one_is_named(cloud, ada, settings):
    settings.TXT_CLOUDS = ["east", "west"]
    CloudFlavor.objects.create(
        cloud=Cloud.objects.create(name="west"), flavor_id="w", name="w", public=True, vcpus=1, ram_mib=1, disk_gib=0
    )
    assert ada.get("/v1/flavors").json()["cloud"] == "east"
    told = ada.get("/v1/flavors?cloud=west").json()
    assert ([each["id"] for each in told["items"]], told["items"][0]["capacity"]) == (["w"], 0)
    assert ada.get("/v1/flavors/w").status_code == 404
    assert ada.get("/v1/flavors/w?cloud=west").status_code == 200
