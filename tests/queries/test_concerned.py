"""Instances on the hosts that something changes for, as a review tells of them."""

import pytest

from tests.factories import NOON
from tests.queries.test_impact import NEW, added, found, kernel
from txt_dashboard.models import Cloud, CloudHost, CloudInstance, Host, InstanceLook
from txt_dashboard.queries.concerned import Concerned, concerned
from txt_dashboard.queries.fate import Change

pytestmark = pytest.mark.django_db


@pytest.fixture
def east(poll) -> Cloud:
    """A cloud whose hypervisors hv1 and hv2 would gain trust; hv3 is as approved."""
    poll(hv1=kernel(), hv2=kernel(), hv3=kernel("kernel 37"))
    cloud = Cloud.objects.create(name="east")
    InstanceLook.objects.create(cloud=cloud, looked_at=NOON)
    return cloud


def boot(cloud: Cloud, host: str, *asks: bool | None) -> None:
    node, _ = CloudHost.objects.get_or_create(
        cloud=cloud, provider=host, host=Host.objects.get(name=host), hypervisor_hostname=host, since=NOON
    )
    CloudInstance.objects.bulk_create(
        CloudInstance(
            cloud=cloud, instance=f"{host}-{number}", project="p", service_host=host, node=node, asks=each,
            seen_since=NOON,
        )
        for number, each in enumerate(asks)
    )  # fmt: skip


def test_instances_on_hosts_that_something_changes_for_are_counted_and_those_that_asked_for_trust(east) -> None:
    boot(east, "hv1", True, False, None)
    boot(east, "hv2", True)
    boot(east, "hv3", True, True)
    seen = found(added(NEW))
    assert seen.counts == {Change.GAINED: 2}
    assert concerned(seen) == {Change.GAINED: Concerned(instances=4, asking=2)}


def test_hosts_without_instances_are_told_as_such(east) -> None:
    assert concerned(found(added(NEW))) == {Change.GAINED: Concerned(0, 0)}


def test_nothing_is_said_of_instances_that_nobody_has_seen(poll) -> None:
    poll(hv1=kernel())
    assert concerned(found(added(NEW))) == {}
