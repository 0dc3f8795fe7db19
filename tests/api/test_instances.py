"""What members of a project are told of their own instances, and what others are told of all."""

import json
import re
from collections.abc import Iterator

import pytest
from django.utils import timezone

from tests.api import owners
from tests.api.callers import caller
from tests.api.owners import BANK, WEB, World, items
from tests.cloud.fake import answer, serve
from tests.cloud.owning import OwningCloud
from tests.factories import evidence
from txt_dashboard.actions.permissions import Role
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.models import Attestation, Cloud, Host, StakeInterval, TraitHold

KINDS = ("good", "bad", "old", "dark", "moving", "shelved", "lost")
pytestmark = pytest.mark.django_db


@pytest.fixture
def world(fleet, clock, settings, tmp_path) -> Iterator[World]:
    with serve(OwningCloud()) as cloud:
        owners.name_cloud(cloud, settings, tmp_path)
        fleet(hv1=None, hv2=evidence(at=clock(), verdict=Verdict.UNTRUSTED), hv3=None)
        Attestation.objects.filter(host__name="hv3").update(valid_until=timezone.now())
        owners.populate(cloud)
        yield World(cloud)


def test_an_owner_is_told_how_the_hosts_of_their_own_instances_stand(world):
    told = items(world.tenant.get("/v1/instances"))
    said = {name: (each["state"], each["why_class"], each["asks"], each["at_stake"]) for name, each in told.items()}
    assert said == {
        "web0-good": ("trusted", "as_approved", True, False),
        "web0-bad": ("untrusted", "not_as_approved", True, True),
        "web0-old": ("stale", "evidence_old", True, True),
        "web0-dark": ("unknown", "not_attested", False, False),
        "web0-moving": ("unknown", "on_its_way", True, False),
        "web0-shelved": ("unknown", "no_host", True, False),
        "web0-lost": ("unknown", "host_not_known", True, True),
    }
    assert {each["host"] for each in told.values()} == {None}
    assert told["web0-good"]["enforced"] == "trait"


def test_times_are_told_to_five_minutes(world):
    for each in items(world.tenant.get("/v1/instances")).values():
        assert each["since"] is None or re.search(r":\d[05]:00Z$", each["since"]), each


def test_the_answer_says_what_it_does_not_mean(world):
    told = world.tenant.get("/v1/instances").json()
    assert "attacks inside an instance" in told["means_not"]
    assert (told["cloud"], told["project"], told["problem"]) == ("east", WEB, "")
    one = world.tenant.get("/v1/instances/web0-bad").json()
    assert (one["state"], one["means_not"]) == ("untrusted", told["means_not"])


def test_instances_of_other_projects_are_not_there(world):
    assert world.tenant.get("/v1/instances/bank-good").status_code == 404
    # A cloud's administrator, with a token for this project: Nova would show all to them.
    admin_of_web = world.caller("ada", WEB, "admin")
    assert admin_of_web.get("/v1/instances/bank-good").status_code == 404
    assert set(items(admin_of_web.get("/v1/instances"))) == {f"web0-{each}" for each in KINDS}


@pytest.mark.parametrize("query", ["all=true", f"project={WEB}", "host=hv1", "at_stake=true"])
def test_an_owner_may_ask_for_nothing_more(world, query):
    assert world.tenant.get(f"/v1/instances?{query}").status_code == 403


def test_pages_of_an_owner(world):
    browser, seen, marker = world.tenant, [], ""
    while marker is not None:
        told = browser.get(f"/v1/instances?limit=3&marker={marker}").json()
        seen += [each["id"] for each in told["items"]]
        marker = told["next"]
    assert seen == [f"web0-{each}" for each in KINDS]
    assert browser.get("/v1/instances?marker=nonsense").status_code == 400


def test_a_held_host_is_unknown_to_owners(world):
    east, host = Cloud.objects.get(), Host.objects.get(name="hv1")
    TraitHold.objects.create(
        cloud=east, provider="u1", root="u1", name="x", host=host, at_first=False, found_at=timezone.now()
    )
    told = items(world.tenant.get("/v1/instances"))["web0-good"]
    assert (told["state"], told["why_class"], told["since"]) == ("unknown", "held", None)


