"""No sentence of ours was forgotten: in a pseudo-language all of them stand in brackets."""

from django.urls import reverse

from tests.horizon import clouds, examples, golden
from tests.horizon.cases import AdminCase
from tests.horizon.pseudo import spoken, texts_of, untranslated
from tests.horizon.unit.test_trouble import OWN, PAGES

FORMS = {
    reverse("horizon:admin:trust_baselines:approve", args=[4]): ("GET /v1/baselines", {}),
    reverse("horizon:admin:trust_baselines:reject", args=[4]): ("GET /v1/baselines", {}),
    reverse("horizon:admin:trust_baselines:withdraw", args=[4]): ("GET /v1/baselines", {}),
    reverse("horizon:admin:trust_baselines:retire", args=[golden.HELD]): ("GET /v1/baselines", {}),
    reverse("horizon:admin:trust_flavors:trust", args=["7"]): ("GET /v1/flavors/7", clouds.one_flavor()),
    reverse("horizon:admin:trust_hosts:attest", args=["hv1"]): ("GET /v1/hosts", {}),
    f"{reverse('horizon:admin:trust_hosts:propose', args=['hv1'])}?part=vmm": (
        "GET /v1/hosts/hv1/candidates",
        examples.candidates(waiting=4, refused=["It is all ff."]),
    ),
    reverse("horizon:admin:trust_servers:test", args=["oat-1"]): ("GET /v1/servers", {}),
    reverse("horizon:admin:trust_servers:poll", args=["oat-1"]): ("GET /v1/servers", {}),
}
OTHERS = {
    reverse("horizon:admin:trust_baselines:held", args=[golden.HELD]): (
        f"GET /v1/baselines/{golden.HELD_PATH}/review", golden.held_review(),
    ),
    reverse("horizon:admin:trust_flavors:index"): (
        "GET /v1/flavors",
        clouds.flavors(clouds.flavor(trusted=True, enforced="both", fails_closed=True), simulated=True),
    ),
    reverse("horizon:project:trust_instances:index"): (
        "GET /v1/instances",
        clouds.instances(clouds.instance(), clouds.instance("stale", asks=None), simulated=True),
    ),
    reverse("horizon:admin:trust_overview:index"): (
        "GET /v1/overview",
        {**examples.overview(simulated=True, refused="Not signed."), "changes": {"items": [], "more": 0}},
    ),
    reverse("horizon:admin:trust_hosts:index"): ("GET /v1/hosts", examples.hosts(examples.host(word_of="oat-1"))),
    reverse("horizon:admin:trust_hosts:detail", args=["hv1"]): (
        "GET /v1/hosts/hv1/diff",
        examples.diff(
            counts=False, simulated=True, verdict=None, silence="No answer.", asking=True, freshness="never",
            missing=[examples.register(4, "ab" * 32, None)], uncompared=[examples.register(5, None, "ab" * 32)],
        ),
    ),
    reverse("horizon:admin:trust_servers:index"): (
        "GET /v1/servers",
        {"items": [examples.server(counts=False, simulated=True, without_tls=True, test="overdue")]},
    ),
}  # fmt: skip


class TranslationTests(AdminCase):
    def read(self, address, route, body):
        self.service.says(route, body)
        with spoken():
            page = self.page(address)
        data = {"hv1", "oat-1", "PCR", "sha256", "SHA256", *texts_of(body)}
        assert "⟦" in page
        assert untranslated(page, data) == [], address

    def test_pages_hold_nothing_that_is_not_translated(self):
        for pages in (PAGES, OWN, OTHERS):
            for address, (route, body) in pages.items():
                self.read(address, route, body)

    def test_forms_hold_nothing_that_is_not_translated(self):
        for address, (route, body) in FORMS.items():
            self.read(address, route, body)

    def test_neither_do_pages_that_got_no_answer(self):
        for address, (route, _body) in PAGES.items():
            self.service.says(route, b"nonsense")
            with spoken():
                page = self.page(address)
            assert untranslated(page, {"hv1"}) == [], address

    def test_what_was_forgotten_would_be_found(self):
        assert untranslated("<main><p>Forgotten <b>⟦Said ⟦2⟧⟧</b></p></main>", ()) == ["Forgotten ⟦Said ⟦2⟧⟧"]
