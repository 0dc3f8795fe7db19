"""The Fleet page: counts, causes and hosts, each no better than it is now."""

import gzip
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import evidence, value
from tests.rows import make_host, make_server, write_reference
from tests.web.visitors import text, visitor
from txt_dashboard import audit
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.attest.reference import Policy
from txt_dashboard.models import Attestation, Host, HostEvent, PollRequest, Server

pytestmark = pytest.mark.django_db
QUERIES = 27


def drifted(name: str = "kernel 38"):
    return evidence({18: value(name)}, at=timezone.now())


def tally(page: str) -> dict[str, int]:
    return {state: int(count) for state, count in re.findall(r'<b class="(\w+)">(\d+)</b>', page)}


def row(page: str, host: str) -> str:
    """The table's row of this host."""
    return next(each for each in page.split("<tr>") if f">{host}</b></a>" in each)


def expire(*names: str) -> None:
    Attestation.objects.filter(host__name__in=names).update(valid_until=timezone.now())


# --- First run -----------------------------------------------------------------------------------


def test_an_empty_fleet_says_what_to_do_first(db) -> None:
    page = text(visitor("administrator").get("/"))
    assert "There are no hosts yet" in page
    assert "Add a server" in page
    assert "txt-dashboard-manage load_baselines baselines.json" in page
    assert "txt-dashboard-manage load_hosts hosts.csv --server NAME" in page


def test_steps_that_are_done_are_marked(oat) -> None:
    assert "Add a server" not in text(visitor("administrator").get("/"))


# --- What is trusted -----------------------------------------------------------------------------


def test_it_counts_hosts_by_state_and_says_why(fleet) -> None:
    fleet(hv1=None, hv2=drifted())
    page = text(visitor("viewer").get("/"))
    assert tally(page) == {"trusted": 1, "untrusted": 1, "stale": 0, "unknown": 0}
    assert "Differs from the closest approved baseline in PCR 18." in row(page, "hv2")
    assert "BIOS 1, VMM 1" in row(page, "hv2")
    assert "(!) Fleet" in page


def test_a_trusted_host_whose_evidence_ran_out_is_shown_stale_everywhere(fleet) -> None:
    fleet(hv1=None)
    expire("hv1")
    browser = visitor("viewer")
    page = text(browser.get("/"))
    assert tally(page) == {"trusted": 0, "untrusted": 0, "stale": 1, "unknown": 0}
    assert "is-stale" in row(page, "hv1")
    assert "The last evidence has run out and no newer has come." in row(page, "hv1")
    assert 'class="stale"' in text(browser.get("/fleet/map/"))
    assert "hv1" not in text(browser.get("/?state=trusted")).partition('id="rows"')[2]
    assert "is-stale" in row(text(browser.get("/?state=stale")), "hv1")
    assert browser.get("/live/").json()["trouble"]


def test_trust_on_a_servers_word_alone_says_so(fleet, oat) -> None:
    write_reference(oat, (), Policy((), timedelta(minutes=10), word_is_enough=True))
    fleet(hv1=None)
    assert "on oat-1's word alone" in row(text(visitor("viewer").get("/")), "hv1")


def test_a_simulated_fleet_is_called_so_on_every_page(fleet) -> None:
    fleet(hv1=None)
    browser = visitor("viewer")
    assert "Simulated fleet" not in text(browser.get("/"))
    Server.objects.update(simulated=True)
    for address in ("/", "/servers/", "/hosts/hv1/", "/nothing-here/"):
        assert "Simulated fleet." in text(browser.get(address))


def test_beside_a_simulated_server_a_real_one_is_not_called_simulated(fleet) -> None:
    fleet(hv1=None)
    make_server("sim-1", simulated=True)
    page = text(visitor("viewer").get("/hosts/hv1/"))
    assert "Partly simulated." in page
    assert "no real machine is meant" not in page


def test_an_outage_says_how_many_hosts_lose_trust_and_when(fleet) -> None:
    fleet(hv1=None, hv2=None)
    now = timezone.now()
    Attestation.objects.update(counts_from=now - timedelta(minutes=20), valid_until=now + timedelta(minutes=10))
    Server.objects.update(failures=2, error="The connection was refused.")
    page = text(visitor("viewer").get("/"))
    assert "oat-1 has not answered since" in page
    assert "2 hosts stay trusted until their evidence runs out" in page
    assert "Try now" not in page
    assert "Try now" in text(visitor("operator").get("/"))


