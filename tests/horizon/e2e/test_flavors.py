"""A flavor is let ask for trusted hosts in Horizon, and Nova has it so; then not any more."""

import pytest

from tests.horizon.e2e.guest import Guest
from tests.horizon.e2e.people import ADMINISTRATOR
from txt_dashboard.cloud import compute

pytestmark = [pytest.mark.horizon, pytest.mark.timeout(900)]

DEMAND = {"trait:CUSTOM_TRUSTED_HOST": "required"}
KEPT = {"hw:cpu_policy": "shared"}


def row(guest: Guest, name: str) -> str:
    """What the row of a flavor says, once it is there."""
    text = "return [...document.querySelectorAll('#trust-flavors tbody tr')].map(row => row.innerText)"
    return guest.until(lambda: next((each for each in guest.run(text) if name in each), ""), f"no row of {name}", 60)


def test_a_flavor_is_toggled_with_a_reason_and_nova_has_it_so(visit, servers, cloud):
    admin, made = cloud.connect(), servers.flavor(KEPT)
    flavor = next(each for each in compute.list_flavors(admin) if each.id == made)

    def specs() -> dict[str, str]:
        return next(dict(each.extra_specs) for each in compute.list_flavors(admin) if each.id == flavor.id)

    ada = visit(ADMINISTRATOR)
    ada.at("trust_flavors")
    ada.until(lambda: ada.open("/admin/trust_flavors/") or flavor.name in ada.ours(), "the flavor never came", 90)
    assert "any host" in row(ada, flavor.name)

    ada.click(f"#trust-set-{flavor.id}")
    ada.reads(".modal", "then start on trusted hosts only")
    ada.reads(".modal", "trusted hosts could take one more instance of it now.")
    ada.fill(".modal #id_reason", " ")
    ada.click(".modal input[type=submit]")
    ada.reads(".modal", "This field is required.")
    ada.fill(".modal #id_reason", "For the payroll.")
    ada.click(".modal input[type=submit]")
    ada.reads("body", "asks for trusted hosts. Instances that run already keep what they had.")
    assert specs() == KEPT | DEMAND
    assert "a trusted host" in row(ada, flavor.name)
    assert "Placement" in row(ada, flavor.name)

    ada.decide(f"#trust-set-{flavor.id}", "The payroll moved away.", "runs on any host")
    assert specs() == KEPT
    assert "any host" in row(ada, flavor.name)

    ada.at("trust_activity")
    ada.says("For the payroll.")
    ada.says("The payroll moved away.")


def test_what_somebody_else_changed_meanwhile_is_not_written_over(visit, servers, cloud):
    flavor = servers.flavor()
    ada = visit(ADMINISTRATOR)
    button = f"#trust-set-{flavor}"
    ada.until(lambda: ada.open("/admin/trust_flavors/") or ada.all(button), "the flavor never came", 90)
    ada.click(button)
    ada.one(".modal #id_reason")
    compute.set_extra_specs(cloud.connect(), flavor, {"hw:cpu_policy": "shared"})
    ada.fill(".modal #id_reason", "For the payroll.")
    ada.click(".modal input[type=submit]")
    ada.reads(".modal", "Close this and look at the flavor again.")
