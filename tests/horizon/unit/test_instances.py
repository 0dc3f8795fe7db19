"""Instances for members of a project: how each stands, and no host."""

from django.urls import reverse

from tests.horizon import clouds
from tests.horizon.cases import MemberCase

INDEX = reverse("horizon:project:trust_instances:index")
LIVE = reverse("horizon:project:trust_instances:live")


class InstanceTests(MemberCase):
    def test_a_member_sees_how_their_instances_stand(self):
        self.service.says("GET /v1/instances", clouds.instances(clouds.instance("untrusted")))
        page = self.page(INDEX)
        assert "shop-1" in page
        assert "trust-state trust-untrusted" in page
        assert "and runs on one that is not" in page
        assert clouds.MEANS_NOT in page
        assert len(self.service.asked) == 1

    def test_a_host_that_the_service_tells_is_not_shown(self):
        self.service.says("GET /v1/instances", clouds.instances(clouds.instance(host="hv-secret")))
        assert "hv-secret" not in self.page(INDEX)
        assert "hv-secret" not in self.page(LIVE)

    def test_the_poller_is_told_of_a_change_and_of_nothing_else(self):
        self.service.says("GET /v1/instances", clouds.instances(clouds.instance()))
        version = self.client.get(LIVE).json()["version"]
        later = clouds.instances(clouds.instance(), read_at="2026-11-27T04:00:00Z")
        self.service.says("GET /v1/instances", later)
        assert self.client.get(LIVE).json()["version"] == version
        self.service.says("GET /v1/instances", clouds.instances(clouds.instance("stale")))
        assert self.client.get(LIVE).json()["version"] != version

    def test_a_service_that_fails_calls_nothing_trusted(self):
        self.service.refuses("GET /v1/instances", 503, "The cloud can't be asked.")
        page = self.page(INDEX)
        assert "trust-state trust-unknown" in page
        assert "trust-state trust-trusted" not in page
        assert self.client.get(LIVE).json() == {
            "version": "",
            "said": "The service Trusted Compute failed. The cloud can't be asked.",
        }

    def test_a_problem_at_the_cloud_is_told(self):
        self.service.says("GET /v1/instances", clouds.instances(problem="Nova did not answer."))
        page = self.page(INDEX)
        assert "Nova did not answer." in page
        assert "This project has no instances." not in page
