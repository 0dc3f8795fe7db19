"""Horizon's policy, switched on: it hides what the service would refuse, rule by rule."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from django.conf import settings
from django.test.utils import override_settings
from django.urls import reverse
from openstack_auth import policy

from tests.horizon import examples
from tests.horizon.cases import AdminCase

DEFAULTS = Path(settings.DEFAULT_POLICY_FILES["trusted-compute"])
DETAIL = reverse("horizon:admin:trust_hosts:detail", args=["hv1"])
ACTIONS = {
    reverse("horizon:admin:trust_hosts:attest", args=["hv1"]): "trust:attest",
    f"{reverse('horizon:admin:trust_hosts:propose', args=['hv1'])}?part=vmm": "trust:propose",
    reverse("horizon:admin:trust_servers:test", args=["oat-1"]): "trust:test_server",
    reverse("horizon:admin:trust_servers:poll", args=["oat-1"]): "trust:poll",
}


@contextmanager
def policy_on(folder: Path, **rules: str):
    """Our rules with these in their place."""
    own = folder / "trust_policy.yaml"
    own.write_text(yaml.safe_dump({name.replace("__", ":"): rule for name, rule in rules.items()}))
    files = {"trusted-compute": str(own)}
    with override_settings(POLICY_CHECK_FUNCTION="openstack_auth.policy.check", POLICY_FILES=files):
        policy.reset()
        yield
    policy.reset()


class PolicyTests(AdminCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        self.service.says("GET /v1/hosts/hv1/diff", examples.diff())
        self.service.says("GET /v1/hosts/hv1/candidates", examples.candidates())

    def test_administrators_may_all_by_default(self):
        with policy_on(self.folder):
            page = self.page(DETAIL)
            assert "trust-attest" in page
            assert "trust-propose-vmm" in page
            for address in ACTIONS:
                assert self.client.get(address).status_code == 200, address

    def test_each_action_has_a_rule_of_its_own(self):
        for closed in ACTIONS.values():
            with policy_on(self.folder, **{closed.replace(":", "__"): "!"}):
                for address, rule in ACTIONS.items():
                    expected = 403 if rule == closed else 200
                    assert self.client.get(address).status_code == expected, (closed, address)

    def test_a_button_that_may_not_be_pressed_is_not_there(self):
        with policy_on(self.folder, trust__attest="!", trust__propose="!"):
            page = self.page(DETAIL)
            assert 'id="trust-attest"' not in page
            assert "does not let you propose" in page

    def test_who_may_not_view_finds_no_page(self):
        with policy_on(self.folder, trust__view="!"):
            assert self.client.get(DETAIL).status_code == 403
        assert self.service.asked == []

    def test_each_rule_is_described(self):
        rules = yaml.safe_load(DEFAULTS.read_text())
        assert all(each["description"] and each["scope_types"] == ["project"] for each in rules)
        assert set(ACTIONS.values()) <= {each["name"] for each in rules}
