"""What the members of a project are told of their own instances, by their own token: the truth, and no host."""

import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
import requests
from django.urls import get_resolver

from tests.e2e.waiting import eventually
from tests.openstack.accounts import PASSWORD
from tests.openstack.minicloud import HYPERVISORS
from tests.openstack.stage import OTHERS, PAIR, TRAIT, UNAPPROVED_KERNEL, Stage
from txt_dashboard.cloud.enforcement import Enforcement, demands

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]

ONE, OTHER = PAIR
# The name of one compute service is an ordinary word: it is looked for as a value by itself.
TOPOLOGY = re.compile(rb"compute\d|fake-mini|\"compute\"|oat-1|PCR|[0-9a-f]{40}\b", re.IGNORECASE)
# What names nothing and may yet hold any letters: host ids of the project's own, and tokens against forged forms.
HARMLESS = re.compile(rb"[0-9a-f]{56}|\b(?=[0-9a-f]*[g-zA-Z])(?:[A-Za-z0-9]{64}|[A-Za-z0-9]{32})\b")


@pytest.fixture
def member(accounts) -> str:
    """A token of somebody who is a member of a project, and nothing else."""
    return str(accounts["member"].session.get_token())


@pytest.fixture
def administrator(admin) -> str:
    return str(admin.session.get_token())


@pytest.fixture
def mine(stage, servers, accounts):
    """The member's instances: the compute service of each, by its id. Some ask for trust on each trusted host."""
    stage.shows_holders(*PAIR, why="the two never had the trait alone")
    wanted = {HYPERVISORS[name] for name in PAIR}
    flavor, ordinary = servers.flavor(demands(Enforcement.TRAIT, TRAIT)), servers.flavor()
    booted = servers.boot(flavor, who=accounts["member"])
    while set(servers.hosts(booted)) < wanted:  # which it takes depends on what the scheduler knows of the others
        assert len(booted) < 20, f"all of these are on one host: {servers.hosts(booted)}"
        booted += servers.boot(flavor, who=accounts["member"])
    booted += servers.boot(ordinary, 3, who=accounts["member"])
    return {each.id: next(iter(servers.hosts([each]))) for each in booted}


def told(answer: requests.Response) -> dict[str, dict[str, object]]:
    """The items of an answer by their ids, after a look at all of its bytes."""
    assert answer.status_code == 200, answer.text
    names_nothing(answer)
    return {each["id"]: each for each in answer.json()["items"]}


def told_of_all(stage: Stage, token: str) -> dict[str, dict[str, object]]:
    """Who is at stake, by their ids, to somebody who may see all."""
    return {each["id"]: each for each in stage.asks(token, "/v1/instances?at_stake=true").json()["items"]}


def names_nothing(answer: requests.Response) -> None:
    whole = answer.content + repr(dict(answer.headers)).encode()
    assert not TOPOLOGY.findall(HARMLESS.sub(b"", whole)), answer.text


def test_a_member_sees_how_their_hosts_stand_and_not_which_they_are(stage, servers, mine, member):
    servers.boot(servers.flavor())  # somebody else's
    shown = told(stage.asks(member, "/v1/instances"))
    assert shown.keys() == mine.keys()
    trusted = {HYPERVISORS[name] for name in PAIR}
    for id_, service in mine.items():
        assert shown[id_]["state"] == ("trusted" if service in trusted else "untrusted"), (service, shown[id_])
        assert shown[id_].get("host") is None
        since = datetime.fromisoformat(str(shown[id_]["since"]))
        assert (since.minute % 5, since.second) == (0, 0)
    assert sum(each["asks"] is False for each in shown.values()) == 3
    assert not any(each["at_stake"] for each in shown.values())

    # One of the two hosts changes: those on it, and no others, are told so at once.
    stage.cast.boot({OTHER: UNAPPROVED_KERNEL})
    stage.shows_holders(ONE, why=f"{OTHER} kept the trait")
    concerned = {id_ for id_, service in mine.items() if service == HYPERVISORS[OTHER]}
    shown = told(stage.asks(member, "/v1/instances"))
    untrusted = {HYPERVISORS[name] for name in (*OTHERS, OTHER)}
    assert {id_ for id_, each in shown.items() if each["state"] == "untrusted"} == {
        id_ for id_, service in mine.items() if service in untrusted
    }
    stakes = {id_ for id_, each in shown.items() if each["at_stake"]}
    assert stakes
    assert stakes <= concerned
    (one, *_) = stakes
    answer = stage.asks(member, f"/v1/instances/{one}")
    names_nothing(answer)
    assert (answer.json()["state"], answer.json()["at_stake"]) == ("untrusted", True)


