"""Who has only a project: sees their own instances, and of the fleet below them not one byte."""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from tests.actions.governance.examples import WANTED, WORDS
from tests.api import owners
from tests.api.owners import BANK, ROLES_IN, WEB, World
from tests.cloud.fake import serve
from tests.cloud.owning import OwningCloud
from tests.factories import GOOD, evidence
from tests.web.test_keystone import ADA, MIA, inside
from tests.web.visitors import text, visitor
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.api.urls import api
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.models import Attestation, CloudHost, Host, Measurement, Proposal, Server
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
TIM = {**MIA, "username": "tim", "password": "tim's password"}
OWN_PAGES = {"my-instances", "my-project", "login", "login-keystone", "logout"}
OPEN = {
    "poll-hosts",
    "heartbeat",
    "heartbeat-of",
    "keylime-hook",
    None,
}  # for machines: who asks is found out otherwise


@pytest.fixture
def world(fleet, clock, settings, tmp_path) -> Iterator[World]:
    caches["api"].clear()
    with serve(OwningCloud()) as cloud:
        owners.name_cloud(cloud, settings, tmp_path)
        fleet(hv1=None, hv2=evidence(at=clock(), verdict=Verdict.UNTRUSTED), hv3=None)
        Attestation.objects.filter(host__name="hv3").update(valid_until=timezone.now())
        owners.populate(cloud)
        propose(COMMAND_LINE, WANTED, **WORDS, now=timezone.now())
        yield World(cloud)


def secrets_of_the_fleet() -> set[str]:
    """All that a tenant must never read: names of hosts, servers, pools and baselines, and every register's value."""
    found = {*Host.objects.values_list("name", flat=True), *Server.objects.values_list("name", flat=True)}
    for row in CloudHost.objects.all():
        found |= {row.hypervisor_hostname, row.service_host, row.provider}
    found |= {*Server.objects.values_list("url", flat=True), *Host.objects.values_list("pool", flat=True)}
    found |= {each.name for each in in_force().reference.baselines}
    found |= {value.hex() for value in GOOD.values()}
    found |= {value for row in Measurement.objects.all() for value in row.values.values()}
    found |= set(Measurement.objects.values_list("key", flat=True))
    return {each for each in found if len(each) > 2} | {"a-host-that-nobody-knows", "bank-good", BANK}


def leaks(content: bytes) -> list[str]:
    told = content.decode("utf-8", "replace").lower()
    # u1 and the like are too short to mean anything; names are looked for as whole words.
    return sorted(
        each for each in secrets_of_the_fleet() if re.search(rf"(?<![\w-]){re.escape(each.lower())}(?![\w-])", told)
    )


def addresses() -> list[tuple[str | None, str]]:
    """Every address of the pages, with names that are there."""
    values = {
        "proposal_id": Proposal.objects.get().pk, "server_id": Server.objects.get().pk, "name": "hv1",
        "change": "gained", "cloud": "east", "flavor_id": "f1", "which": "quote",
    }  # fmt: skip
    found = []
    for pattern in get_resolver().url_patterns:
        if getattr(pattern, "namespace", "") == "api":
            continue
        route = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(values.get(part[1], 1)), str(pattern.pattern))
        found.append((pattern.name, f"/{route}"))
    return found


def answers_of(browser: Client, address: str) -> Iterator[tuple[str, object]]:
    ways = {
        "page": {}, "part": {"HX-Request": "true"}, "program": {"Accept": "application/json"},
    }  # fmt: skip
    for (way, headers), method in product(ways.items(), ("GET", "POST")):
        if method == "POST" and address == "/logout/":
            continue
        query = "?format=csv&download=1" if method == "GET" else ""
        yield f"{method} {way}", browser.generic(method, address + query, headers=headers)


