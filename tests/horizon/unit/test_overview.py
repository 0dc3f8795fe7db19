"""The first page, and what all pages poll."""

from django.urls import reverse

from tests.horizon import examples
from tests.horizon.cases import AdminCase

INDEX = "horizon:admin:trust_overview:index"


class OverviewTests(AdminCase):
    def test_it_shows_the_tally_the_changes_and_the_activity_by_one_request(self):
        self.service.says("GET /v1/overview", examples.overview())
        page = self.page(reverse(INDEX))
        assert [each.path for each in self.service.asked] == ["/v1/overview"]
        assert "trust-state trust-untrusted" in page
        assert "Because of the update." in page
        assert "group=gggggggggggggggg" in page

    def test_it_sends_the_persons_own_token_and_nothing_else_of_theirs(self):
        self.service.says("GET /v1/overview", examples.overview())
        self.page(reverse(INDEX))
        (asked,) = self.service.asked
        assert asked.headers["X-Auth-Token"] == self.token.id
        assert "Cookie" not in asked.headers

    def test_without_reference_values_it_says_why_no_host_is_trusted(self):
        self.service.says("GET /v1/overview", examples.overview(refused="The set is not signed."))
        assert "The set is not signed." in self.page(reverse(INDEX))
