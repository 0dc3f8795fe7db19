"""Hosts of which some evidence counts no more, or does not yet: few, mostly, and found by an index."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from txt_dashboard.models import Attestation
from txt_dashboard.models.attestation import latest_begin
from txt_dashboard.queries.census import Kind
from txt_dashboard.queries.fate import Ages

Aged = Mapping[Ages, Sequence[int]]  # ids of hosts, by the validities that their evidence has outlived


def aged_hosts(
    kinds: Iterable[Kind], validities: Sequence[timedelta], now: datetime
) -> Mapping[tuple[Kind, str], Aged]:
    """Hosts with evidence that is older than one of the validities (ascending), by kind and pool. One query."""
    if not validities:
        return {}
    by_key: dict[str, Kind] = {}
    by_host: dict[int, Kind] = {}
    for kind in kinds:
        by_host.update(dict.fromkeys(kind.hosts, kind))
        if not kind.hosts:
            by_key[kind.key] = kind
    outlived: dict[int, set[tuple[str, tuple[timedelta, ...]]]] = defaultdict(set)
    places: dict[int, tuple[Kind, str]] = {}
    for host, server, key, pool, *old in _rows(validities, now):
        place = by_host.get(host) or by_key.get(key)
        if place is not None and pool in place.pools:
            places[host] = place, pool
            outlived[host].add((server, tuple(each for each, is_old in zip(validities, old, strict=True) if is_old)))
    found: dict[tuple[Kind, str], dict[Ages, list[int]]] = defaultdict(lambda: defaultdict(list))
    for host, where in places.items():
        found[where][frozenset(outlived[host])].append(host)
    return found


def _rows(validities: Sequence[timedelta], now: datetime) -> Iterable[tuple[Any, ...]]:
    conditions = {f"outlived_{at}": _not_within(validity, now) for at, validity in enumerate(validities)}
    rows = Attestation.objects.filter(_not_within(validities[0], now)).annotate(**conditions)
    return rows.values_list("host_id", "server__name", "host__evidence_key", "host__pool", *conditions)


def _not_within(validity: timedelta, now: datetime) -> Q:
    return Q(counts_from__lte=now - validity) | Q(counts_from__gt=latest_begin(now))
