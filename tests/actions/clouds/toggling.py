"""A flavor's extra specs as Nova has them, and what is shown and told of it here."""

from tests.actions.clouds.conftest import TRAIT
from tests.cloud.fake import answer
from txt_dashboard.models import Activity, CloudFlavor
from txt_dashboard.queries import flavors

REQUIRED = {f"trait:{TRAIT}": "required"}
ASKED = {"trust:trusted_host": "trusted"}
SPECS = "/nova/v2.1/flavors/1/os-extra_specs"
READ, SET = f"GET {SPECS}", f"POST {SPECS}"
BUSY = answer({"conflictingRequest": {"code": 409, "message": "no"}}, 409)


def shown(clock) -> flavors.FlavorView:
    row = CloudFlavor.objects.select_related("cloud").get()
    return flavors.view(row, flavors.look(row.cloud, clock()), clock())


def told() -> list[tuple[str, dict]]:
    return [(each.actor, each.detail) for each in Activity.objects.filter(verb="set flavor trust").order_by("id")]
