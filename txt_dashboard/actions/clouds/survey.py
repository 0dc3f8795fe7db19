"""Which flavors a cloud has, who runs on them, and how many trusted hosts could take one more."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import transaction
from django.db.models import F, Q

from txt_dashboard import conf
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.flavors import settle
from txt_dashboard.cloud import compute, errors, placement
from txt_dashboard.cloud.capacity import request_of
from txt_dashboard.cloud.enforcement import enforced
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.cloud.values import Flavor, Instance
from txt_dashboard.models import Cloud, CloudFlavor
from txt_dashboard.queries.clouds import trusted_providers
from txt_dashboard.queries.flavors import MOST_CANDIDATES, UNSEEN, trait_of
from txt_dashboard.servers.base import Clock

Answer = TypeVar("Answer")
_COUNTS_LAST = timedelta(minutes=5)
_AT_A_TIME = 40  # flavors that one look asks about: those that were asked about longest ago
_MUCH = 10  # a tenth of the hosts that have the trait
_AT_ONCE = 4  # questions
_LONGEST_ID = 255
_LARGEST_NUMBER = 2**31 - 1
_LARGEST_SPECS = 64 * 1024  # characters, as JSON
# Where Placement does not say what fits, all trusted hosts that are up count.
_SAYS_NOT = (errors.NotThere, errors.RoleMissing, errors.VersionUnsupported)

log = structlog.get_logger()


def wants_another_look(cloud: Cloud, now: datetime) -> bool:
    """Whether so many hosts became trusted or lost it since the last look that its numbers mislead."""
    return cloud.flavors_at is not None and now - cloud.flavors_at >= conf.cloud_interval() and _moved(cloud)


def look_at_flavors(cloud: Cloud, accounts: Accounts, clock: Clock) -> None:
    """Stores what the cloud says now. Raises `CloudError`; what was known before stays."""
    started = clock()
    listed = {each.id: each for each in compute.list_flavors(accounts.compute) if _fits(each)}
    _store(cloud, listed, started, clock)
    failures = _count(cloud, listed, accounts, clock()), _measure(cloud, listed, accounts, clock())
    problem = next((str(failure) for failure in failures if failure), "")
    Cloud.objects.filter(pk=cloud.pk).update(flavors_at=started, flavors_problem=problem)


@transaction.atomic
def _store(cloud: Cloud, listed: Mapping[str, Flavor], started: datetime, clock: Clock) -> None:
    """Keeps what changed. What a person changes, or changed after the question, is newer than the answer."""
    # One at a time: the rows below are compared, then written.
    Cloud.objects.select_for_update().get(pk=cloud.pk)
    rows = {row.flavor_id: row for row in CloudFlavor.objects.select_for_update().filter(cloud=cloud)}
    idle = {id_: row for id_, row in rows.items() if _is_older(row, started)}
    gone = [row.pk for id_, row in idle.items() if id_ not in listed]
    CloudFlavor.objects.filter(pk__in=gone).delete()
    for id_, flavor in listed.items():
        if id_ not in rows:
            CloudFlavor.objects.create(cloud=cloud, flavor_id=id_, specs=dict(flavor.extra_specs), **_said(flavor))
        elif id_ in idle:
            row = idle[id_]
            row.cloud = cloud
            if any(getattr(row, name) != value for name, value in _said(flavor).items()):
                CloudFlavor.objects.filter(pk=row.pk).update(**_said(flavor))
            if row.entry is not None or row.specs != flavor.extra_specs:
                settle(row, flavor.extra_specs, actor="worker", now=clock())


def _is_older(row: CloudFlavor, started: datetime) -> bool:
    claimed = row.changing_until is not None and row.changing_until >= started
    return not claimed and (row.changed_at is None or row.changed_at < started)


def _said(flavor: Flavor) -> dict[str, object]:
    return {
        "name": flavor.name,
        "public": flavor.public,
        "vcpus": flavor.vcpus,
        "ram_mib": flavor.ram_mib,
        "disk_gib": flavor.disk_gib,
    }


def _count(cloud: Cloud, listed: Mapping[str, Flavor], accounts: Accounts, now: datetime) -> CloudError | None:
    """Counts instances of those whose numbers are old; the first failure."""
    old = Q(counted_at=None) | Q(counted_at__lte=now - _COUNTS_LAST) | Q(counted_at__gt=now)
    trait = trait_of(cloud)
    answers = _answers(
        _oldest(cloud, old, listed, "counted_at"), lambda row: _demanded(accounts, row.flavor_id, trait)
    )
    for row, answer in answers:
        if not isinstance(answer, CloudError):
            CloudFlavor.objects.filter(pk=row.pk).update(demanded=dict(answer), counted_at=now)
    return _first(cloud, (answer for _, answer in answers))


def _measure(cloud: Cloud, listed: Mapping[str, Flavor], accounts: Accounts, now: datetime) -> CloudError | None:
    """Finds out how many trusted hosts have room; the first failure."""
    old = Q(measured_at=None) | Q(measured_at__lte=now - conf.flavors_interval()) | Q(measured_at__gt=now)
    holders = _holders(cloud)
    due = _oldest(cloud, Q() if _moved(cloud) else old, listed, "measured_at")
    if not due:
        return None
    takers = trusted_providers(cloud, now) & _up(accounts)
    trait = trait_of(cloud)
    answers = _answers(due, lambda row: _room(accounts, listed[row.flavor_id], trait, takers))
    for row, answer in answers:
        if not isinstance(answer, CloudError):
            CloudFlavor.objects.filter(pk=row.pk).update(capacity=answer, measured_at=now)
    Cloud.objects.filter(pk=cloud.pk).update(flavors_holders=holders)
    return _first(cloud, (answer for _, answer in answers))


def _moved(cloud: Cloud) -> bool:
    before = cloud.flavors_holders
    return before is None or _MUCH * abs(_holders(cloud) - before) > before


def _holders(cloud: Cloud) -> int:
    return cloud.intents.filter(trait=trait_of(cloud), taking=False).count()


def _oldest(cloud: Cloud, which: Q, listed: Mapping[str, Flavor], column: str) -> list[CloudFlavor]:
    found = cloud.flavors.filter(which, flavor_id__in=listed)
    return list(found.order_by(F(column).asc(nulls_first=True), "pk")[:_AT_A_TIME])


def _answers(
    rows: Iterable[CloudFlavor], ask: Callable[[CloudFlavor], Answer]
) -> list[tuple[CloudFlavor, Answer | CloudError]]:
    """What each question came to. No thread touches the database."""

    def asked(row: CloudFlavor) -> tuple[CloudFlavor, Answer | CloudError]:
        try:
            return row, ask(row)
        except CloudError as error:
            return row, error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(asked, rows))


def _first(cloud: Cloud, answers: Iterable[object]) -> CloudError | None:
    failures = [answer for answer in answers if isinstance(answer, CloudError)]
    if failures:
        log.error("flavors not counted", cloud=cloud.name, flavors=len(failures), why=str(failures[0]))
    return failures[0] if failures else None


def _up(accounts: Accounts) -> frozenset[str]:
    hypervisors = compute.list_hypervisors(accounts.compute)
    return frozenset(each.uuid for each in hypervisors if each.up and each.enabled)


def _demanded(accounts: Accounts, flavor_id: str, trait: str) -> Mapping[str, int]:
    instances = compute.list_instances(accounts.compute, all_projects=True, flavor_id=flavor_id)
    return Counter(_demand(each, trait) for each in instances)


def _demand(instance: Instance, trait: str) -> str:
    """What the instance demands by its own copy of the flavor."""
    if instance.extra_specs is None:
        return UNSEEN
    by = enforced(instance.extra_specs, trait)
    return by.value if by else ""


def _room(accounts: Accounts, flavor: Flavor, trait: str, takers: Collection[str]) -> int:
    """How many of the hosts that are trusted and up could take one more instance."""
    if not takers:
        return 0
    try:
        fitting = placement.list_candidates(
            accounts.placement, request_of(flavor, trusted=trait), limit=MOST_CANDIDATES
        )
    except _SAYS_NOT:
        return len(takers)
    return len(fitting.intersection(takers))


def _fits(each: Flavor) -> bool:
    text = json.dumps(dict(each.extra_specs))
    names = 0 < len(each.id) <= _LONGEST_ID and len(each.name) <= _LONGEST_ID
    numbers = all(0 <= number <= _LARGEST_NUMBER for number in (each.vcpus, each.ram_mib, each.disk_gib))
    fits = names and numbers and len(text) <= _LARGEST_SPECS and "\0" not in each.id + each.name
    if not fits or "\\u0000" in text:
        log.warning("flavor ignored", flavor=each.id[:80])
        return False
    return True
