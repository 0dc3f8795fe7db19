"""Many administrators at once, on one flavor, for real."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from tests.cloud.fake import connect
from tests.cloud.living import Flavor
from tests.clouds import connected
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.flavors import Wish, set_flavor_trust
from txt_dashboard.actions.permissions import Actor, Conflict, Role
from txt_dashboard.cloud.enforcement import Enforcement, digest
from txt_dashboard.models import Activity, Cloud, CloudFlavor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
PEOPLE = 8
SPECS = {"hw:cpu_policy": "shared"}


def test_of_many_who_saw_the_same_exactly_one_has_an_effect(tmp_path, settings) -> None:
    assert connection.vendor == "postgresql"
    size = {"public": True, "vcpus": 1, "ram_mib": 512, "disk_gib": 1}
    made = Cloud.objects.create(name="east", trait="CUSTOM_TRUSTED_HOST")
    CloudFlavor.objects.create(cloud=made, flavor_id="1", name="m1", specs=SPECS, **size)
    barrier = Barrier(PEOPLE)
    with connected(tmp_path, settings) as cloud:
        cloud.flavors["1"] = Flavor("m1", dict(SPECS))
        account = connect(cloud)

        def ask(number: int) -> str:
            somebody = Actor(f"person {number}", frozenset({Role.ADMINISTRATOR}), user=number)
            wish = Wish(True, list(Enforcement)[number % 3], "Secrets.", digest(SPECS))
            try:
                barrier.wait()
                set_flavor_trust(
                    somebody, "east", "1", wish, connect=lambda _: Accounts(account, account), clock=timezone.now
                )
            except Conflict:
                return "refused"
            finally:
                connection.close()
            return "done"

        with ThreadPoolExecutor(PEOPLE) as pool:
            assert Counter(pool.map(ask, range(PEOPLE))) == {"done": 1, "refused": PEOPLE - 1}
        account.close()
    intended = Activity.objects.get(verb="set flavor trust", of=None)
    assert cloud.flavors["1"].specs == SPECS | intended.detail["after"]
    assert CloudFlavor.objects.get().specs == cloud.flavors["1"].specs
