"""The heartbeat at its well-known address."""

import pytest

from txt_dashboard.cloud.heartbeat import WELL_KNOWN
from txt_dashboard.models import Cloud

pytestmark = pytest.mark.django_db


def test_it_is_served_as_it_was_signed_to_everybody(client):
    Cloud.objects.create(name="east", heartbeat='{"payload": "…"}')
    response = client.get(WELL_KNOWN)
    assert (response.status_code, response.content.decode()) == (200, '{"payload": "…"}')
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]


def test_with_several_clouds_each_has_an_address_of_its_own(client):
    for name in ("east", "west"):
        Cloud.objects.create(name=name, heartbeat=name)
    assert client.get(WELL_KNOWN).status_code == 404
    assert client.get(f"{WELL_KNOWN}/west").content == b"west"
    assert client.get(f"{WELL_KNOWN}/north").status_code == 404


def test_before_the_first_there_is_none(client):
    assert client.get(WELL_KNOWN).status_code == 404
    Cloud.objects.create(name="east")
    assert client.get(WELL_KNOWN).status_code == 503


def test_it_is_only_read(client):
    assert client.post(WELL_KNOWN).status_code == 405
