"""Who may do what: the table of the documentation, the verbs' own table and the pages' routes say the same."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from tests.actions.governance.examples import WANTED, WORDS
from tests.factories import BASELINES
from tests.people import LONG_AGO, account, person
from tests.rows import make_host, make_server, write_reference
from tests.web.visitors import browser_of
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Role, Verb, may
from txt_dashboard.models import Proposal, Server
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
COLUMNS = {
    "viewer": Actor("v", frozenset({Role.VIEWER}), user=1),
    "operator": Actor("o", frozenset({Role.OPERATOR}), user=2),
    "approver": Actor("a", frozenset({Role.APPROVER}), user=3),
    "administrator": Actor("b", frozenset({Role.ADMINISTRATOR}), user=4),
    "command line": COMMAND_LINE,
}
TOLD = [row for row in re.findall(r"^\| (.+) \|$", PAGE.read_text(), re.MULTILINE) if "---" not in row]
HEAD, ROWS = TOLD[0].split(" | ")[1:6], {row.split("`")[1]: row.split(" | ")[1:6] for row in TOLD[1:]}
ROLES = [role for role in Role if role is not Role.VIEWER]
SERVER = {
    "name": "oat-9", "kind": "oat-1.6", "url": "http://127.0.0.1:9", "interval_s": 60, "batch_size": 100,
    "parallel": 2, "deadline_s": 90, "quote_interval_s": 0, "version": 1,
}  # fmt: skip
Ask = Callable[[Client], int]


def told(verb: Verb, column: str) -> bool:
    return {"yes": True, "no": False}[ROWS[verb.value][HEAD.index(column)]]


@pytest.fixture
def world(db) -> Proposal:
    """One of everything that a page acts on; the proposal is nobody's own."""
    server = make_server()
    write_reference(server, BASELINES)
    make_host("hv1", server)
    return propose(COMMAND_LINE, WANTED, **WORDS, now=timezone.now())


def posting(path: str, **data: object) -> Ask:
    return lambda browser: browser.post(path.format(server=Server.objects.get().pk, **_ids()), data).status_code


def _ids() -> dict[str, object]:
    made = Proposal.objects.first()
    baseline = in_force().reference.baselines[0].id
    return {"proposal": made.pk if made else 0, "baseline": baseline, "content": made.content_hash if made else ""}


def viewing(browser: Client) -> int:
    paths = ("/", "/baselines/", "/servers/", "/hosts/hv1/", f"/proposals/{_ids()['proposal']}/")
    return max(browser.get(path).status_code for path in paths)


ASKED: dict[Verb, list[Ask]] = {
    Verb.VIEW: [viewing],
    Verb.POLL: [posting("/poll/")],
    Verb.ADD_SERVER: [posting("/servers/add/", **SERVER)],
    Verb.EDIT_SERVER: [posting("/servers/{server}/", **SERVER)],
    Verb.TEST_SERVER: [posting("/servers/{server}/test/")],
    Verb.PROPOSE_BASELINE: [
        posting("/baselines/retire/?entry={baseline}", reason="Old."),
        posting("/propose/first-day/", propose="1"),
        posting("/propose/upload/", propose="1"),
        posting("/propose/by-hand/", propose="1"),
    ],
    Verb.PROPOSE_POLICY: [
        posting("/baselines/retire/?entry=policy:oat-1/", reason="Old."),
        posting("/propose/policy/", propose="1"),
    ],
    Verb.PROPOSE_KEY: [posting("/propose/keys/", propose="1"), posting("/propose/keys/list/", propose="1")],
    Verb.PROPOSE_SERVER: [posting("/servers/{server}/counting/", counts="no", reason="Broken into.")],
    Verb.SET_FLAVOR_TRUST: [posting("/flavors/1/", to="trait", reason="Secrets.")],
    Verb.ACKNOWLEDGE_TRAIT: [posting("/clouds/holds/1/acknowledge/", reason="It was me.")],
    Verb.TAKE_OVER_TRAITS: [posting("/clouds/east/take-over/", reason="Ours.")],
    Verb.MOVE_POOL: [posting("/clouds/east/pools/", reason="A new zone.")],
    Verb.EDIT_CLOUD_HOST: [
        posting("/clouds/hosts/hv1/", is_one="no", reason="A controller."),
        posting("/clouds/east/pins/u1/", reason="Replaced."),
    ],
    Verb.DECIDE: [
        posting("/proposals/{proposal}/approve/", reason="Yes."),
        posting("/proposals/{proposal}/reject/", reason="No."),
    ],
}
# Comes with a project at Keystone, and with no role (see test_tenants).
WITH_PROJECT = {Verb.VIEW_OWN_INSTANCES}
BY_COMMAND_ONLY = {Verb.LOAD_HOSTS, Verb.RESTORE_SET, Verb.MANAGE_ACCOUNTS}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("verb", Verb)
def test_the_documentation_tells_what_the_verbs_allow(verb, column) -> None:
    assert may(COLUMNS[column], verb) is told(verb, column)


@pytest.mark.parametrize("column", ["operator", "approver", "administrator"])
@pytest.mark.parametrize("verb", Verb)
def test_a_key_may_what_its_person_may_but_never_decides(verb, column) -> None:
    key = replace(COLUMNS[column], by_key=True)
    assert may(key, verb) is (told(verb, column) and verb is not Verb.DECIDE)


def test_the_table_names_every_verb_and_every_role() -> None:
    assert set(ROWS) == {verb.value for verb in Verb}
    assert set(HEAD) == {*(role.value for role in Role), "command line"}
    assert set(ASKED) | BY_COMMAND_ONLY | WITH_PROJECT == set(Verb)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", ASKED)
def test_the_pages_refuse_what_is_forbidden_and_nothing_else(world, verb, role) -> None:
    browser = browser_of(person("somebody", role, since=min(LONG_AGO, timezone.now())))
    for ask in ASKED[verb]:
        status = ask(browser)
        assert (status != 403) is told(verb, role.value), status
        assert status < 500


@pytest.mark.parametrize("verb", sorted(BY_COMMAND_ONLY))
def test_what_is_for_the_command_line_only_no_role_may(verb) -> None:
    assert not any(told(verb, role.value) for role in Role)


def test_a_viewer_changes_nothing_by_any_route(world) -> None:
    browser = browser_of(person("somebody", Role.VIEWER))
    values = {
        "proposal_id": world.pk, "server_id": Server.objects.get().pk, "name": "hv1", "change": "gained",
    }  # fmt: skip
    pages = [each for each in get_resolver().url_patterns if getattr(each, "namespace", "") != "api"]
    for pattern in pages:  # the API has a table and a walk of its own
        assert isinstance(pattern, URLPattern)
        if pattern.name in ("login", "logout"):
            continue
        route = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values.get(found[1], 1)), str(pattern.pattern))
        for query in ("", f"?entry={_ids()['baseline']}"):
            status = browser.post(f"/{route}{query}", {"reason": "x", "propose": "1"}).status_code
            assert status in (403, 404, 405), f"{route}: {status}"
    assert Proposal.objects.count() == 1


def test_who_has_no_role_is_refused_everywhere(world) -> None:
    nobody = person("nobody")
    account(nobody).groups.clear()
    browser = browser_of(nobody)
    assert {ask(browser) for asks in ASKED.values() for ask in asks if ask is not viewing} == {403}
    assert viewing(browser) == 403