def test_the_activity_names_the_host_or_the_first_of_many(fleet) -> None:
    fleet(hv1=None)
    assert re.search(r"1 host became trusted in az1: <a [^>]+>hv1</a>", text(visitor("viewer").get("/")))
    fleet(hv2=None, hv3=None)
    assert re.search(r"2 hosts became trusted in az1, the first <a [^>]+>hv2</a>", text(visitor("operator").get("/")))


# --- What changed --------------------------------------------------------------------------------


def test_what_changed_within_one_minute_names_it_once(fleet) -> None:
    hosts = fleet(hv1=drifted(), hv2=drifted())
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for host, seconds in zip(hosts, (1, 59), strict=True):
        Host.objects.filter(pk=host.pk).update(since=noon + timedelta(seconds=seconds))
    since = re.search(r'<td class="since dim nowrap">(.*?)</td>', text(visitor("viewer").get("/")))[1]
    assert since.count("12:00 UTC</time>") == 1


def test_hosts_that_drifted_alike_are_one_change_that_leads_to_them(fleet) -> None:
    fleet(hv1=drifted(), hv2=drifted(), hv3=None)
    browser = visitor("viewer")
    page = text(browser.get("/"))
    assert "Register 18 differs</b> on 2 hosts in the same way, no approved change" in page
    link = re.search(r'href="(/\?group=[0-9a-f]+)#hosts"', page)[1]
    found = text(browser.get(link)).partition('id="rows"')[2]
    assert "2 hosts found." in found
    assert "hv3" not in found


def test_a_host_alone_is_said_to_be_alone(fleet) -> None:
    fleet(hv1=drifted())
    assert "on one host alone, no other host drifted to these values" in text(visitor("viewer").get("/"))


def test_a_servers_verdict_against_ours_is_a_change_of_its_own(fleet) -> None:
    fleet(hv1=evidence(verdict=Verdict.UNTRUSTED, at=timezone.now()))
    page = text(visitor("viewer").get("/"))
    assert "oat-1 says untrusted</b> of 1 host, although all required registers match approved baselines" in page


# --- The map -------------------------------------------------------------------------------------


def test_the_map_links_every_host_and_is_compressed(fleet) -> None:
    fleet(**{f"hv{number}": None for number in range(30)})
    answer = visitor("viewer").get("/fleet/map/", headers={"Accept-Encoding": "gzip"})
    drawn = gzip.decompress(answer.content).decode()
    assert drawn.count('href="/hosts/hv') == 30
    assert 'title="hv7: trusted"' in drawn
    assert "30 hosts, 100 % trusted" in drawn


def test_the_map_is_answered_anew_only_when_the_fleet_changed(fleet) -> None:
    fleet(hv1=None, hv2=None)
    browser = visitor("viewer")
    known = {"If-None-Match": browser.get("/fleet/map/")["ETag"]}
    assert browser.get("/fleet/map/", headers=known).status_code == 304
    expire("hv2")
    assert 'class="stale"' in text(browser.get("/fleet/map/", headers=known))


# --- Search and facets ---------------------------------------------------------------------------


def test_filters_live_in_the_address(fleet) -> None:
    fleet(hv1=None, hv2=drifted())
    fleet(pool="edge", edge1=None)
    browser = visitor("viewer")
    page = text(browser.get("/?state=trusted&pool=edge"))
    assert "1 host found." in page
    assert '<option value="edge" selected>' in page
    assert 'href="/?state=untrusted&pool=edge"' in page, "the tally keeps the other filters"
    assert "No host is like that." in text(browser.get("/?q=nobody"))


@pytest.mark.parametrize(
    "address", ["/?sort=since&after=yesterday", "/?q=%00", "/?sort=since&after=x~99999999999999999999999"]
)
def test_an_address_that_makes_no_sense_is_answered_with_a_sentence(fleet, address) -> None:
    fleet(hv1=None)
    answer = visitor("viewer").get(address)
    assert answer.status_code == 400
    assert "The address" in text(answer)


# --- Cost ----------------------------------------------------------------------------------------


def queries_of(browser, address: str) -> int:
    browser.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("address", ["/", "/?q=6b65726e656c", "/?state=stale&pool=az1&server=oat-1", "/?sort=since"])
