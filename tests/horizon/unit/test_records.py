"""The activity log and the attestation servers."""

from django.urls import reverse

from tests.horizon import examples
from tests.horizon.cases import AdminCase

ACTIVITY = reverse("horizon:admin:trust_activity:index")
SERVERS = reverse("horizon:admin:trust_servers:index")


class ActivityTests(AdminCase):
    def test_it_is_filtered_by_the_service(self):
        self.service.says("GET /v1/activity", {"items": [examples.entry()], "next": "3"})
        page = self.page(ACTIVITY, actor="ann")
        (asked,) = self.service.asked
        assert asked.query == {"actor": "ann", "limit": "20"}
        assert "Because of the update." in page
        assert "actor=ann&amp;marker=3" in page


class ServersTests(AdminCase):
    def test_it_shows_how_each_fares(self):
        told = {"health": "failing", "error": "It refused the connection.", "counts": False}
        self.service.says("GET /v1/servers", {"items": [examples.server(**told)]})
        page = self.page(SERVERS)
        assert "It refused the connection." in page
        assert "Only observed" in page
        assert "2 of 3 with fresh evidence" in page
        assert reverse("horizon:admin:trust_servers:test", args=["oat-1"]) in page

    def test_a_test_is_asked_for(self):
        self.service.says("POST /v1/servers/oat-1/test", examples.server(), 202)
        address = reverse("horizon:admin:trust_servers:test", args=["oat-1"])
        self.assertRedirectsNoFollow(self.client.post(address), SERVERS)
        assert [each.path for each in self.service.asked] == ["/v1/servers/oat-1/test"]

    def test_all_its_hosts_are_polled(self):
        self.service.says("POST /v1/polls", examples.POLL, 202)
        address = reverse("horizon:admin:trust_servers:poll", args=["oat-1"])
        self.assertRedirectsNoFollow(self.client.post(address), SERVERS)
        (asked,) = self.service.asked
        assert asked.body == {"server": "oat-1"}
