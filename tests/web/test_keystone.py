"""Log-in by Keystone: the roles of the session's own token, the way out, and nothing of a token left lying about."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from tests.api import owners
from tests.api.owners import ROLES_IN, WEB, World
from tests.cloud.fake import TOKEN, serve
from tests.cloud.owning import OwningCloud, Person
from tests.web.visitors import text
from txt_dashboard.actions.accounts import set_active
from txt_dashboard.actions.governance.accounts import approver
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.models import Account, Activity

pytestmark = pytest.mark.django_db
ADA = {"username": "ada", "password": "ada's password", "domain": "Default", "project": ""}
MIA = {**ADA, "username": "mia", "password": "mia's password"}


@pytest.fixture
def world(oat, settings, tmp_path) -> Iterator[World]:
    caches["api"].clear()
    with serve(OwningCloud()) as cloud:
        owners.name_cloud(cloud, settings, tmp_path)
        cloud.people |= {"mia": owners.MIA, "ada": owners.ADA}
        yield World(cloud)


def log_in(who: dict[str, str], browser: Client | None = None, **more: str):
    browser = browser or Client()
    return browser, browser.post("/login/keystone/", {**who, **more})


def inside(who: dict[str, str], **more: str) -> Client:
    browser, answer = log_in(who, **more)
    assert answer.status_code == 302, text(answer)
    return browser


def test_a_persons_roles_are_those_of_their_token(world):
    browser = inside(ADA)
    page = text(browser.get("/"))
    assert "ada (Default at east) · operator, administrator" in page
    assert f"Project name of {ROLES_IN}" in page
    assert browser.get("/servers/add/").status_code == 200


def test_it_leads_to_the_page_that_was_asked_for_and_to_no_other_site(world):
    assert log_in(ADA, next="/servers/")[1]["Location"] == "/servers/"
    assert log_in(ADA, next="https://elsewhere.example/")[1]["Location"] == "/"


def test_in_another_project_the_same_person_has_no_role(world):
    browser = inside(ADA, project=f"name of {WEB}")
    assert browser.get("/servers/").status_code == 403
    assert browser.get("/")["Location"] == "/my-instances/"
    assert browser.get("/my-instances/").status_code == 200


def test_projects_are_changed_and_roles_with_them(world):
    browser = inside(ADA)
    before = set(world.cloud.tokens)
    assert "name of web0" in text(browser.get("/my-project/"))
    assert browser.post("/my-project/", {"project": WEB}).status_code == 302
    assert browser.get("/servers/").status_code == 403
    assert len(before - set(world.cloud.tokens)) == 1, "the token for the project that was left is revoked"
    assert browser.post("/my-project/", {"project": ROLES_IN}).status_code == 302
    assert browser.get("/servers/").status_code == 200
    assert browser.post("/my-project/", {"project": "bank" * 8}).status_code == 404
    # What a token for another project does not bring, it takes from nobody.
    assert {group.name for group in User.objects.get().groups.all()} == {"viewer", "operator", "administrator"}


def test_who_approves_is_a_person_whose_role_ages(world):
    world.cloud.people["ben"] = Person("ben's password", {ROLES_IN: ("trust_approver",)})
    browser = inside({**ADA, "username": "ben", "password": "ben's password"})
    assert "approver" in text(browser.get("/"))
    assert approver(Account.objects.get()).since is not None


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"username": "eve"}, {"domain": "elsewhere"}])
def test_who_is_not_taken_is_told_the_same(world, wrong):
    browser, answer = log_in(ADA, **wrong)
    assert answer.status_code == 200
    assert "Keystone does not take this name and password in this domain." in text(answer)
    assert "ada's password" not in text(answer)
    assert browser.get("/servers/").status_code == 302


def test_a_project_of_others_is_told_and_gives_no_session(world):
    browser, answer = log_in(MIA, project="name of " + ROLES_IN)
    assert "You have no role in a project" in text(answer)
    assert browser.get("/my-instances/").status_code == 302
    assert [each for each in world.cloud.tokens.values() if each.user == "mia"] == []


def test_a_local_account_is_not_tried_with_what_keystone_refused(world):
    User.objects.create_user("eve", password="a long enough pass phrase")
    _, answer = log_in({**ADA, "username": "eve", "password": "a long enough pass phrase"})
    assert answer.status_code == 200


def test_guessing_is_throttled_as_with_local_accounts(world):
    browser = Client()
    for _ in range(configured.AXES_FAILURE_LIMIT):
        _, answer = log_in(ADA, browser, password="guess")
    assert answer.status_code == 429
    assert log_in(ADA, browser)[1].status_code == 429
    asked = len(world.cloud.requests("POST /v3/auth/tokens"))
    log_in(ADA, browser)
    assert len(world.cloud.requests("POST /v3/auth/tokens")) == asked, "whoever must wait costs Keystone nothing"


def test_a_keystone_that_is_down_is_told_and_counts_as_no_guess(world):
    world.cloud.keystone_down = True
    for _ in range(configured.AXES_FAILURE_LIMIT + 1):
        _, answer = log_in(ADA)
        assert "Keystone could not be asked. Try again in a minute." in text(answer)


def test_tokens_lie_nowhere_in_the_clear(world, caplog):
    browser = inside(ADA)
    browser.get("/my-instances/")
    tokens = [*world.cloud.tokens]
    assert len(tokens) == 2
    seen = str(browser.cookies) + caplog.text + "".join(Session.objects.values_list("session_data", flat=True))
    seen += str([row.get_decoded() for row in Session.objects.all()]) + str(list(Activity.objects.values()))
    for secret in (*tokens, TOKEN, "ada's password"):
        assert secret not in seen


@pytest.mark.parametrize("who", [ADA, MIA])
def test_logging_out_revokes_the_tokens(world, who):
    browser = inside(who)
    browser.get("/")
    browser.post("/logout/")
    assert world.cloud.tokens == {}
    assert browser.get("/servers/").status_code == 302


def test_logging_out_works_while_keystone_is_down(world):
    browser = inside(ADA)
    browser.get("/")
    world.cloud.keystone_down = True
    assert browser.post("/logout/").status_code == 302
    assert browser.get("/servers/")["Location"].startswith("/login/")


def test_a_token_that_runs_out_leads_back_kindly(world):
    browser = inside(ADA)
    for granted in world.cloud.tokens.values():
        granted.ends = timezone.now() - timedelta(seconds=1)
    caches["api"].clear()
    answer = browser.get("/servers/?x=1")
    assert answer["Location"] == "/login/keystone/?next=/servers/%3Fx%3D1"
    assert "Your log-in at Keystone has run out." in text(browser.get(answer["Location"]))
    assert browser.get("/")["Location"] == "/login/?next=/"


def test_parts_of_pages_are_led_back_as_a_whole(world):
    browser = inside(ADA)
    world.cloud.tokens.clear()
    caches["api"].clear()
    answer = browser.get("/live/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/login/keystone/?next=/"


def test_a_role_that_is_taken_away_is_gone_within_a_minute(world):
    browser = inside(ADA)
    assert browser.get("/servers/").status_code == 200
    for granted in world.cloud.tokens.values():
        granted.roles = ("member",)
    caches["api"].clear()  # as after a minute
    assert browser.get("/servers/").status_code == 403


def test_while_keystone_is_down_nobody_knows_and_nothing_is_lost(world):
    browser = inside(ADA)
    caches["api"].clear()
    world.cloud.keystone_down = True
    answer = browser.get("/servers/")
    assert answer.status_code == 503
    assert "Keystone could not be asked whether you are still logged in." in text(answer)
    assert "Servers" not in text(answer)
    world.cloud.keystone_down = False
    assert browser.get("/servers/").status_code == 200


def test_a_disabled_account_is_out_at_once(world):
    browser = inside(ADA)
    browser.get("/")
    set_active(COMMAND_LINE, "ada (Default at east)", active=False, now=timezone.now())
    assert browser.get("/servers/").status_code == 302
    assert "disabled" in text(log_in(ADA)[1])


def test_a_session_without_its_tokens_is_none(world):
    browser = inside(ADA)
    session = browser.session
    session["keystone"] = {**session["keystone"], "sealed": "nonsense"}
    session.save()
    assert browser.get("/servers/").status_code == 302


def test_tokens_are_sealed_for_one_person(world):
    ada, mia = inside(ADA), inside(MIA)
    session = mia.session
    session["keystone"] = ada.session["keystone"]
    session.save()
    assert mia.get("/servers/").status_code == 302


def test_without_a_keystone_there_is_no_such_page(world, settings):
    browser = inside(ADA)
    assert "By Keystone of east" in text(Client().get("/login/"))
    settings.TXT_KEYSTONE_CLOUD = ""
    assert "By Keystone" not in text(Client().get("/login/"))
    assert Client().get("/login/keystone/").status_code == 404
    assert browser.get("/servers/")["Location"].startswith("/login/?next=")
