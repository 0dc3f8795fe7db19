"""What people decide about hosts at a cloud. Each needs a reason and is in the activity log."""

from datetime import datetime

from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.losses import require_named
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotFound, Verb, require
from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import Cloud, CloudHost, Host, NotHypervisor, TraitHold, TraitIntent
from txt_dashboard.queries.state import in_state


def acknowledge_trait(actor: Actor, hold_id: int, *, times: int, reason: str, now: datetime) -> None:
    """Lets a host be trusted again on which somebody else had set the trait.

    `times` is how often that happened as the actor saw it. Raises `NotAllowed`, `NotFound`, `Invalid`, and `Conflict`
    where it happened again meanwhile or the trait is still there.
    """
    require(actor, Verb.ACKNOWLEDGE_TRAIT)
    _check(reason)
    with transaction.atomic():
        hold = TraitHold.objects.select_for_update(of=("self",)).filter(pk=hold_id, at_first=False).first()
        if hold is None:
            raise NotFound("Nobody waits for this any more.")
        if hold.times != times:
            raise Conflict(f"The trait of {hold.name} was set again meanwhile. Look at it again.")
        if not hold.taken:
            raise Conflict(f"{hold.name} still has the trait. It is taken first.")
        hold.delete()
        host = hold.host.name if hold.host else ""
        detail = {"reason": reason, "provider": hold.provider, "times": hold.times}
        audit.record(
            at=now, actor=actor.name, verb=Verb.ACKNOWLEDGE_TRAIT, target=hold.cloud.name, host=host, detail=detail
        )


def take_over_traits(actor: Actor, cloud_name: str, *, reason: str, now: datetime) -> int:
    """From now on the traits that were there when the cloud was connected are ours; returns how many.

    So hosts that are trusted keep them, and all others lose them. Who does not want that names another trait in the
    settings instead. Raises `NotAllowed`, `NotFound`, `Invalid`.
    """
    require(actor, Verb.TAKE_OVER_TRAITS)
    _check(reason)
    with transaction.atomic():
        cloud = Cloud.objects.select_for_update().filter(name=cloud_name).first()
        found = list(cloud.holds.filter(at_first=True)) if cloud else []
        if cloud is None or not found:
            raise NotFound("No trait waits for an answer there.")
        intents = [TraitIntent(cloud=cloud, provider=row.provider, trait=cloud.trait, at=now) for row in found]
        TraitIntent.objects.bulk_create(intents, ignore_conflicts=True, batch_size=500)
        cloud.holds.filter(pk__in=[row.pk for row in found]).delete()
        detail = {"reason": reason, "hosts": len(found), "first": [row.name for row in found[:20]]}
        audit.record(at=now, actor=actor.name, verb=Verb.TAKE_OVER_TRAITS, target=cloud.name, detail=detail)
    return len(found)


def set_hypervisor(
    actor: Actor, host_name: str, *, is_one: bool, reason: str, now: datetime, confirmed_losses: int | None = None
) -> None:
    """Says whether an attested host may be a hypervisor; a controller is none, and matched with nothing.

    Raises `NotAllowed`, `NotFound`, `Invalid`, and `ManyLosses` where the cloud has so few that one is many.
    """
    require(actor, Verb.EDIT_CLOUD_HOST)
    _check(reason)
    with transaction.atomic():
        host = Host.objects.filter(name=host_name).first()
        if host is None:
            raise NotFound("This host is not there any more.")
        before = not NotHypervisor.objects.filter(host=host).exists()
        if is_one:
            NotHypervisor.objects.filter(host=host).delete()
        else:
            require_named(_given(host, now), confirmed_losses)
            NotHypervisor.objects.get_or_create(host=host, defaults={"at": now})
            # At once, and its pins too: it is no hypervisor, whatever it was taken for.
            CloudHost.objects.filter(host=host).update(host=None)
            CloudHost.objects.filter(pinned=host).update(pinned=None)
        Cloud.objects.update(match_due_at=None)
        detail = {"reason": reason, "before": {"hypervisor": before}, "after": {"hypervisor": is_one}}
        audit.record(
            at=now, actor=actor.name, verb=Verb.EDIT_CLOUD_HOST, target=host.name, host=host.name, detail=detail
        )


def release_pin(actor: Actor, cloud_name: str, provider: str, *, reason: str, now: datetime) -> None:
    """Forgets which host this hypervisor was first matched with, so that names decide anew.

    Raises `NotAllowed`, `NotFound`, `Invalid`.
    """
    require(actor, Verb.EDIT_CLOUD_HOST)
    _check(reason)
    with transaction.atomic():
        nodes = CloudHost.objects.select_for_update(of=("self",)).filter(cloud__name=cloud_name, provider=provider)
        node = nodes.exclude(pinned=None).first()
        if node is None or node.pinned is None:
            raise NotFound("This hypervisor is pinned to no host.")
        pinned = node.pinned.name
        nodes.update(pinned=None, host=None)
        Cloud.objects.filter(name=cloud_name).update(match_due_at=None)
        detail = {"reason": reason, "hypervisor": node.hypervisor_hostname, "before": {"pinned": pinned}}
        audit.record(
            at=now, actor=actor.name, verb=Verb.EDIT_CLOUD_HOST, target=cloud_name, host=pinned, detail=detail
        )


def _given(host: Host, now: datetime) -> int:
    """1 for a host that is trusted, and a hypervisor of some cloud."""
    return Host.objects.filter(in_state(State.TRUSTED, now), pk=host.pk, nodes__isnull=False).distinct().count()


def _check(reason: str) -> None:
    if not reason.strip():
        raise Invalid({"reason": ["Say why."]})
