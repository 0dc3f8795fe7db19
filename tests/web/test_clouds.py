"""The page of clouds: how workers fare there, who is which hypervisor or why not, and whose traits are whose."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.cloud.living import LivingCloud
from tests.clouds import TRAIT, connected, look
from tests.rows import make_host
from tests.web.filled import filled
from tests.web.visitors import text, visitor
from txt_dashboard.actions.governance import keys
from txt_dashboard.models import Activity, Cloud, CloudHost, Host, NotHypervisor, PoolMove, TraitHold, UnmatchedHost
from txt_dashboard.queries import cloud_view

pytestmark = pytest.mark.django_db
QUERIES = 30


@pytest.fixture
def cloud(tmp_path, settings, fleet, clock) -> Iterator[LivingCloud]:
    """A cloud whose first two hosts are trusted; a third host is a controller, a third hypervisor nobody's."""
    keys.create()
    fleet(hv1=None, hv2=None, ctl=None)
    with connected(tmp_path, settings) as made:
        clock.now = timezone.now()
        look(clock)
        yield made


@pytest.fixture
def row(cloud) -> Cloud:
    return Cloud.objects.get()


def hold(row: Cloud, *, at_first: bool, provider: str = "u2") -> TraitHold:
    node = row.hosts.get(provider=provider)
    return TraitHold.objects.create(
        cloud=row,
        provider=provider,
        name=node.hypervisor_hostname,
        root=provider,
        host=node.host,
        at_first=at_first,
        found_at=timezone.now(),
        times=2,
        taken=True,
    )


def test_without_a_cloud_the_page_says_how_to_connect_one() -> None:
    browser = visitor("viewer")
    page = text(browser.get("/clouds/"))
    assert "No cloud is connected." in page
    assert "TXT_CLOUDS_FILE" in page
    assert 'href="/clouds/"' not in text(browser.get("/"))


def test_a_cloud_that_no_worker_has_seen_yet(settings) -> None:
    settings.TXT_CLOUDS = ["east"]
    assert "The settings name east. Does a worker run" in text(visitor("viewer").get("/clouds/"))


def test_the_page_says_what_workers_found_and_when(row) -> None:
    browser = visitor("viewer")
    page = text(browser.get("/clouds/"))
    assert 'href="/clouds/"' in text(browser.get("/"))
    assert "Connected</h2>" in page
    assert "2 of 3 are hosts that we know" in page
    assert f"<code>{TRAIT}</code> on 2 hypervisors, by us" in page
    assert "signed <time" in page
    assert "simulated cloud" not in page


def test_the_demonstration_says_that_its_cloud_is_none(row, settings) -> None:
    settings.TXT_DEMO, settings.TXT_CLOUDS = True, ["simulated"]
    Cloud.objects.update(name="simulated")
    assert "simulated cloud" in text(visitor("viewer").get("/clouds/"))


def test_trouble_is_told_with_the_sentence_to_act_on(row) -> None:
    Cloud.objects.update(match_problem="Nova of cloud east was asked and failed.", problem="Placement failed.")
    page = text(visitor("viewer").get("/clouds/"))
    assert "Connected, and something is wrong" in page
    assert "Nova of cloud east was asked and failed." in page
    assert "Placement failed." in page


def test_a_look_that_is_overdue_is_told(row) -> None:
    Cloud.objects.update(reconciled_at=timezone.now() - timedelta(minutes=5))
    assert "does a worker run?" in text(visitor("viewer").get("/clouds/"))


def test_each_side_says_why_it_is_unmatched(row) -> None:
    page = text(visitor("viewer").get("/clouds/?only=unmatched"))
    assert "hv3" in page
    assert "No server that counts attests it" in page
    assert "No hypervisor has this name." in page
    UnmatchedHost.objects.update(why="taken_over")
    assert "first matched with" in text(visitor("viewer", name="v").get("/clouds/"))


def test_hypervisors_and_hosts_are_found_by_name(row) -> None:
    page = text(visitor("viewer").get("/clouds/?q=hv2"))
    assert ">hv2<" in page.replace("hv2.example.org", "hv2")
    assert ">hv1<" not in page
    assert "None that is called so." in page


def test_pages_go_on_after_the_last_one_shown(row, monkeypatch) -> None:
    monkeypatch.setattr(cloud_view, "PAGE", 2)
    browser = visitor("viewer")
    first = browser.get("/clouds/")
    shown = [each.provider for each in first.context["nodes"]]
    second = browser.get(first.context["more_nodes"])
    shown += [each.provider for each in second.context["nodes"]]
    assert sorted(shown) == ["u1", "u2", "u3"]
    assert len(shown) == 3
    assert second.context["more_nodes"] == ""


def test_nonsense_in_the_address_fails_nothing(row) -> None:
    browser = visitor("viewer")
    for query in ("after=x", "after=~", "hold=%00", "hold=9999999999999", "only=what", "q=%00", "host=~"):
        assert browser.get(f"/clouds/?{query}").status_code == 200
    assert browser.get("/clouds/?cloud=nowhere").status_code == 404


