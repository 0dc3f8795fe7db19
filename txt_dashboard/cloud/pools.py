"""Which pool a host belongs to by the cloud's own groups: availability zones, or aggregates. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from txt_dashboard.cloud.values import Aggregate, ComputeService

_BY_AGGREGATE = "aggregate:"


@dataclass(frozen=True, slots=True)
class PoolSource:
    """Where pools come from: the key of aggregates' metadata, or empty for availability zones."""

    metadata_key: str = ""


def read_source(text: str) -> PoolSource | None:
    """What the setting says; `None` for "none". Raises `ValueError`."""
    if text == "none":
        return None
    if text == "zone":
        return PoolSource()
    key = text.removeprefix(_BY_AGGREGATE)
    if key == text or not key or not key.isprintable():
        raise ValueError("it must be none, zone or aggregate:<key of the metadata>")
    return PoolSource(key)


def by_zone(services: Iterable[ComputeService]) -> Mapping[str, str]:
    """Compute service's host -> its availability zone."""
    return {each.host: each.zone for each in services if each.zone}


def by_aggregate(aggregates: Iterable[Aggregate], key: str) -> Mapping[str, str]:
    """Compute service's host -> what its aggregates say under the key; nothing where two of them say two things."""
    said: dict[str, set[str]] = defaultdict(set)
    for each in aggregates:
        if value := each.metadata.get(key):
            for host in each.hosts:
                said[host].add(value)
    return {host: next(iter(values)) for host, values in said.items() if len(values) == 1}
