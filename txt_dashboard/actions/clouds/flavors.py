"""Making a flavor a trusted one, or an ordinary one again: asked for by a person, done at the cloud at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

import structlog
from django.db import transaction
from django.db.models import Q

from txt_dashboard import audit, conf
from txt_dashboard.actions.clouds.connect import Accounts, Connect
from txt_dashboard.actions.governance.propose import check_reason
from txt_dashboard.actions.permissions import Actor, CloudFailed, Conflict, NotFound, Verb, require
from txt_dashboard.cloud import compute, errors, placement
from txt_dashboard.cloud.enforcement import Change, Enforcement, after, change, demands, digest, enforced
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.models import Activity, Cloud, CloudFlavor
from txt_dashboard.queries.flavors import find_cloud, trait_of
from txt_dashboard.servers.base import Clock

LASTS = timedelta(minutes=3)  # a claim on a flavor: longer than all calls together may take
_IN_DOUBT = "Whether it was done can't be told yet: a worker looks again, and the page says what it found."
_GONE = "There is no such flavor. Workers list flavors every minute: one that is new may not be known yet."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a flavor. `enforcement`: `None` for the settings' choice."""

    trusted: bool
    enforcement: Enforcement | None
    reason: str
    specs_hash: str  # of the extra specs that they saw

    @property
    def wanted(self) -> Enforcement | None:
        """By what it shall ask for trusted hosts."""
        return (self.enforcement or conf.enforcement()) if self.trusted else None


def set_flavor_trust(
    actor: Actor, cloud_name: str, flavor_id: str, wish: Wish, *, connect: Connect, clock: Clock
) -> CloudFlavor:
    """Sets and unsets what the wish needs, and nothing else; the flavor as the cloud has it then.

    One change of a flavor at a time. Raises `NotAllowed`, `Invalid`, `NotFound`; `Conflict` where its extra specs are
    not those that the actor saw, or somebody else changes it; `CloudFailed`.
    """
    require(actor, Verb.SET_FLAVOR_TRUST)
    check_reason(wish.reason)
    row = _find(cloud_name, flavor_id)
    until = _claim(row, clock())
    try:
        row.refresh_from_db()
        _change(actor, row, wish, connect, clock)
    except CloudError as error:
        log.error("flavor not changed", cloud=row.cloud.name, flavor=row.flavor_id, why=str(error))
        raise (Conflict if isinstance(error, errors.Conflict) else CloudFailed)(str(error)) from None
    finally:
        CloudFlavor.objects.filter(pk=row.pk, changing_until=until).update(changing_until=None)
    row.refresh_from_db()
    return row


def settle(row: CloudFlavor, specs: Mapping[str, str], *, actor: str, now: datetime, why: str = "") -> None:
    """Writes down what the cloud has, and what came of the intention that is open, in the caller's transaction.

    Whoever else settled it meanwhile was as right as we are.
    """
    entry = row.entry
    mine = CloudFlavor.objects.filter(pk=row.pk, entry=entry).update(specs=dict(specs), changed_at=now, entry=None)
    row.entry = None
    intended = Activity.objects.filter(pk=entry).first() if mine and entry is not None else None
    if intended is None:
        return
    wanted = intended.detail.get("after")
    done = isinstance(wanted, dict) and all(specs.get(key) == value for key, value in wanted.items())
    detail = {"cloud": row.cloud.name, "flavor": row.flavor_id, "outcome": "done" if done else "failed"}
    detail |= {} if done or not why else {"why": why}
    audit.record(at=now, actor=actor, verb=Verb.SET_FLAVOR_TRUST, target=intended.target, of=entry, detail=detail)


def _find(cloud_name: str, flavor_id: str) -> CloudFlavor:
    cloud = find_cloud(cloud_name)
    if cloud is None:
        raise NotFound("No such cloud is connected.")
    row = CloudFlavor.objects.select_related("cloud").filter(cloud=cloud, flavor_id=flavor_id).first()
    if row is None:
        raise NotFound(_GONE)
    return row


