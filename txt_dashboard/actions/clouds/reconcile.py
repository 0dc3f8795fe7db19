"""Traits in Placement follow from what is known of hosts: compared, and only what differs is touched."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.db import transaction

from txt_dashboard import audit, conf
from txt_dashboard.actions.clouds.hand import Hand
from txt_dashboard.actions.clouds.lease import Lease
from txt_dashboard.cloud import heartbeat, placement
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.errors import RequestRefused
from txt_dashboard.cloud.plan import Plan, Providers, plan
from txt_dashboard.cloud.values import Provider
from txt_dashboard.keyring import KeyringError, signing_key
from txt_dashboard.models import Cloud, TraitHold, TraitIntent
from txt_dashboard.queries.clouds import hosts_of, trusted_providers
from txt_dashboard.servers.base import Clock

FOREIGN = "trait set by somebody else"
FOUND = "traits found"
_BATCH = 500
_SLICE = 40  # providers that get the trait before those that must lose it are looked for again

log = structlog.get_logger()


def is_due(cloud: Cloud, trait: str, now: datetime) -> bool:
    """Whether the cloud is to be looked at: because of the time, or because a host must lose its trait now."""
    if cloud.due_at is None or cloud.due_at <= now or cloud.due_at > now + 2 * conf.cloud_interval():
        return True
    return bool(lost(cloud, trait, now))


def lost(cloud: Cloud, trait: str, now: datetime) -> list[TraitIntent]:
    """Our traits on providers that should not have them."""
    should = trusted_providers(cloud, now)
    # Mostly none: rows are read only of those.
    pairs = cloud.intents.values_list("pk", "provider", "trait")
    gone = [pk for pk, provider, of in pairs if of != trait or provider not in should]
    found: list[TraitIntent] = []
    for start in range(0, len(gone), _BATCH):
        found += TraitIntent.objects.filter(pk__in=gone[start : start + _BATCH])
    return found


def reconcile(cloud: Cloud, connection: Connection, trait: str, lease: Lease, clock: Clock) -> None:
    """Takes what must be taken; then, where it is due, compares all. Raises `CloudError`, `LeaseLost`.

    What could not be done is tried again the next time, and no heartbeat says then that all is well.
    """
    started = clock()
    hand = Hand(cloud, connection, trait, clock)
    hand.take(lost(cloud, trait, started))
    if not _take_turn(cloud, started):
        note(cloud, hand.problem)
        return
    _compare(cloud, hand, lease)
    note(cloud, hand.problem)
    if not hand.kept:
        Cloud.objects.filter(pk=cloud.pk).update(reconciled_at=started)
        beat(cloud, started)


def beat(cloud: Cloud, at: datetime) -> None:
    """Signs that the traits of this cloud were right at that moment, for pages to serve."""
    try:
        key = signing_key(conf.signing_key_file())
    except KeyringError as error:
        log.error("heartbeat not signed", cloud=cloud.name, why=str(error))
        return
    signed = heartbeat.sign(heartbeat.Heartbeat(at, cloud.name), key).decode()
    Cloud.objects.filter(pk=cloud.pk).update(heartbeat=signed)


def _take_turn(cloud: Cloud, now: datetime) -> bool:
    if cloud.due_at is not None and now < cloud.due_at <= now + 2 * conf.cloud_interval():
        return False
    return bool(Cloud.objects.filter(pk=cloud.pk, due_at=cloud.due_at).update(due_at=now + conf.cloud_interval()))


def note(cloud: Cloud, problem: str) -> None:
    """Tells on the cloud's row what the last look met with; empty for nothing."""
    Cloud.objects.filter(pk=cloud.pk).exclude(problem=problem).update(problem=problem)


