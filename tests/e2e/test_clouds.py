"""The page of clouds on the simulated cloud: hypervisors are found, traits are given, and people answer what is asked."""

import pytest
import requests

from tests.e2e.product import STORY, Product
from tests.e2e.screen import Screen
from txt_dashboard.simulator.openstack.estate import Estate

pytestmark = pytest.mark.browser

ESTATE = Estate(STORY.fleet)
CONTROLLER = ESTATE.controllers[-1]
SET_BY_HAND = STORY.kernel_update.hosts[5]
TRAIT = "CUSTOM_TRUSTED_HOST"


def set_by_hand(product: Product, host: str) -> None:
    """What somebody with compute credentials can do: the trait, behind our back."""
    address = f"http://127.0.0.1:{product.port + 2}"
    who = {"name": "admin", "domain": {"id": "default"}, "password": product.password}
    identity = {"methods": ["password"], "password": {"user": who}}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    body = {"auth": {"identity": identity, "scope": scope}}
    token = requests.post(f"{address}/identity/v3/auth/tokens", json=body, timeout=5).headers["X-Subject-Token"]
    headers = {"X-Auth-Token": token, "OpenStack-API-Version": "placement 1.23"}
    traits = f"{address}/placement/resource_providers/{ESTATE.by_host[host].uuid}/traits"
    now = requests.get(traits, headers=headers, timeout=5).json()
    answer = requests.put(traits, headers=headers, json={**now, "traits": [*now["traits"], TRAIT]}, timeout=5)
    assert answer.status_code == 200, answer.text


def _see(screen: Screen, name: str, axe_source: str) -> None:
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 400)):
        screen.prefer(scheme)
        screen.resize(width)
        screen.picture(f"{name}-{scheme}-{width}")
        assert screen.faults(axe_source) == []
        assert screen.overflows() == []
    screen.prefer("light")
    screen.resize()
