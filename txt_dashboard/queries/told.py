"""What relying parties are told of hosts at this moment: for PollHosts, and for traits in Placement.

A host is trusted while it is stored as trusted, all attestations by servers that count are fresh (see `state`), and
what is in force could be verified.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Q

from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import Attestation
from txt_dashboard.models.attestation import counts_at
from txt_dashboard.queries.clouds import names_for
from txt_dashboard.queries.in_force import in_force

_COLUMNS = ("host__name", "host__state", "fresh", "attested_at", "valid_until")
_FEW = 500  # names that are looked up one by one; for more all hosts are read


class Level(StrEnum):
    """The trust levels of OpenAttestation that we use."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"  # never attested, or its evidence ran out


class Told(NamedTuple):
    """What is told of one host. Times are aware; where there is no evidence there are none."""

    level: Level
    attested_at: datetime | None = None  # the oldest evidence that the level rests on
    valid_until: datetime | None = None  # when the first of it runs out


UNKNOWN = Told(Level.UNKNOWN)
# By the stored state, and whether the evidence is fresh.
_LEVELS = {
    (State.TRUSTED, True): Level.TRUSTED,
    (State.UNTRUSTED, True): Level.UNTRUSTED,
    (State.UNTRUSTED, False): Level.UNTRUSTED,
}


def told(names: Collection[str], now: datetime) -> Mapping[str, Told]:
    """What is told of each of these hosts, under the names that were asked for. Four queries.

    Once a cloud is connected its hypervisors go by `hypervisor_hostname`; what is no hypervisor by its own name.
    """
    if in_force().refused:
        return dict.fromkeys(names, UNKNOWN)
    few = names if len(names) <= _FEW else None
    meant = names_for(few)
    hosts = {name: meant.of(name) for name in names}
    which = Q() if few is None else Q(host__name__in=[host for host in hosts.values() if host])
    by_host = _by_host(which, now)
    return {name: by_host.get(host, UNKNOWN) if host else UNKNOWN for name, host in hosts.items()}


def _by_host(which: Q, now: datetime) -> dict[str, Told]:
    """By the host's name. A host with several attestations is as fresh as the one that is least so."""
    # The database compares the times: to read two of them for each host would take longer than all the rest.
    fresh = counts_at(now)
    rows = Attestation.objects.filter(which, server__counts=True).annotate(fresh=fresh).order_by()
    found: dict[str, Told] = {}
    for name, state, is_fresh, *times in rows.values_list(*_COLUMNS):
        each = Told(_LEVELS.get((state, bool(is_fresh)), Level.UNKNOWN), *times)
        known = found.setdefault(name, each)
        if known is not each:
            found[name] = _both(known, each)
    return found


def _both(one: Told, other: Told) -> Told:
    level = one.level if one.level == other.level else Level.UNKNOWN
    return Told(level, _first(one.attested_at, other.attested_at), _first(one.valid_until, other.valid_until))


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else None