def test_two_hypervisors_of_one_service_are_told_apart_by_nobody(world):
    Cloud.objects.get().hosts.filter(provider="u4").update(service_host="compute-service-1")
    assert items(world.tenant.get("/v1/instances"))["web0-good"]["state"] == "unknown"


def test_nobody_is_trusted_on_the_word_of_a_server_that_no_longer_counts(world):
    Attestation.objects.filter(host__name="hv1").delete()
    assert items(world.tenant.get("/v1/instances"))["web0-good"]["state"] != "trusted"


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_cloud_that_can_not_be_asked_is_told_and_nothing_made_up(world, status):
    world.cloud.nova_status = status
    told = world.tenant.get("/v1/instances").json()
    assert (told["items"], told["read_at"]) == ([], None)
    assert told["problem"].startswith("The cloud could not be asked")
    assert world.tenant.get("/v1/instances/web0-good").status_code == 503


def test_without_a_cloud_there_is_nothing(world, settings):
    settings.TXT_CLOUDS = []
    Cloud.objects.all().delete()
    told = world.tenant.get("/v1/instances").json()
    assert (told["cloud"], told["items"]) == (None, [])
    assert told["problem"]
    assert world.administrator.get("/v1/instances?all=true").json()["cloud"] is None


def test_whoever_has_a_role_sees_all_and_where_they_are(world):
    told = items(world.administrator.get("/v1/instances?all=true"))
    assert set(told) == set(world.cloud.servers)
    assert (told["bank-good"]["host"], told["bank-dark"]["host"]) == ("hv1", "compute-service-4")
    assert {name: each["state"] for name, each in told.items() if name[:4] == "web0"} == {
        name: each["state"] for name, each in items(world.tenant.get("/v1/instances")).items()
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"project={BANK}", {f"bank-{each}" for each in KINDS}),
        ("host=hv2", {"bank-bad", "web0-bad"}),
        ("host=compute-service-4", {"bank-dark", "web0-dark"}),
        (f"at_stake=true&project={WEB}", {"web0-bad", "web0-old", "web0-lost"}),
    ],
)
def test_all_can_be_filtered(world, query, expected):
    assert set(items(world.administrator.get(f"/v1/instances?{query}"))) == expected


def test_a_key_has_no_project_and_asks_for_all(world):
    program = caller(Role.VIEWER)
    assert program.get("/v1/instances").status_code == 400
    assert len(items(program.get("/v1/instances?all=true"))) == 14
    assert program.get("/v1/instances/bank-bad").json()["host"] == "hv2"
    assert program.get("/v1/instances/nobody").status_code == 404
    assert program.get("/v1/instances?all=true&cloud=west").status_code == 400
    assert program.get("/v1/instances?all=true&marker=nonsense").status_code == 400


def test_the_intervals_are_listed_and_exported_by_project_and_period(world):
    program = caller(Role.VIEWER)
    rows = program.get(f"/v1/stakes?project={WEB}").json()["items"]
    assert {each["instance_id"] for each in rows} == {"web0-bad", "web0-old", "web0-lost"}
    lines = b"".join(program.get("/v1/export/stakes")).splitlines()
    assert len(lines) == StakeInterval.objects.count() == 6
    assert json.loads(lines[0])["ending"] == ""
    assert program.get("/v1/stakes?until=2020-01-01T00:00:00Z").json()["items"] == []
    assert program.get("/v1/stakes?since=2020-01-01T00:00:00Z&limit=2").json()["next"]


def test_a_tenant_gets_nothing_else(world):
    for path in ("/v1/summary", "/v1/hosts", "/v1/stakes", "/v1/export/stakes", "/v1/activity", "/v1/status"):
        assert world.tenant.get(path).status_code == 403, path


def test_a_token_for_no_project_sees_nothing(world):
    assert world.caller("mia", "").get("/v1/instances").status_code == 403


def test_a_nova_that_says_what_nova_does_not_say_is_a_problem(world):
    world.cloud.on("GET /nova/v2.1/servers/detail", answer({"servers": [{"id": "x", "secret": "compute-service-1"}]}))
    told = world.tenant.get("/v1/instances")
    assert told.json()["problem"]
    assert b"compute-service-1" not in told.content
