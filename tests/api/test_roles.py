"""Who may do what by program: the documentation's table, the description and the answers say the same."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from tests.actions.governance.examples import WANTED, WORDS
from tests.api.callers import caller, person_calling, send
from tests.api.test_baselines import DOCUMENT
from tests.people import person
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import COMMAND_LINE, Role
from txt_dashboard.api.urls import api
from txt_dashboard.models import PollRequest
from txt_dashboard.queries.held_baselines import baselines
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ROUTE = re.compile(r"^\| `(GET|POST|PUT) (/v1/\S+)` \| (.+) \|$", re.MULTILINE)
COLUMNS = ("viewer", "operator", "approver", "administrator", "key", "tenant")
TABLE = {(method, path): rest.split(" | ") for method, path, rest in ROUTE.findall(PAGE.read_text())}
SAID = {"yes": True, "no": False, "own": False}  # what is asked about here is nobody's own, but for tenants


@pytest.fixture
def world(fleet, settings) -> dict[str, object]:
    """One of everything that a route names, and a body for each route that takes one."""
    settings.TXT_KEYSTONE_CLOUD = "east"
    fleet(hv1=None)
    made = propose(COMMAND_LINE, WANTED, **WORDS, now=timezone.now())
    poll = PollRequest.objects.create(requested_at=timezone.now(), requested_by="ann", total=1)
    held = baselines(in_force(), "", 1)[0][0]
    decided = {"reason": "Because.", "content_hash": made.content_hash}
    return {
        "name": "hv1",
        "id": made.pk,
        "poll_id": poll.pk,
        "baseline": held.id,
        "/v1/baselines": {"title": "VMM 2", "reason": "Because.", "document": DOCUMENT},
        "/v1/polls": {},
        "/v1/hosts/{name}/attest": {},
        "/v1/servers/{name}/test": {},
        "/v1/baselines/{id}/approve": {**decided, "impact_hash": "0" * 64},
        "/v1/baselines/{id}/reject": decided,
        "/v1/baselines/{id}/withdraw": decided,
        "/v1/flavors/{id}/trust": {"trusted": True, "reason": "Because.", "specs_hash": "0" * 64},
        "/v1/baselines/{id}/retire": {"reason": "Because.", "content_hash": held.content_hash},
    }


def program(column: str) -> Client:
    if column == "key":
        return caller(*Role, name="owner")
    if column == "tenant":
        return person_calling(replace(person("mia"), roles=frozenset(), project="p" * 32))
    return person_calling(person(column, Role(column)))


def test_the_table_has_every_route_and_no_other():
    described = api.description_document["paths"]
    assert set(TABLE) == {(method.upper(), path) for path, each in described.items() for method in each}


@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda part: part)
def test_each_role_may_what_the_table_says(world, method, path):
    for column, said in zip(COLUMNS, TABLE[method, path], strict=True):
        ids = {**world, "id": world["baseline"]} if path.endswith("retire") else world
        address = path.format(**ids)
        asking = program(column)
        answer = asking.get(address) if method == "GET" else send(asking, method, address, world[path])
        assert answer.status_code != 401, column
        allowed = SAID[said] or (column, said) == ("tenant", "own")
        assert (answer.status_code != 403) is allowed, (column, answer.content)


@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda part: part)
def test_nobody_may_anything(world, method, path):
    answer = Client().generic(method, path.format(**world))
    assert answer.status_code == 401
