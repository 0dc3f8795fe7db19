"""The fleet as programs follow it, and the records beside it."""

import pytest

from tests.api.callers import caller, post
from tests.factories import evidence, value
from txt_dashboard.actions.permissions import Role
from txt_dashboard.models import PollRequest, Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(fleet):
    fleet(hv1=None, hv2=evidence({17: value("other")}))
    return caller(Role.OPERATOR)


def test_the_summary_counts_hosts_by_state_and_pool(program):
    told = program.get("/v1/summary").json()
    counts = {"trusted": 1, "untrusted": 1, "stale": 0, "unknown": 0}
    assert (told["total"], told["hosts"], told["trouble"], told["refused"]) == (2, counts, True, "")
    assert told["pools"] == [{"pool": "az1", "hosts": counts}]


def test_the_overview_is_the_summary_the_changes_and_the_latest_activity(program):
    told = program.get("/v1/overview").json()
    summary, changes = program.get("/v1/summary").json(), program.get("/v1/changes").json()
    assert {**told["summary"], "at": ""} == {**summary, "at": ""}
    assert told["changes"] == changes
    assert told["activity"] == program.get("/v1/activity?limit=10").json()["items"]


def test_the_hosts_of_one_server_are_polled(program):
    made = post(program, "/v1/polls", {"server": "oat-1"})
    assert (made.status_code, made.json()["server"], made.json()["total"]) == (202, "oat-1", 2)
    told = program.get(f"/v1/polls/{made.json()['id']}").json()
    assert (told["poll"]["server"], told["progress"]["total"]) == ("oat-1", 2)
    assert post(program, "/v1/polls", {"server": "oat-9"}).status_code == 404
    assert post(program, "/v1/polls", {"server": "oat-1", "pool": "az1"}).status_code == 400


def test_a_test_of_a_server_waits_for_a_worker(program):
    answer = post(program, "/v1/servers/oat-1/test")
    assert (answer.status_code, answer.json()["test"]) == (202, "running")
    assert post(program, "/v1/servers/oat-9/test").status_code == 404


def test_nothing_changed_is_said_without_a_body(program):
    first = program.get("/v1/status")
    again = program.get("/v1/status", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_changed_since_a_version_is_named_once(program, fleet):
    known = program.get("/v1/status").json()
    assert known["changed"] == []
    fleet(hv3=None)
    told = program.get("/v1/status", {"since": known["version"]}).json()
    assert [(each["host"], each["state"]) for each in told["changed"]] == [("hv3", "trusted")]
    assert (told["more"], told["version"] != known["version"]) == (False, True)
    assert program.get("/v1/status", {"since": told["version"]}).json()["changed"] == []


@pytest.mark.parametrize("since", ["x", "1-2", "1-2-3-4-5-" + "9" * 30])
def test_a_version_that_is_none_is_refused(program, since):
    assert program.get("/v1/status", {"since": since}).status_code == 400


def test_changes_lead_to_the_hosts_that_drifted_alike(program):
    (change,) = program.get("/v1/changes").json()["items"]
    assert (change["hosts"], change["registers"]) == (1, [17])
    found = program.get("/v1/hosts", {"group": change["group"]}).json()["items"]
    assert [each["name"] for each in found] == ["hv2"]


def test_polls_are_asked_for_and_listed_page_by_page(program):
    for body in ({}, {"pool": "az1"}, {"host": "hv1"}):
        assert post(program, "/v1/polls", body).status_code == 202
    assert post(program, "/v1/polls", {"pool": "az1", "host": "hv1"}).status_code == 400
    assert post(program, "/v1/polls", {"host": "hv9"}).status_code == 404
    first = program.get("/v1/polls?limit=2").json()
    rest = program.get("/v1/polls", {"limit": 2, "marker": first["next"]}).json()
    assert [each["total"] for each in first["items"] + rest["items"]] == [1, 2, 2]
    assert rest["next"] is None
    assert program.get(f"/v1/polls/{PollRequest.objects.latest('pk').pk + 1}").status_code == 404


def test_the_log_names_the_key_that_acted(program):
    post(program, "/v1/hosts/hv1/attest")
    (entry,) = program.get("/v1/activity?verb=poll").json()["items"]
    assert (entry["actor"], entry["host"]) == ("a-operator by key test", "hv1")


def test_pages_of_the_log_join_without_a_gap(program):
    everything = [each["id"] for each in program.get("/v1/activity?limit=100").json()["items"]]
    seen, marker = [], ""
    while marker is not None:
        page = program.get("/v1/activity", {"limit": 2, "marker": marker}).json()
        seen += [each["id"] for each in page["items"]]
        marker = page["next"]
    assert seen == everything


def test_servers_are_told_without_their_secrets(program):
    answer = program.get("/v1/servers")
    (server,) = answer.json()["items"]
    assert (server["name"], server["counts"], server["hosts"]["fresh"]) == ("oat-1", True, 1)
    assert b"auth_blob" not in answer.content


def test_a_server_tells_how_often_tpms_quote(program):
    Server.objects.update(quote_interval_s=300)
    (server,) = program.get("/v1/servers").json()["items"]
    assert (server["interval_s"], server["quote_interval_s"]) == (60, 300)
