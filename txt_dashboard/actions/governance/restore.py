"""When the signed set was lost, or its key declared compromised: back to work, by four eyes."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from txt_dashboard import audit, conf
from txt_dashboard.actions.governance.propose import create
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, Verb, require
from txt_dashboard.attest.entries import Entry
from txt_dashboard.attest.signed_set import InvalidSet, Patch, SignedSet, open_set
from txt_dashboard.attest.signing import Signature
from txt_dashboard.floor import read_floor
from txt_dashboard.keyring import public_keys
from txt_dashboard.models import Proposal
from txt_dashboard.models import SignedSet as SignedSetRow
from txt_dashboard.queries.in_force import in_force


@transaction.atomic
def put_back(actor: Actor, document: bytes, signature: Signature, *, now: datetime) -> SignedSet:
    """Puts a set back that the database lost: one that is signed, and not older than what was seen.

    Nobody need approve it again. Raises `NotAllowed`, `Conflict` while a set is in force, `Invalid`.
    """
    _require_refused(actor)
    try:
        found = open_set(document, signature, public_keys(conf.public_keys_file()))
        _ = found.reference
    except InvalidSet as error:
        raise Invalid({"file": [f"This set can't be put back: {error}."]}) from None
    floor = read_floor(conf.floor_file())
    if found.number < floor.number or (found.number == floor.number and found.digest != floor.digest):
        raise Invalid({"file": [f"This is not the set that was in force: number {floor.number} was seen."]})
    # What stands above it was refused, or this would not be asked for.
    SignedSetRow.objects.filter(number__gte=found.number).delete()
    store(found, signature, None)
    detail = {"number": found.number, "digest": found.digest}
    audit.record(at=now, actor=actor.name, verb="put set back", detail=detail)
    return found


@transaction.atomic
def propose_restoring(actor: Actor, entries: Mapping[str, Entry], *, reason: str, now: datetime) -> Proposal:
    """Asks to put these entries in force again; it takes the same quorum as any other proposal.

    Raises `NotAllowed`, `Conflict` while a set is in force, `Invalid`.
    """
    _require_refused(actor)
    base = in_force().set
    patch = Patch(base.patch(entries).changes, restores=True)
    if not patch.changes:
        raise Invalid({"entries": ["There is nothing to restore."]})
    try:
        base.after(patch, now)
    except InvalidSet as error:
        raise Invalid({"entries": [f"This can't be restored: {error}."]}) from None
    return create(actor, patch, title="Restore the signed set", reason=reason, now=now)


def store(found: SignedSet, signature: Signature, proposal: Proposal | None) -> None:
    """Writes a signed set to the database; in a transaction."""
    SignedSetRow.objects.create(
        number=found.number,
        document=found.document.decode(),
        signature=signature.value.hex(),
        key_id=signature.key_id,
        signed_at=found.signed_at,
        proposal=proposal,
    )


def _require_refused(actor: Actor) -> None:
    require(actor, Verb.RESTORE_SET)
    if not in_force().refused:
        raise Conflict("The signed set in force is sound: there is nothing to restore.")
