"""Hosts as programs read them."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.callers import caller, post
from tests.factories import evidence, value
from txt_dashboard.actions.permissions import Role
from txt_dashboard.models import PollRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(fleet):
    fleet(hv1=None, hv2=evidence({17: value("other")}), hv3=None)
    return caller(Role.OPERATOR)


def names(answer) -> list[str]:
    return [each["name"] for each in answer.json()["items"]]


def test_all_hosts_with_their_states(program):
    told = program.get("/v1/hosts").json()
    assert [(each["name"], each["state"], each["differing"]) for each in told["items"]] == [
        ("hv1", "trusted", []), ("hv2", "untrusted", [17]), ("hv3", "trusted", []),
    ]  # fmt: skip
    assert told["next"] is None


def test_a_filter_and_a_search_leave_the_rest_out(program):
    assert names(program.get("/v1/hosts?state=untrusted")) == ["hv2"]
    assert names(program.get("/v1/hosts?q=hv3")) == ["hv3"]
    assert names(program.get("/v1/hosts?pool=nowhere")) == []
    assert names(program.get("/v1/hosts?pool=az1&state=trusted")) == ["hv1", "hv3"]


@pytest.mark.parametrize("sort", ["name", "since"])
def test_pages_join_without_a_gap(program, sort):
    seen, marker = [], ""
    while marker is not None:
        answer = program.get("/v1/hosts", {"limit": 1, "sort": sort, "marker": marker})
        seen += names(answer)
        marker = answer.json()["next"]
    assert sorted(seen) == ["hv1", "hv2", "hv3"]
    assert len(seen) == 3


@pytest.mark.parametrize(
    "query", ["limit=101", "limit=0", "state=green", "sort=size", "sort=since&marker=x", "q=a%00"]
)
def test_what_makes_no_sense_is_refused_with_its_place(program, query):
    answer = program.get(f"/v1/hosts?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_one_host_and_what_its_servers_say(program):
    told = program.get("/v1/hosts/hv2").json()
    assert (told["state"], told["reason"]) == ("untrusted", "registers_differ")
    assert [(each["server"], each["match"], each["counts"]) for each in told["servers"]] == [
        ("oat-1", "untrusted", True)
    ]


def test_the_difference_names_golden_and_actual(program):
    (server,) = program.get("/v1/hosts/hv2/diff").json()["servers"]
    (row,) = server["differing"]
    assert (row["index"], row["golden"], row["actual"]) == (17, value("good 17").hex(), value("other").hex())
    assert row["measures"]
    assert [each["index"] for each in server["matching"]] == [0, 7, 18]


def test_the_history_tells_of_each_change(program):
    (event,) = program.get("/v1/hosts/hv2/history").json()["items"]
    assert (event["previous_state"], event["state"]) == ("unknown", "untrusted")


def test_the_evidence_holds_every_register(program):
    (held,) = program.get("/v1/hosts/hv1/evidence").json()["evidence"]
    assert held["registers"]["sha1"]["17"] == value("good 17").hex()


def test_a_host_that_is_not_there_is_said_to_be_missing(program):
    for path in ("", "/diff", "/history", "/evidence", "/log", "/candidates"):
        assert program.get(f"/v1/hosts/hv9{path}").status_code == 404


def test_answers_about_one_host_begin_with_its_state(program):
    for path in ("", "/diff", "/history", "/evidence", "/log", "/candidates"):
        told = program.get(f"/v1/hosts/hv2{path}").json()
        assert (told["name"], told["pool"], told["state"], told["reason"]) == (
            "hv2", "az1", "untrusted", "registers_differ",
        ), path  # fmt: skip


def test_a_list_and_a_difference_say_which_changes_come_after_them(program, fleet):
    for path in ("", "/hv2/diff"):
        version = program.get(f"/v1/hosts{path}").json()["version"]
        assert program.get("/v1/status", {"since": version}).json()["changed"] == []
    fleet(hv4=None)
    (changed,) = program.get("/v1/status", {"since": version}).json()["changed"]
    assert changed["host"] == "hv4"


def test_without_a_quote_there_is_no_log(program):
    told = program.get("/v1/hosts/hv2/log").json()
    assert (told["items"], told["problem"]) == ([], "No quote came for this host, so there is no event log.")


def test_what_a_host_shows_can_be_proposed_as_it_is_offered(program):
    assert [each["proposable"] for each in program.get("/v1/hosts/hv2/diff").json()["servers"]] == [["vmm"]]
    offered = {each["part"]: each for each in program.get("/v1/hosts/hv2/candidates").json()["items"]}
    vmm = offered["vmm"]
    assert (vmm["refused"], vmm["waiting"]) == ([], None)
    made = post(program, "/v1/baselines", {"title": "VMM", "reason": "It is good.", "document": vmm["document"]})
    assert made.status_code == 201, made.content
    (again,) = [each for each in program.get("/v1/hosts/hv2/candidates").json()["items"] if each["part"] == "vmm"]
    assert (again["waiting"], again["document_hash"]) == (made.json()["id"], vmm["document_hash"])


def test_attesting_asks_for_the_host(program):
    answer = post(program, "/v1/hosts/hv1/attest")
    assert answer.status_code == 202
    poll = PollRequest.objects.get()
    assert (answer.json()["id"], poll.host.name, poll.requested_by) == (poll.pk, "hv1", "a-operator by key test")
    told = program.get(f"/v1/polls/{poll.pk}").json()
    assert (told["progress"]["done"], told["progress"]["total"]) == (0, 1)


def test_the_export_has_a_line_for_each_host(program):
    answer = program.get("/v1/export/hosts")
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert [each["name"] for each in lines] == ["hv1", "hv2", "hv3"]
    assert lines == program.get("/v1/hosts").json()["items"]


def test_a_page_costs_the_same_queries_for_few_and_many_hosts(program):
    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            program.get(f"/v1/hosts?limit={limit}")
        return len(captured)

    queries(1)
    assert queries(1) == queries(100)