def test_a_large_cloud_takes_no_more_queries(row) -> None:
    browser = visitor("administrator")
    browser.get("/clouds/")
    now = timezone.now()
    CloudHost.objects.bulk_create(
        CloudHost(cloud=row, provider=f"n{n}", hypervisor_hostname=f"n{n}", service_host=f"n{n}", since=now)
        for n in range(300)
    )
    with CaptureQueriesContext(
        connection,
    ) as taken:
        browser.get("/clouds/")
    assert len(taken) <= QUERIES


def test_the_traits_of_before_are_taken_over_with_a_reason(row) -> None:
    hold(row, at_first=True)
    browser = visitor("administrator")
    assert "had CUSTOM_TRUSTED_HOST before us" in text(browser.get("/clouds/"))
    asked = browser.get("/clouds/east/take-over/")
    assert browser.post("/clouds/east/take-over/", filled(asked)).status_code == 400
    assert TraitHold.objects.exists()
    done = browser.post("/clouds/east/take-over/", filled(asked, reason="They were ours by hand."), follow=True)
    assert "Done." in text(done)
    assert not TraitHold.objects.exists()
    assert browser.post("/clouds/east/take-over/", {"reason": "Again."}).status_code == 404


def test_a_trait_that_somebody_set_is_acknowledged_as_it_was_seen(row) -> None:
    held = hold(row, at_first=False)
    browser = visitor("approver")
    page = text(browser.get("/clouds/"))
    assert "Somebody else set the trait" in page
    assert "set 2 times" in page
    address = f"/clouds/holds/{held.pk}/acknowledge/"
    asked = browser.get(address)
    TraitHold.objects.update(times=3)
    late = browser.post(address, filled(asked, reason="It was me."))
    assert late.status_code == 409
    assert "was set again meanwhile" in text(late)
    assert "It was me." in text(late)
    assert browser.post(address, filled(late, reason="It was me.")).status_code == 302
    assert Activity.objects.get(verb="acknowledge trait").detail["times"] == 3


def test_a_controller_is_said_to_be_none_and_back(row) -> None:
    browser = visitor("administrator")
    asked = browser.get("/clouds/hosts/ctl/")
    assert "ctl is no hypervisor" in text(asked)
    browser.post("/clouds/hosts/ctl/", filled(asked, reason="A controller."))
    assert NotHypervisor.objects.get().host.name == "ctl"
    assert "Said to be no hypervisors" in text(browser.get("/clouds/"))
    back = browser.get("/clouds/hosts/ctl/")
    assert "ctl may be a hypervisor" in text(back)
    browser.post("/clouds/hosts/ctl/", filled(back, reason="It runs nova-compute now."))
    assert not NotHypervisor.objects.exists()
    assert browser.get("/clouds/hosts/nobody/").status_code == 404


def test_a_pin_is_released(row) -> None:
    browser = visitor("administrator")
    asked = browser.get("/clouds/east/pins/u1/")
    assert "was first matched with hv1" in text(asked)
    browser.post("/clouds/east/pins/u1/", filled(asked, reason="Replaced."))
    assert row.hosts.get(provider="u1").pinned is None
    assert browser.get("/clouds/east/pins/u1/").status_code == 404


def test_what_one_may_not_press_says_why(row) -> None:
    hold(row, at_first=True)
    held = hold(row, at_first=False, provider="u1")
    browser = visitor("operator")
    page = text(browser.get("/clouds/"))
    for sentence in ("Only administrators take traits over.", "Only approvers and administrators acknowledge this."):
        assert sentence in page
    assert "Only administrators say what a host is." in page
    for path in ("/clouds/east/take-over/", f"/clouds/holds/{held.pk}/acknowledge/", "/clouds/hosts/ctl/"):
        assert "disabled" in text(browser.get(path))
        assert browser.post(path, {"reason": "I want it."}).status_code == 403


def test_a_hosts_page_says_which_hypervisor_it_is(row, oat) -> None:
    CloudHost.objects.filter(provider="u1").update(service_host="nova-1")
    browser = visitor("viewer")
    assert "of cloud east, compute service nova-1." in text(browser.get("/hosts/hv1/"))
    assert "No hypervisor of cloud east." in text(browser.get("/hosts/ctl/"))
    make_host("elsewhere", oat)
    assert "cloud east" not in text(browser.get("/hosts/elsewhere/"))


def test_hosts_that_wait_for_another_pool_are_moved_as_they_were_seen(row) -> None:
    host = Host.objects.get(name="hv1")
    PoolMove.objects.create(cloud=row, host=host, pool="lab", found_at=timezone.now())
    page = text(visitor("administrator").get("/clouds/"))
    assert "1 host is in another pool by the cloud's word" in page
    assert "Only approvers move hosts to pools with other rules." in page
    browser = visitor("approver")
    asked = browser.get("/clouds/east/pools/")
    assert "hv1: az1 → <b>lab</b>" in text(asked)
    PoolMove.objects.update(pool="attic")
    late = browser.post("/clouds/east/pools/", filled(asked, reason="Rebuilt."))
    assert late.status_code == 409
    assert browser.post("/clouds/east/pools/", filled(late, reason="Rebuilt.")).status_code == 302
    assert Host.objects.get(name="hv1").pool == "attic"
