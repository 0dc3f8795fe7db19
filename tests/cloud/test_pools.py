"""Pools from the cloud's own groups."""

import pytest

from txt_dashboard.cloud.pools import PoolSource, by_aggregate, by_zone, read_source
from txt_dashboard.cloud.values import Aggregate, ComputeService


def service(host: str, zone: str) -> ComputeService:
    return ComputeService("s", host, zone, up=True, enabled=True, disabled_reason="")


def group(*hosts: str, **metadata: str) -> Aggregate:
    return Aggregate(1, "a", hosts, metadata, "")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("none", None),
        ("zone", PoolSource()),
        ("aggregate:rack", PoolSource("rack")),
        ("aggregate:a:b", PoolSource("a:b")),
    ],
)
def test_what_the_setting_says(text, source):
    assert read_source(text) == source


@pytest.mark.parametrize("text", ["", "zones", "aggregate", "aggregate:", "Zone", "aggregate:\n"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="none, zone or aggregate"):
        read_source(text)


def test_by_availability_zone():
    assert by_zone([service("h1", "az1"), service("h2", "az2"), service("h3", "")]) == {"h1": "az1", "h2": "az2"}


def test_by_what_aggregates_say_unless_two_say_two_things():
    groups = [
        group("h1", "h2", rack="r1"),
        group("h2", "h3", rack="r2"),
        group("h1", "h4", ssd="yes"),
        group("h3", rack="r2"),
    ]
    assert by_aggregate(groups, "rack") == {"h1": "r1", "h3": "r2"}