def _compare(cloud: Cloud, hand: Hand, lease: Lease) -> None:
    first = cloud.begun_at is None or cloud.trait != hand.trait
    if first:
        cloud.holds.filter(at_first=True).delete()  # of another trait
    before = _intended(cloud, hand.trait)
    having = _holders(hand)
    lease.renew()
    holds = {row.provider: row for row in cloud.holds.all()}
    waiting = {provider for provider, row in holds.items() if row.at_first}
    should = trusted_providers(cloud, hand.clock())
    # Intents of before and after the question, so that nothing of ours is ever taken for somebody else's.
    intended = before | _intended(cloud, hand.trait)
    have = having.keys() - waiting
    known = having if not (should - have - holds.keys()) | (have - intended) else _all(hand)
    todo = plan(Providers(should, have, known.keys(), intended, holds.keys()), first=first)
    if first:
        _begin(cloud, todo, known, hand)
    hand.take_foreign(_hold(cloud, todo.foreign, known, hand.clock(), holds))
    _remove(cloud, todo, hand)
    Cloud.objects.filter(pk=cloud.pk).exclude(vanished=len(todo.vanished)).update(vanished=len(todo.vanished))
    for start in range(0, len(todo.add), _SLICE):
        lease.renew()
        hand.take([row for row in lost(cloud, hand.trait, hand.clock()) if row.provider not in hand.kept])
        still = trusted_providers(cloud, hand.clock())
        hand.give([each for each in todo.add[start : start + _SLICE] if each in still])


def _intended(cloud: Cloud, trait: str) -> frozenset[str]:
    return frozenset(cloud.intents.filter(trait=trait).values_list("provider", flat=True))


def _holders(hand: Hand) -> dict[str, Provider]:
    """Who has the trait; where it does not exist it does afterwards."""
    try:
        return _by_uuid(placement.list_providers(hand.connection, having=hand.trait))
    except RequestRefused:
        placement.create_trait(hand.connection, hand.trait)
        return _by_uuid(placement.list_providers(hand.connection, having=hand.trait))


def _all(hand: Hand) -> dict[str, Provider]:
    return _by_uuid(placement.list_providers(hand.connection))


def _by_uuid(providers: tuple[Provider, ...]) -> dict[str, Provider]:
    return {each.uuid: each for each in providers}


def _remove(cloud: Cloud, todo: Plan, hand: Hand) -> None:
    """Ours that must go, unless that was tried just now."""
    ours = set(todo.remove) - set(todo.foreign) - hand.kept
    hand.take(list(cloud.intents.filter(trait=hand.trait, provider__in=ours)) if ours else [])


def _begin(cloud: Cloud, todo: Plan, known: Mapping[str, Provider], hand: Hand) -> None:
    """The first look for this trait: those that are there are listed, and a person is asked about them once."""
    now = hand.clock()
    with transaction.atomic():
        Cloud.objects.filter(pk=cloud.pk).update(begun_at=now, trait=hand.trait)
        holds = [_new_hold(cloud, known, each, now, at_first=True) for each in todo.unmoved]
        TraitHold.objects.bulk_create(holds, ignore_conflicts=True, batch_size=500)
        if holds:
            detail = {"trait": hand.trait, "hosts": len(holds), "first": [row.name for row in holds[:20]]}
            audit.record(at=now, actor="worker", verb=FOUND, target=cloud.name, detail=detail)


def _hold(
    cloud: Cloud,
    foreign: tuple[str, ...],
    known: Mapping[str, Provider],
    now: datetime,
    holds: Mapping[str, TraitHold],
) -> list[TraitHold]:
    """Holds the hosts of these providers, and reports each: before the trait is taken."""
    found = []
    for provider in foreign:
        row = holds.get(provider) or _new_hold(cloud, known, provider, now, at_first=False)
        again = row.pk is not None and row.taken
        if row.pk is None or again:
            row.times += again
            row.taken, row.found_at = False, now
            with transaction.atomic():
                row.save()
                detail = {"provider": provider, "times": row.times}
                host = row.host.name if row.host else ""
                audit.record(at=now, actor="worker", verb=FOREIGN, target=cloud.name, host=host, detail=detail)
            log.error("trait set by somebody else", cloud=cloud.name, provider=provider, name=row.name)
        found.append(row)
    return found


def _new_hold(
    cloud: Cloud, known: Mapping[str, Provider], provider: str, now: datetime, *, at_first: bool
) -> TraitHold:
    root = _root(known, provider)
    host = hosts_of(cloud, [root]).get(root)
    name = known[provider].name[:255] if provider in known else provider
    return TraitHold(cloud=cloud, provider=provider, name=name, root=root, host=host, at_first=at_first, found_at=now)


def _root(known: Mapping[str, Provider], provider: str) -> str:
    """The hypervisor's own provider: a trait below it makes the whole tree pass."""
    seen = {provider}
    while (each := known.get(provider)) is not None and each.parent and each.parent not in seen:
        provider = each.parent
        seen.add(provider)
    return provider
