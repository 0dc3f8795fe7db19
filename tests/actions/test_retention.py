"""Old history goes; what says why a host is as it is stays."""

from datetime import timedelta

import pytest

from tests.factories import NOON
from tests.rows import make_host, make_server
from txt_dashboard.actions.retention import prune
from txt_dashboard.models import Attestation, HostEvent, Measurement

pytestmark = pytest.mark.django_db


def change(host, days_ago: int, measurement=None) -> None:
    at = NOON - timedelta(days=days_ago)
    HostEvent.objects.create(
        host=host, at=at, previous_state="unknown", state="trusted", reason="matches", vmm=measurement
    )


def measurement(key: str) -> Measurement:
    return Measurement.objects.create(
        key=key, part="vmm", bank="sha1", values={}, first_seen_at=NOON - timedelta(days=100)
    )


def test_old_changes_go_but_the_latest_of_a_host_stays() -> None:
    server = make_server()
    busy, calm = make_host("busy", server), make_host("calm", server)
    for days in (90, 60, 1):
        change(busy, days)
    change(calm, 90)
    assert prune(now=NOON, older_than=timedelta(days=30)) == 2
    assert HostEvent.objects.filter(host=busy).count() == 1
    assert HostEvent.objects.filter(host=calm).count() == 1


def test_measurements_that_nothing_shows_go_too() -> None:
    host = make_host("hv1", make_server())
    change(host, 90, measurement("gone"))
    change(host, 1, measurement("in history"))
    Attestation.objects.update(vmm=measurement("shown now"))
    prune(now=NOON, older_than=timedelta(days=30))
    assert set(Measurement.objects.values_list("key", flat=True)) == {"in history", "shown now"}
