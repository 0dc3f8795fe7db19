"""Golden values: the list, the review, and deciding on exactly what was shown."""

from django.urls import reverse

from tests.horizon import golden
from tests.horizon.cases import AdminCase

INDEX = reverse("horizon:admin:trust_baselines:index")
REVIEW = reverse("horizon:admin:trust_baselines:review", args=[4])
APPROVE = reverse("horizon:admin:trust_baselines:approve", args=[4])
SEEN = {"content_hash": golden.CONTENT, "impact_hash": golden.IMPACT}


class ListTests(AdminCase):
    def test_the_list_says_whose_turn_it_is(self):
        self.service.says("GET /v1/baselines", golden.page(why_not=None))
        assert "Yes: review it" in self.page(INDEX)
        self.service.says("GET /v1/baselines", golden.page(why_not="Only an approver can decide."))
        assert "Only an approver can decide." in self.page(INDEX)

    def test_what_a_proposal_says_is_never_markup(self):
        self.service.says("GET /v1/baselines", golden.page(title="<script>alert(1)</script>", reason="<b>x</b>"))
        page = self.page(INDEX)
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page


class ReviewTests(AdminCase):
    def test_a_review_shows_registers_in_force_against_proposed_and_what_it_does(self):
        self.service.says("GET /v1/baselines/4/review", golden.review())
        page = self.page(REVIEW)
        assert len(self.service.asked) == 1
        assert "2</b> hosts become trusted" in page
        assert "<mark>bb</mark>" in page
        assert "The log says: the kernel was replaced." in page

    def test_what_one_may_not_approve_says_why(self):
        self.service.says(
            "GET /v1/baselines/4/review", golden.review(why_not_approve="Who proposed it can't approve it.")
        )
        page = self.page(REVIEW)
        assert 'id="trust-approve" disabled aria-describedby="trust-approve-why"' in page
        assert "Who proposed it can&#x27;t approve it." in page

    def test_the_button_carries_exactly_what_was_shown(self):
        self.service.says("GET /v1/baselines/4/review", golden.review())
        assert f"{APPROVE}?content_hash={golden.CONTENT}&amp;impact_hash={golden.IMPACT}" in self.page(REVIEW)

    def test_a_settled_proposal_offers_nothing(self):
        self.service.says("GET /v1/baselines/4/review", golden.review(state="rejected"))
        page = self.page(REVIEW)
        assert "trust-approve" not in page
        assert "Rejected" in page

    def test_a_baseline_in_force_can_be_proposed_for_retirement(self):
        self.service.says(f"GET /v1/baselines/{golden.HELD_PATH}/review", golden.held_review())
        page = self.page(reverse("horizon:admin:trust_baselines:held", args=[golden.HELD]))
        assert "What is shown below is what retiring it would do." in page
        assert "trust-retire" in page


class DecisionTests(AdminCase):
    def send(self, address: str, **more: str):
        return self.client.post(address, {**SEEN, "reason": "Compared.", **more})

    def test_the_modal_asks_the_service_nothing_and_keeps_what_was_shown(self):
        page = self.page(APPROVE, **SEEN)
        assert self.service.asked == []
        assert golden.CONTENT in page
        assert golden.IMPACT in page

    def test_an_approval_sends_exactly_what_was_shown(self):
        self.service.says("POST /v1/baselines/4/approve", golden.decided(approvals=1))
        answer = self.send(APPROVE)
        assert (answer.status_code, answer.url) == (302, REVIEW)
        (asked,) = self.service.asked
        assert asked.body == {**SEEN, "reason": "Compared."}

    def test_it_takes_a_reason(self):
        self.client.post(APPROVE, {**SEEN, "reason": " "})
        assert self.service.asked == []

    def test_what_changed_meanwhile_is_told_in_the_modal(self):
        self.service.refuses("POST /v1/baselines/4/approve", 409, "This proposal was edited since you saw it.")
        page = self.send(APPROVE).content.decode()
        assert "This proposal was edited since you saw it. Close this and look at the page again." in page

    def test_the_number_of_hosts_that_lose_trust_is_asked_for_where_they_are_many(self):
        told = {"title": "Conflict", "status": 409, "detail": "12 of 40 hosts would lose trust.", "losses": 12}
        self.service.says("POST /v1/baselines/4/approve", told, 409)
        page = self.send(APPROVE).content.decode()
        assert "12 of 40 hosts would lose trust." in page
        assert '<input type="number" name="confirmed_losses"' in page
        self.service.says("POST /v1/baselines/4/approve", golden.decided(approvals=2))
        assert self.send(APPROVE, confirmed_losses="12").status_code == 302
        assert self.service.asked[-1].body["confirmed_losses"] == 12

    def test_rejecting_withdrawing_and_retiring_say_what_was_seen(self):
        for act, address in (("reject", "4"), ("withdraw", "4"), ("retire", golden.HELD)):
            path = f"/v1/baselines/{address.replace(':', '%3A')}/{act}"
            self.service.says(f"POST {path}", golden.decided(), 201 if act == "retire" else 200)
            path = reverse(f"horizon:admin:trust_baselines:{act}", args=[address])
            body = {"content_hash": golden.CONTENT, "reason": "So."}
            assert self.client.post(path, body).status_code == 302, act
            assert self.service.asked[-1].body == {"content_hash": golden.CONTENT, "reason": "So."}
