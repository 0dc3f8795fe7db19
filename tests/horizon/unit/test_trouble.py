"""The service down, slow, talking nonsense, or refusing: nothing is called trusted, and Horizon stays quick."""

import time
from unittest import mock

from django.urls import reverse

from tests.horizon import clouds, examples, golden
from tests.horizon.cases import AdminCase, MemberCase, entry
from txt_dashboard_panel.api import client

PAGES = {
    reverse("horizon:admin:trust_overview:index"): ("GET /v1/overview", examples.overview()),
    reverse("horizon:admin:trust_hosts:index"): ("GET /v1/hosts", examples.hosts(examples.host())),
    reverse("horizon:admin:trust_hosts:detail", args=["hv1"]): ("GET /v1/hosts/hv1/diff", examples.diff("trusted")),
    reverse("horizon:admin:trust_hosts:log", args=["hv1"]): ("GET /v1/hosts/hv1/log", examples.event_log()),
    reverse("horizon:admin:trust_hosts:history", args=["hv1"]): ("GET /v1/hosts/hv1/history", examples.history()),
    reverse("horizon:admin:trust_hosts:instances", args=["hv1"]): ("GET /v1/instances", examples.instances()),
    reverse("horizon:admin:trust_hosts:evidence", args=["hv1"]): ("GET /v1/hosts/hv1/evidence", examples.evidence()),
    reverse("horizon:admin:trust_activity:index"): ("GET /v1/activity", {"items": [], "next": None}),
    reverse("horizon:admin:trust_baselines:index"): ("GET /v1/baselines", golden.page()),
    reverse("horizon:admin:trust_baselines:review", args=[4]): ("GET /v1/baselines/4/review", golden.review()),
    reverse("horizon:admin:trust_flavors:index"): ("GET /v1/flavors", clouds.flavors(clouds.flavor())),
    reverse("horizon:admin:trust_servers:index"): ("GET /v1/servers", {"items": [examples.server()]}),
}
PAGES |= {
    reverse("horizon:admin:trust_baselines:index"): ("GET /v1/baselines", examples.baselines()),
    reverse("horizon:admin:trust_baselines:review", args=["12"]): ("GET /v1/baselines/12/review", examples.review()),
    reverse("horizon:admin:trust_flavors:index"): ("GET /v1/flavors", examples.flavors()),
}
# That of every member of a project.
OWN = {
    reverse("horizon:project:trust_instances:index"): ("GET /v1/instances", examples.instances()),
}
LIVE = reverse("horizon:admin:trust_overview:live")