def test_the_number_of_queries_is_constant(fleet, oat, address) -> None:
    Server.objects.update(failures=1)
    fleet(hv1=None, hv2=drifted(), hv3=evidence(verdict=Verdict.UNTRUSTED, at=timezone.now()))
    PollRequest.objects.create(requested_at=timezone.now(), requested_by="operator", total=1)
    browser = visitor("operator")
    few = queries_of(browser, address)
    fleet(**{f"more{number}": drifted(f"kernel {number}") for number in range(20)})
    fleet(pool="edge", **{f"edge{number}": None for number in range(40)})
    assert queries_of(browser, address) == few <= QUERIES


# --- Live ----------------------------------------------------------------------------------------


def test_the_pulse_tells_of_changes_and_is_not_modified_without(fleet) -> None:
    hosts = fleet(hv1=None)
    browser = visitor("viewer")
    first = browser.get("/live/")
    assert first.json()["summary"] == "Hosts: 1 trusted, 0 untrusted, 0 stale, 0 unknown."
    assert browser.get("/live/", headers={"If-None-Match": first["ETag"]}).status_code == 304
    HostEvent.objects.create(
        host=hosts[0], at=timezone.now(), previous_state="trusted", state="untrusted", reason="server_untrusted"
    )
    assert browser.get("/live/").json()["version"] != first.json()["version"]


def test_poll_now_shows_its_progress(fleet, oat) -> None:
    fleet(hv1=None, hv2=None)
    browser = visitor("operator")
    answer = browser.post("/poll/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "poll-started")
    assert browser.get("/live/").json()["progress"] == {"done": 0, "total": 2, "sentence": "Polling 0 of 2"}
    Attestation.objects.filter(host__name="hv1").update(asked_at=timezone.now(), answered=False)
    assert browser.get("/live/").json()["progress"]["sentence"] == "Polling 1 of 2, 1 failed"
    Attestation.objects.update(asked_at=timezone.now())
    assert browser.get("/live/").json()["progress"] is None


def test_poll_now_works_without_scripts_and_leads_back(fleet) -> None:
    fleet(hv1=None)
    browser = visitor("operator")
    answer = browser.post("/poll/", {"next": "/?pool=az1"}, follow=True)
    assert answer.redirect_chain == [("/?pool=az1", 302)]
    assert "1 host is being polled." in text(answer)
    assert browser.post("/poll/", {"next": "https://elsewhere.example/"})["Location"] == "/"


def test_only_who_may_poll_can_and_others_see_why_not(fleet) -> None:
    fleet(hv1=None)
    browser = visitor("viewer")
    page = text(browser.get("/"))
    assert "Only operators and administrators poll." in page
    assert '<button class="btn" disabled aria-describedby="why-not-poll">Poll now</button>' in page
    assert 'action="/poll/"' not in page
    answer = browser.post("/poll/")
    assert answer.status_code == 403
    assert "a-viewer may not poll" in text(answer)
    assert not PollRequest.objects.exists()
    assert visitor("operator").get("/poll/").status_code == 405


def test_polling_a_host_that_is_not_there_is_told_as_a_sentence(fleet) -> None:
    fleet(hv1=None)
    answer = visitor("operator").post("/poll/", {"host": "ghost"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content.decode()) == (404, "There is no host named ghost.")


# --- Hostile names -------------------------------------------------------------------------------


def test_markup_in_names_reasons_and_the_log_is_shown_as_text(fleet, oat) -> None:
    attack = '"><script>alert(1)</script>'
    (host,) = fleet(hv1=drifted())
    Server.objects.update(name=attack, failures=1, error=attack, simulated=True)
    Host.objects.update(pool=attack, reason="answer_malformed", reason_params={"server": attack, "detail": attack})
    make_host(f"hv2{attack}".replace("/", ""), oat, attack)
    detail = {"hosts": {"untrusted": 1}, "pools": [attack], "first": host.name}
    audit.record(at=timezone.now(), actor=attack, verb="states changed", target=attack, detail=detail)
    audit.record(at=timezone.now(), actor=attack, verb=attack, target=attack)
    expire("hv1")
    browser = visitor("operator")
    for address in ("/", "/fleet/map/", f"/?q={attack}", "/?state=untrusted"):
        page = browser.get(address).content.decode()
        assert "<script>alert" not in page
        assert "alert(1)" in page
