"""Instances of all projects: where they are, which are at stake, and the intervals to take along."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.api import owners
from tests.api.owners import BANK, WEB, World
from tests.cloud.fake import serve
from tests.cloud.owning import OwningCloud
from tests.factories import evidence
from tests.web.visitors import text, visitor
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.models import Attestation, Cloud, InstanceLook, StakeInterval

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(fleet, clock, settings, tmp_path) -> Iterator[World]:
    with serve(OwningCloud()) as cloud:
        owners.name_cloud(cloud, settings, tmp_path)
        fleet(hv1=None, hv2=evidence(at=clock(), verdict=Verdict.UNTRUSTED), hv3=None)
        Attestation.objects.filter(host__name="hv3").update(valid_until=timezone.now())
        owners.populate(cloud)
        yield World(cloud)


def test_all_instances_are_shown_with_their_hosts(world):
    page = text(visitor("viewer").get("/instances/"))
    assert "14 instances" in page
    assert "6 instances asked for a trusted host and are not on one." in page
    assert 'href="/hosts/hv2/"' in page
    assert "compute-service-4" in page


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        (f"project={WEB}", "web0-good", "bank-good"),
        ("at_stake=1", "web0-bad", "web0-good"),
        ("state=trusted", "web0-good", "web0-bad"),
        ("state=stale", "web0-old", "web0-good"),
        ("host=hv2", "bank-bad", "bank-good"),
    ],
)
def test_they_can_be_filtered(world, query, shown, hidden):
    page = text(visitor("viewer").get(f"/instances/?{query}"))
    assert f"name of {shown}" in page
    assert f"name of {hidden}" not in page


@pytest.mark.parametrize("query", ["state=x", "cloud=west", "after=x", "project=%00", "after=1~%00"])
def test_nonsense_is_refused(world, query):
    assert visitor("viewer").get(f"/instances/?{query}").status_code == 400


def test_pages_go_on(world):
    for number in range(60):
        world.cloud.boot(f"more-{number:02}", WEB, "compute-service-1", name=f"a{number:02}")
    owners.look(world.cloud, Cloud.objects.get())
    browser = visitor("viewer")
    first = browser.get("/instances/")
    assert "Next" in text(first)
    following = first.context["page_after"]
    assert "name of web0-good" in text(browser.get(following))


def test_a_cloud_that_could_not_be_asked_is_told_with_what_was_seen_last(world):
    long_ago = timezone.now() - timedelta(hours=1)
    InstanceLook.objects.update(problem="Nova was asked, and answered 503.", looked_at=long_ago)
    page = text(visitor("viewer").get("/instances/"))
    assert "Nova was asked, and answered 503." in page
    assert "too old" in page
    assert "is-trusted" not in page


def test_without_a_cloud_the_next_step_is_told(oat, settings):
    settings.TXT_CLOUDS = []
    assert "TXT_CLOUDS" in text(visitor("viewer").get("/instances/"))
    browser = visitor("viewer", name="other")
    assert 'href="/instances/"' not in text(browser.get("/servers/"))


def test_a_hosts_page_counts_its_instances(world):
    browser = visitor("viewer")
    assert "2 at stake" in text(browser.get("/hosts/hv2/"))
    page = text(browser.get("/hosts/hv2/instances/"))
    assert "name of web0-bad" in page
    assert "2 of them asked for a trusted host." in page
    assert "No instance was seen on this host." not in page
    assert "at stake" not in text(browser.get("/hosts/hv1/"))


def test_intervals_are_kept_shown_and_exported_by_project_and_period(world):
    browser = visitor("viewer")
    page = text(browser.get(f"/instances/at-stake/?project={BANK}"))
    assert "3 intervals" in page
    assert "web0" not in page
    rows = list(csv.DictReader(io.StringIO(_body(browser, f"/instances/export/?format=csv&project={WEB}"))))
    assert {each["instance"] for each in rows} == {"web0-bad", "web0-old", "web0-lost"}
    assert {each["project"] for each in rows} == {WEB}
    lines = _body(browser, "/instances/export/?format=jsonl").splitlines()
    assert len(lines) == StakeInterval.objects.count()
    assert json.loads(lines[0])["until"] is None
    assert _body(browser, "/instances/export/?format=jsonl&until=2020-01-01") == ""
    assert browser.get("/instances/export/?format=xml").status_code == 400
    assert browser.get("/instances/at-stake/?before=x").status_code == 400
    assert browser.get("/instances/at-stake/?since=yesterday").status_code == 400


def test_a_spreadsheet_runs_nothing_of_an_instances_name(world):
    StakeInterval.objects.update(name="=cmd()")
    assert ",'=cmd()," in _body(visitor("viewer"), "/instances/export/?format=csv")


def test_an_end_that_nobody_saw_is_told_as_such(world):
    now = timezone.now()
    StakeInterval.objects.update(until=now, ending="unseen")
    assert "at least: nobody could look after that" in text(visitor("viewer").get("/instances/at-stake/"))


def test_older_intervals_are_on_further_pages(world):
    row = StakeInterval.objects.first()
    for number in range(30):
        StakeInterval.objects.create(
            cloud="east", project=WEB, instance=f"x{number}", host="h", why="a_later_reason", since=row.since,
            seen_until=row.since, until=row.since, ending="ended",
        )  # fmt: skip
    browser = visitor("viewer")
    first = browser.get("/instances/at-stake/")
    assert "a_later_reason" in text(first)
    assert "x0" in text(browser.get("/instances/at-stake/" + first.context["older"]))


def _body(browser, address: str) -> str:
    return b"".join(browser.get(address)).decode()