def test_an_administrator_sees_who_is_at_stake_and_where(stage, mine, administrator):
    stage.cast.boot({OTHER: UNAPPROVED_KERNEL})
    stage.shows_holders(ONE, why=f"{OTHER} kept the trait")
    asking = [id_ for id_, service in mine.items() if service == HYPERVISORS[OTHER]]
    rows = eventually(
        lambda: told_of_all(stage, administrator),
        lambda rows: rows and rows.keys() <= set(asking),
        "nobody is at stake by the API",
    )
    assert {each["host"] for each in rows.values()} <= {OTHER, HYPERVISORS[OTHER]}
    # The interval begins with the next look at the instances.
    eventually(
        lambda: {each["instance_id"] for each in open_stakes(stage, administrator)},
        lambda ids: ids >= rows.keys(),
        "no interval is kept of those at stake",
    )


def open_stakes(stage: Stage, token: str) -> list[dict[str, object]]:
    """The intervals that last; the first page of all would show the first fifty of this whole story only."""
    now = datetime.now(UTC).isoformat()
    answer = stage.asks(token, f"/v1/stakes?{urlencode({'since': now, 'limit': 100})}").json()
    assert answer["next"] is None
    return [each for each in answer["items"] if each["until"] is None]


def test_a_member_gets_nothing_else_and_no_host_in_any_refusal(stage, mine, member):
    described = requests.get(f"{stage.product.address}/v1/openapi.json", timeout=30).json()
    routes = [path for path, methods in described["paths"].items() if "get" in methods]
    assert len(routes) > 10
    for path in routes:
        answer = stage.asks(member, re.sub(r"\{[^}]*\}", "1", path))
        names_nothing(answer)
        if not path.startswith("/v1/instances"):
            assert answer.status_code == 403, (path, answer.text)
    for query in ("all=true", f"host={ONE}", "at_stake=true", "project=1"):
        answer = stage.asks(member, f"/v1/instances?{query}")
        assert answer.status_code == 403, (query, answer.text)


def test_a_member_logs_in_by_keystone_and_no_page_names_a_host(stage, mine, browser):
    browser.driver.delete_all_cookies()
    browser.resize()
    browser.open("/login/keystone/")
    for field, text in {
        "username": "only-member",
        "password": PASSWORD,
        "domain": "Default",
        "project": "demo",
    }.items():
        browser.fill(f"#id_{field}", text)
    browser.click("main form button")
    for id_, service in mine.items():
        state = "Trusted" if service in {HYPERVISORS[name] for name in PAIR} else "Untrusted"
        browser.reads(f"#instance-{id_} .badge", state)
    browser.photograph("openstack-my-instances")
    cookies = {each["name"]: each["value"] for each in browser.driver.get_cookies()}
    pages = [pattern for pattern in every_address() if not pattern.startswith(("/v1/", "/logout/", "/.well-known/"))]
    assert len(pages) > 30
    for path in ("/my-instances/", "/my-project/", *pages):
        answer = requests.get(stage.product.address + path, cookies=cookies, timeout=30)
        assert answer.status_code < 500, (path, answer.status_code)
        names_nothing(answer)
    for element in browser.all("html"):
        assert not TOPOLOGY.findall(HARMLESS.sub(b"", element.get_attribute("outerHTML").encode()))
    browser.driver.get("about:blank")  # the page would go on asking


def every_address() -> list[str]:
    """All pages, each parameter as a number that names nothing."""
    patterns = [str(each.pattern) for each in get_resolver().url_patterns]
    return ["/" + re.sub(r"<[^>]*>", "1", each) for each in patterns if not each.startswith("^")]


@pytest.fixture(autouse=True)
def as_before(stage):
    """Whatever a test has hosts boot, they boot again what they had."""
    booted = stage.cast.booted(OTHER)
    yield
    stage.cast.boot({OTHER: booted})
