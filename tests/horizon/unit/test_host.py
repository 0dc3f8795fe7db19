"""One host: its tabs, and what can be done with it."""

from django.urls import reverse

from tests.horizon import examples
from tests.horizon.cases import AdminCase


def address(name: str) -> str:
    return reverse(f"horizon:admin:trust_hosts:{name}", args=["hv1"])


class HostTests(AdminCase):
    def test_measurements_show_golden_against_actual_and_why(self):
        self.service.says("GET /v1/hosts/hv1/diff", examples.diff())
        page = self.page(address("detail"))
        assert len(self.service.asked) == 1
        assert "ab<mark>cd</mark>" in page.replace("ababab", "ab")
        assert "The kernel changed." in page
        assert "instead of kernel 6.8" in page.replace("</span>", "")
        assert "Commonly changed by an update of tboot." in page
        assert page.index("trust-differs") < page.index("1 register matches")

    def test_the_log_is_searched_by_the_service(self):
        self.service.says("GET /v1/hosts/hv1/log", examples.event_log())
        page = self.page(address("log"), q="kernel", index="17", differing="true", other="no")
        (asked,) = self.service.asked
        assert asked.query == {"q": "kernel", "index": "17", "differing": "true", "limit": "100"}
        assert "Specification 2.0" in page
        assert "marker=2" in page

    def test_the_history_shows_what_it_was_before(self):
        self.service.says("GET /v1/hosts/hv1/history", examples.history())
        page = self.page(address("history"))
        assert page.index("trust-state trust-trusted") < page.rindex("trust-state trust-untrusted")
        assert "1 register changed" in page

    def test_the_evidence_can_be_taken_along(self):
        self.service.says("GET /v1/hosts/hv1/evidence", examples.evidence())
        assert "by a quote that was verified" in self.page(address("evidence"))
        answer = self.client.get(address("download"))
        assert answer["Content-Disposition"] == 'attachment; filename="hv1.json"'
        assert answer.json()["evidence"][0]["details"] == {"a": 1}

    def test_its_instances_are_asked_for_in_all_projects(self):
        self.service.says("GET /v1/instances", examples.instances())
        page = self.page(address("instances"))
        (asked,) = self.service.asked
        assert asked.query == {"all": "true", "host": "hv1", "limit": "20"}
        assert "at stake" in page

    def test_a_host_that_is_not_there_says_so(self):
        self.service.refuses("GET /v1/hosts/hv1/diff", 404, "There is no host named hv1.")
        assert "There is no host named hv1." in self.page(address("detail"))


class AttestTests(AdminCase):
    def test_it_asks_before_it_acts(self):
        page = self.page(address("attest"))
        assert self.service.asked == []
        assert "Attest hv1 now" in page
        assert "csrfmiddlewaretoken" in page

    def test_it_asks_for_new_evidence(self):
        self.service.says("POST /v1/hosts/hv1/attest", examples.POLL, 202)
        answer = self.client.post(address("attest"))
        self.assertRedirectsNoFollow(answer, address("detail"))
        assert [each.path for each in self.service.asked] == ["/v1/hosts/hv1/attest"]

    def test_what_the_service_refuses_stands_in_the_form(self):
        self.service.refuses("POST /v1/hosts/hv1/attest", 403, "ada may not poll: it needs the role operator.")
        answer = self.client.post(address("attest"))
        assert "ada may not poll" in answer.content.decode()


class ProposeTests(AdminCase):
    def setUp(self):
        super().setUp()
        self.address = f"{address('propose')}?part=vmm"
        self.service.says("GET /v1/hosts/hv1/candidates", examples.candidates())
        self.service.says("POST /v1/baselines", {"id": 12, "title": "VMM of hv1", "kind": "proposal"}, 201)
        self.form = {"title": "VMM 2", "name": "VMM 2", "reason": "The update.", "document_hash": "ab" * 32}

    def posted(self):
        return [each for each in self.service.asked if each.method == "POST"]

    def test_it_shows_the_values_that_would_be_approved(self):
        page = self.page(self.address)
        assert page.index('<th scope="row">4</th>') < page.index('<th scope="row">17</th>')

    def test_it_proposes_what_was_shown_under_the_name_that_was_chosen(self):
        self.assertRedirectsNoFollow(self.client.post(self.address, self.form), address("detail"))
        (made,) = self.posted()
        assert (made.body["title"], made.body["reason"]) == ("VMM 2", "The update.")
        (baseline,) = made.body["document"]["baselines"]
        assert baseline == {"name": "VMM 2", "part": "vmm", "bank": "sha256", "values": {
            "17": "ab" * 32, "4": "ab" * 32,
        }}  # fmt: skip

    def test_values_that_changed_meanwhile_are_not_proposed(self):
        self.service.says("GET /v1/hosts/hv1/candidates", examples.candidates("cd"))
        page = self.client.post(self.address, self.form).content.decode()
        assert "shows other values by now" in page
        assert self.posted() == []

    def test_without_a_reason_nothing_is_proposed(self):
        page = self.client.post(self.address, {**self.form, "reason": ""}).content.decode()
        assert "This field is required." in page
        assert self.posted() == []

    def test_where_nothing_can_be_proposed_it_says_so(self):
        page = self.page(f"{address('propose')}?part=platform")
        assert "no values of this part" in page
        assert 'value="Propose"' not in page
