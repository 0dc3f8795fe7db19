"""Flavors: what each asks for, and the modal that changes it."""

from django.urls import reverse

from tests.horizon import clouds
from tests.horizon.cases import AdminCase

INDEX = reverse("horizon:admin:trust_flavors:index")
TRUST = reverse("horizon:admin:trust_flavors:trust", args=["7"])
SENT = {"specs_hash": clouds.SPECS, "trusted": "yes", "enforcement": "", "reason": "For the payroll."}


class FlavorTests(AdminCase):
    def test_the_list_says_what_each_asks_for_and_warns(self):
        self.service.says("GET /v1/flavors", clouds.flavors(clouds.flavor(trusted=True, enforced="trait")))
        page = self.page(INDEX)
        assert len(self.service.asked) == 1
        assert "a trusted host" in page
        assert "Placement, by the trait of trusted hosts" in page
        assert "It only looks trusted." in page

    def test_who_may_not_change_flavors_is_told_why(self):
        self.service.says("GET /v1/flavors", clouds.flavors(clouds.flavor(), why_not="It needs the administrator."))
        page = self.page(INDEX)
        assert "It needs the administrator." in page
        assert "ajax-modal" not in page.split("trust-part")[1]

    def test_numbers_that_nobody_could_count_are_not_zero(self):
        self.service.says("GET /v1/flavors", clouds.flavors(clouds.flavor(capacity=None, instances=None)))
        assert self.page(INDEX).count("not known") == 2

    def test_the_modal_shows_what_it_means_and_sends_what_was_seen(self):
        self.service.says("GET /v1/flavors/7", clouds.one_flavor())
        page = self.page(TRUST)
        assert "3 trusted hosts could take one more instance of it now." in page
        assert clouds.SPECS in page
        self.service.asked.clear()
        self.service.says("PUT /v1/flavors/7/trust", clouds.flavor(trusted=True))
        assert self.client.post(TRUST, SENT).status_code == 302
        (asked,) = self.service.asked
        wanted = {"trusted": True, "enforcement": None, "reason": "For the payroll.", "specs_hash": clouds.SPECS}
        assert asked.body == wanted

    def test_the_choice_of_the_settings_says_what_that_is(self):
        said = "what the settings say: our scheduler filter"
        self.service.says("GET /v1/flavors/7", clouds.one_flavor(enforcement="filter"))
        assert said in self.page(TRUST)
        self.service.refuses("PUT /v1/flavors/7/trust", 409, "Its extra specs changed.")
        again = self.client.post(TRUST, {**SENT, "by_settings": "filter"}).content.decode()
        assert said in again

    def test_a_choice_of_the_settings_that_is_not_told_or_not_known_stays_plain(self):
        untold = {key: told for key, told in clouds.one_flavor().items() if key != "enforcement"}
        for answer in (untold, clouds.one_flavor(enforcement="<b>magic")):
            self.service.says("GET /v1/flavors/7", answer)
            page = self.page(TRUST)
            assert "what the settings say</option>" in page
            assert "<b>magic" not in page

    def test_specs_that_changed_meanwhile_are_told_in_the_modal(self):
        self.service.refuses("PUT /v1/flavors/7/trust", 409, "Its extra specs changed.")
        page = self.client.post(TRUST, SENT).content.decode()
        assert "Its extra specs changed. Close this and look at the flavor again." in page

    def test_a_flavor_that_is_gone_offers_nothing_to_send(self):
        self.service.refuses("GET /v1/flavors/7", 404, "There is no flavor of this id.")
        page = self.page(TRUST)
        assert "There is no flavor of this id." in page
        assert 'type="submit"' not in page.split("trust_flavor_modal")[1].split("</form>")[0]