def _claim(row: CloudFlavor, now: datetime) -> datetime:
    """Until when it is ours. A claim that ends too late for clocks that differ a little counts for nothing."""
    until = now + LASTS
    free = Q(changing_until=None) | Q(changing_until__lte=now) | Q(changing_until__gt=until + LASTS)
    if not CloudFlavor.objects.filter(free, pk=row.pk).update(changing_until=until):
        raise Conflict(f"Somebody else changes {row.name} at this moment. Look at it again.")
    return until


def _change(actor: Actor, row: CloudFlavor, wish: Wish, connect: Connect, clock: Clock) -> None:
    accounts = connect(row.cloud.name)
    specs = _live(accounts, row)
    trait = trait_of(row.cloud)
    if digest(specs) != wish.specs_hash or row.entry is not None:
        with transaction.atomic():
            settle(row, specs, actor="worker", now=clock())
        raise Conflict(f"The extra specs of {row.name} were changed since you saw them. Look at it again.")
    planned = change(specs, wish.wanted, trait)
    if wish.wanted is None and enforced(after(specs, planned), trait):
        theirs = ", ".join(sorted(key for key in specs if key.endswith(f":{trait}") and key not in planned.remove))
        raise Conflict(
            f"{row.name} asks for trusted hosts by {theirs} too, which was not set here: unset it in Nova."
        )
    if planned:
        _intend(actor, row, specs, planned, wish, clock())
        _do(actor, row, accounts, planned, clock)


def _live(accounts: Accounts, row: CloudFlavor) -> Mapping[str, str]:
    try:
        return compute.get_extra_specs(accounts.compute, row.flavor_id)
    except errors.NotThere:
        Cloud.objects.filter(pk=row.cloud.pk).update(flavors_due_at=None)
        raise NotFound(f"{row.cloud.name} has no flavor {row.name} any more.") from None


def _intend(
    actor: Actor, row: CloudFlavor, specs: Mapping[str, str], planned: Change, wish: Wish, now: datetime
) -> None:
    changed = sorted({*planned.put, *planned.remove})
    detail = {
        "reason": wish.reason,
        "cloud": row.cloud.name,
        "flavor": row.flavor_id,
        "enforcement": wish.wanted.value if wish.wanted else "none",
        "before": {key: specs.get(key) for key in changed},
        "after": {key: planned.put.get(key) for key in changed},
    }
    with transaction.atomic():
        row.entry = audit.intend(
            at=now, actor=actor.name, verb=Verb.SET_FLAVOR_TRUST, target=row.name[:253], detail=detail
        )
        row.save(update_fields=["entry"])


def _do(actor: Actor, row: CloudFlavor, accounts: Accounts, planned: Change, clock: Clock) -> None:
    """Does it, looks, and believes what it sees: a call that failed may have had its effect all the same."""
    failure: CloudError | None = None
    try:
        _write(accounts, row, planned)
    except CloudError as error:
        failure = error
    try:
        specs = compute.get_extra_specs(accounts.compute, row.flavor_id)
    except CloudError as error:
        _leave_in_doubt(row, failure or error, clock())
    done = after(specs, planned) == specs
    if not done and isinstance(failure, errors.Unreachable):
        # What took too long may still come to pass.
        _leave_in_doubt(row, failure, clock())
    with transaction.atomic():
        settle(row, specs, actor=actor.name, now=clock(), why=str(failure or ""))
    if not done:
        raise failure or CloudFailed(f"Nova took the change of {row.name}, and shows that nothing changed.")


def _write(accounts: Accounts, row: CloudFlavor, planned: Change) -> None:
    """The trait is there before it is required, and what is needed is set before anything is unset."""
    trait = trait_of(row.cloud)
    if planned.put.keys() & demands(Enforcement.TRAIT, trait).keys():
        placement.create_trait(accounts.placement, trait)
    if planned.put:
        compute.set_extra_specs(accounts.compute, row.flavor_id, planned.put)
    compute.unset_extra_specs(accounts.compute, row.flavor_id, planned.remove)


def _leave_in_doubt(row: CloudFlavor, failure: CloudError, now: datetime) -> NoReturn:
    CloudFlavor.objects.filter(pk=row.pk).update(changed_at=now)
    Cloud.objects.filter(pk=row.cloud.pk).update(flavors_due_at=None)
    raise CloudFailed(f"{failure} {_IN_DOUBT}") from None