def test_every_page_refuses_a_tenant_but_their_own(world):
    browser = inside(MIA)
    for name, address in addresses():
        for how, answer in answers_of(browser, address):
            where = f"{how} {address}: {answer.status_code}"
            if name in OWN_PAGES or name in OPEN:
                continue
            home = name == "fleet" and how == "GET page"
            assert answer.status_code in (302 if home else 403, 405), where


def test_not_a_byte_of_the_fleet_is_in_any_page_that_a_tenant_gets(world):
    browser = inside(TIM)
    for name, address in addresses():
        if name in OPEN:
            continue
        for how, answer in answers_of(browser, address):
            body = b"".join(answer) if answer.streaming else answer.content
            assert leaks(body + str(answer.headers).encode()) == [], f"{how} {address}"


def test_nor_in_any_answer_of_the_api(world):
    ids = {"name": "hv1", "id": "web0-bad", "poll_id": 1}
    program = world.tenant
    for path, operations in api.description_document["paths"].items():
        for method in operations:
            for query in ("", "?all=true", "?at_stake=true", "?host=hv1", "?cloud=east", "?marker=x", "?limit=0"):
                address = re.sub(r"{(\w+)}", lambda part: str(ids[part[1]]), path) + query
                if method == "get":
                    answer = program.get(address)
                else:
                    answer = program.generic(method.upper(), address, data="{}", content_type="application/json")
                # What was asked for may come back in the sentence that refuses it.
                body = answer.content.replace(b"hv1", b"") if query == "?host=hv1" else answer.content
                assert leaks(body) == [], f"{method} {address}"


def test_the_search_finds_what_it_looks_for(world):
    assert {"hv1", "compute-service-4"} <= set(leaks(inside(ADA).get("/instances/").content))
    assert leaks(world.administrator.get("/v1/hosts/hv1/diff").content)


def test_a_tenant_sees_their_own_instances_and_what_it_does_not_mean(world):
    browser = inside(MIA, project=f"name of {WEB}")
    page = text(browser.get("/my-instances/"))
    assert "name of web0-good" in page
    assert "bank" not in page.replace("name of bank", "")
    assert "What its host measured when it booted is not what was approved." in page
    assert "3 instances asked for a trusted host and are not on one." in page
    assert "attacks inside an instance" in page
    for absent in ("Fleet", "Servers", "Activity", "Golden values", 'href="/instances/"'):
        assert absent not in page
    assert browser.get("/")["Location"] == "/my-instances/"
    assert "You can see your own instances." in text(browser.get("/servers/"))


def test_a_tenant_sees_another_project_after_changing_to_it(world):
    browser = inside(MIA, project=WEB)
    browser.post("/my-project/", {"project": BANK})
    page = text(browser.get("/my-instances/"))
    assert "name of bank-good" in page
    assert "web0-good" not in page


def test_pages_of_a_large_project(world):
    for number in range(60):
        world.cloud.boot(f"more-{number:02}", WEB, "compute-service-1")
    browser = inside(MIA, project=WEB)
    first = browser.get("/my-instances/")
    following = re.search(r'href="(/my-instances/\?after=[^"]+)"', first.content.decode())[1]
    assert "more-59" in text(browser.get(following))
    assert browser.get("/my-instances/?after=nonsense").status_code == 400


def test_a_cloud_that_does_not_answer_shows_nothing_as_trusted(world):
    world.cloud.nova_status = 503
    page = text(inside(MIA, project=WEB).get("/my-instances/"))
    assert "The cloud could not be asked for your instances." in page
    assert "is-trusted" not in page


def test_an_administrator_has_both(world):
    browser = inside(ADA)
    page = text(browser.get("/my-instances/"))
    assert "This project has no instances." in page
    assert 'href="/servers/"' in page
    assert f"name of {ROLES_IN}" in page


def test_a_local_account_has_no_project(world):
    assert visitor("viewer").get("/my-instances/").status_code == 403
    assert visitor("viewer", name="other").get("/my-project/").status_code == 403
