"""What breaks while people look. Last of all files: the fleet's times are shortened for it."""

import json
import time

import pytest

from tests.e2e.product import STORY, Product, wait_until
from txt_dashboard.simulator.startkit import golden_json

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

VALIDITY_S = 24
LEASE_S = 130  # with the deadline that the story begins with
TITLE = "A brisk fleet"
APPROVE = f"""
from django.contrib.auth.models import User
from django.utils import timezone
from txt_dashboard.actions.governance.decide import approve
from txt_dashboard.actions.permissions import Actor, Role
from txt_dashboard.models import Proposal
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.proposals import impact_of
asked = Proposal.objects.get(title={TITLE!r})
for name in ("approver", "approver2"):
    who = Actor(name, frozenset({{Role.APPROVER}}), user=User.objects.get(username=name).pk)
    now = timezone.now()
    found = impact_of(asked, now)
    approve(who, asked.pk, reason="For the test.", content_hash=asked.content_hash,
            impact_hash=found.digest, confirmed_losses=found[Change.LOST], now=now)
"""


@pytest.fixture(scope="module")
def brisk(settled: Product) -> Product:
    """Evidence that is valid for a short time, and a server that is given up soon: an outage takes seconds."""
    document = json.loads(golden_json(STORY.fleet))
    for policy in document["policies"]:
        policy["validity_s"] = VALIDITY_S
    golden = settled.folder / "golden.json"
    golden.write_text(json.dumps(document))
    settled.command("load_baselines", str(golden), "--reason", "Shorter times.", "--title", TITLE)
    settled.command("shell", typed=APPROVE)
    return settled


@pytest.fixture
def hurried(brisk, enter) -> Product:
    """The server asked for each host every 5 seconds, and given 2 seconds to answer."""
    screen = enter("admin")
    screen.open("/servers/1/")
    screen.fill("#id_interval_s", "5")
    screen.fill("#id_deadline_s", "2")
    screen.click("main footer button")
    screen.reads("h1", "Attestation servers")
    return brisk


def test_a_killed_worker_comes_back_and_pages_go_on(hurried, enter):
    screen = enter("operator")
    screen.open("/")
    stayed = screen.stays()
    screen.click("#poll button")
    hurried.program("worker").kill()
    killed = time.time()
    wait_until(lambda: "worker was ended by SIGKILL; it is started again" in hurried.log, "nobody saw it die")
    answered = "return Date.parse(document.querySelector('[data-server=oat-1] time').dateTime) / 1000"
    screen.until(lambda: screen.run(answered) > killed + 1, "no worker asks any more", seconds=60)
    # What the dead one held is asked for again once its lease has run out.
    screen.gone("#progress", seconds=LEASE_S + 30)
    assert stayed()


def test_an_outage_is_announced_before_trust_runs_out_and_then_forgotten(hurried, enter):
    screen = enter("operator")
    screen.open("/")
    screen.gone("#outages section", seconds=60)
    stayed = screen.stays()
    # It takes connections and answers none, as the one of the story does.
    with hurried.holding("txt_dashboard.simulator"):
        screen.reads("#outages", "oat-1 has not answered since", seconds=40)
        screen.reads("#outages", "until their evidence runs out")
        assert screen.driver.title.startswith("(!) ")
        screen.photograph("outage")
        screen.reads("#outages", "None of its hosts is trusted any more.", seconds=60)
        assert screen.text("#tally-trusted b") == "0"
        assert screen.text("#tally-untrusted b") == "15"  # silence clears nobody
    screen.click("#try-1")
    screen.gone("#outages section", seconds=60)
    screen.until(lambda: int(screen.text("#tally-trusted b")) > 395, "trust did not come back", seconds=60)
    assert stayed()


def test_a_page_that_lost_the_server_says_how_old_it_is_and_catches_up(hurried, enter):
    screen = enter("viewer")
    screen.open("/")
    screen.forgive("ERR_CONNECTION_REFUSED", "Failed to load resource", "htmx:")
    stayed = screen.stays()
    with hurried.holding("gunicorn"):
        screen.reads("#lost", "Connection lost. This page shows what was known at", seconds=40)
    screen.gone("#lost", seconds=40)
    assert stayed()


def test_web_processes_that_die_come_back(hurried, enter):
    screen = enter("viewer")
    screen.open("/")
    screen.forgive("ERR_CONNECTION_REFUSED", "Failed to load resource", "htmx:")
    stayed = screen.stays()
    hurried.program("gunicorn").kill()
    wait_until(lambda: "web was ended by SIGKILL; it is started again" in hurried.log, "nobody saw it die")
    screen.run("document.dispatchEvent(new Event('visibilitychange'))")
    screen.reads("#lost", "Connection lost.")
    screen.gone("#lost", seconds=40)
    assert stayed()
