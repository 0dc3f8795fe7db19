"""The list of hosts."""

from django.urls import reverse

from tests.horizon import examples
from tests.horizon.cases import AdminCase

INDEX = reverse("horizon:admin:trust_hosts:index")


class HostsTests(AdminCase):
    def test_a_page_asks_for_as_many_hosts_as_it_shows(self):
        self.service.says("GET /v1/hosts", examples.hosts(examples.host("hv1"), following="hv1~1"))
        page = self.page(INDEX, state="trusted", q="hv")
        (asked,) = self.service.asked
        assert asked.query == {"limit": "20", "state": "trusted", "q": "hv"}
        assert "marker=hv1~1" in page.replace("%7E", "~")

    def test_a_state_is_a_word_and_an_icon(self):
        self.service.says("GET /v1/hosts", examples.hosts(examples.host("hv2", "untrusted")))
        page = self.page(INDEX)
        assert 'trust-untrusted"><svg class="trust-shape"' in page
        assert "</svg> Untrusted</span>" in page

    def test_a_state_that_is_not_known_here_is_unknown(self):
        self.service.says("GET /v1/hosts", examples.hosts(examples.host("hv2", "splendid")))
        page = self.page(INDEX)
        assert "trust-state trust-unknown" in page
        assert "splendid" not in page

    def test_what_a_host_is_called_is_never_markup(self):
        self.service.says("GET /v1/hosts", examples.hosts(examples.host("<script>alert(1)</script>")))
        assert "<script>alert" not in self.page(INDEX)