class TroubleTests(AdminCase):
    def trouble(self, address: str, reason: str) -> None:
        page = self.page(address)
        assert self.answer.status_code == 200, address
        assert "trust-state trust-unknown" in page, address
        assert "trust-state trust-trusted" not in page, address
        assert reason in page, address

    def test_pages_work_while_the_service_does(self):
        for address, (route, body) in (PAGES | OWN).items():
            self.service.says(route, body)
            page = self.page(address)
            assert "trust-problem" not in page, address
            assert len(self.service.asked) == 1, address
            self.service.asked.clear()

    def test_a_service_that_is_down(self):
        self.service_catalog[-1] = entry("http://127.0.0.1:9")
        for address in PAGES | OWN:
            self.trouble(address, "The service Trusted Compute can&#x27;t be reached.")

    def test_a_service_that_fails(self):
        for address, (route, _body) in (PAGES | OWN).items():
            self.service.refuses(route, 503, "The database can't be used at the moment.")
            self.trouble(address, "The database can&#x27;t be used at the moment.")

    def test_answers_that_are_no_json(self):
        for address, (route, _body) in (PAGES | OWN).items():
            self.service.says(route, b"<html>trusted</html>")
            self.trouble(address, "The service Trusted Compute failed.")

    def test_answers_of_another_shape(self):
        for address, (route, body) in (PAGES | OWN).items():
            for nonsense in ([], {}, {**body, next(iter(body)): [7]}, {"items": [{"state": "trusted"}]}):
                self.service.says(route, nonsense)
                self.trouble(address, "makes no sense here")

    def test_answers_that_are_too_deep_or_too_large(self):
        with mock.patch.object(client, "LARGEST", 1000):
            for content in (b"[" * 900, b'"' + b"x" * 2000 + b'"'):
                self.service.says("GET /v1/hosts", content)
                self.trouble(reverse("horizon:admin:trust_hosts:index"), "The service Trusted Compute")

    def test_a_token_goes_nowhere_else(self):
        self.service.says("GET /v1/hosts", b"", 302)
        self.trouble(reverse("horizon:admin:trust_hosts:index"), "It answered with status 302.")
        assert len(self.service.asked) == 1

    def test_whoever_the_service_refuses_is_told_why(self):
        for address, (route, _body) in (PAGES | OWN).items():
            self.service.refuses(route, 403, "ada may not view: it needs a role.")
            self.trouble(address, "ada may not view: it needs a role.")

    def test_a_slow_service_stalls_nothing(self):
        self.service.delay_s = 1
        began = time.monotonic()
        with mock.patch.object(client, "READ_S", 0.2):
            self.trouble(reverse("horizon:admin:trust_hosts:index"), "did not answer in time")
        assert time.monotonic() - began < 5

    def test_a_region_without_a_public_address_of_the_service(self):
        endpoints = self.service_catalog[-1]["endpoints"]
        endpoints[:] = [each for each in endpoints if each["interface"] == "admin"]
        self.trouble(reverse("horizon:admin:trust_hosts:index"), "catalog of this region")

    def test_nothing_is_asked_of_what_is_no_address(self):
        self.service_catalog[-1] = entry("file:///etc/passwd")
        self.trouble(reverse("horizon:admin:trust_hosts:index"), "is no address")


class LiveTests(AdminCase):
    def live(self, **changed):
        status = {
            "version": "8-9-3-0-0-0", "trouble": False, "hosts": examples.COUNTS, "silent": [], "polling": None,
            "changed": [], "more": False, **changed,
        }  # fmt: skip
        self.service.says("GET /v1/status", status)
        return self.client.get(LIVE, {"since": examples.VERSION}).json()

    def test_it_says_which_hosts_changed(self):
        one = {"host": "hv1", "state": "untrusted", "at": examples.NOW}
        assert self.live(changed=[one]) == {"version": "8-9-3-0-0-0", "said": "hv1 is untrusted."}
        assert self.service.asked[-1].query == {"since": examples.VERSION}

    def test_many_are_counted(self):
        some = [{"host": f"hv{at}", "state": "stale", "at": examples.NOW} for at in range(9)]
        assert self.live(changed=some)["said"] == "9 hosts changed."
        assert self.live(changed=some, more=True)["said"] == "Many hosts changed."

    def test_a_poll_shows_how_far_it_has_come(self):
        running = {"pool": "", "host": "", "total": 40, "done": 12, "failed": 0, "running": True}
        assert self.live(polling=running)["said"] == "12 of 40 hosts attested."

    def test_what_is_no_version_is_not_passed_on(self):
        self.live()
        self.client.get(LIVE, {"since": "1&x=2"})
        assert self.service.asked[-1].query == {}

    def test_a_service_that_is_down_has_no_version(self):
        self.service_catalog[-1] = entry("http://127.0.0.1:9")
        told = self.client.get(LIVE, {"since": examples.VERSION}).json()
        assert told == {"version": "", "said": "The service Trusted Compute can't be reached."}


class WithoutServiceTests(AdminCase):
    has_service = False

    def test_no_panel_is_shown_and_no_page_is_there(self):
        home = self.page(reverse("horizon:admin:info:index"))
        assert "trust_hosts" not in home
        for address in PAGES:
            assert self.client.get(address).status_code in (302, 403), address
        assert self.service.asked == []


class OrdinaryMemberTests(MemberCase):
    def test_the_pages_of_administrators_are_closed(self):
        for address in [*PAGES, LIVE]:
            assert self.client.get(address).status_code in (302, 403), address
        assert self.service.asked == []
