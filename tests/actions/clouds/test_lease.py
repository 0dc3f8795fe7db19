"""One worker at a time changes the traits of a cloud."""

from datetime import timedelta

import pytest

from txt_dashboard.actions.clouds.lease import LASTS, Lease, LeaseLost
from txt_dashboard.models import Cloud

pytestmark = pytest.mark.django_db


@pytest.fixture
def cloud() -> Cloud:
    return Cloud.objects.create(name="east")


def test_it_is_held_until_it_is_released_or_runs_out(cloud, clock):
    held = Lease.take(cloud, clock)
    assert held is not None
    assert Lease.take(cloud, clock) is None
    held.release()
    assert Lease.take(cloud, clock) is not None
    clock.now += LASTS
    assert Lease.take(cloud, clock) is not None


def test_a_worker_whose_clock_is_behind_takes_it_from_nobody(cloud, clock):
    held = Lease.take(cloud, lambda: clock() + timedelta(seconds=5))
    assert held is not None
    assert Lease.take(cloud, clock) is None
    held.renew()


def test_one_in_a_future_that_the_clock_left_again_is_none(cloud, clock):
    lost = Lease.take(cloud, lambda: clock() + timedelta(days=1))
    assert lost is not None
    assert Lease.take(cloud, clock) is not None
    with pytest.raises(LeaseLost):
        lost.renew()
