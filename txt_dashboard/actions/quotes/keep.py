"""Keeping the raw material of the latest evidence, so that anybody can check it again."""

from collections.abc import Collection
from datetime import datetime

from txt_dashboard.actions.quotes.ask import Joined, Taken
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.quote import Quote, Tpm12Quote
from txt_dashboard.attest.tpm_types import Counters
from txt_dashboard.models import Quoted
from txt_dashboard.models.bulk import update_rows

_WRITTEN = (
    "at", "due_at", "nonce", "selection", "message", "signature", "composite", "registrar", "reported", "public",
    "approved", "bound", "set_number", "last_seen", "counters", "problem",
)  # fmt: skip


def keep(joined: Joined, held: Collection[int], now: datetime) -> None:
    """Writes what came for the attestations that are still held. Two statements; none where nothing was asked."""
    rows = [_row(each, joined, now) for each in joined.taken if each.id in held]
    if rows:
        Quoted.objects.bulk_create(rows, update_conflicts=True, unique_fields=["attestation"], update_fields=_WRITTEN)
    update_rows(Quoted, ("problem",), [(id_, why) for id_, why in joined.problems.items() if id_ in held])


def _row(taken: Taken, joined: Joined, now: datetime) -> Quoted:
    quote = taken.material.quote
    composite, reported = _claimed(quote)
    return Quoted(
        attestation_id=taken.id,
        at=now,
        due_at=now + joined.pause if joined.pause else None,
        nonce=taken.demand.nonce,
        selection={bank.value: sorted(indexes) for bank, indexes in taken.demand.selection.items()},
        message=quote.message,
        signature=quote.signature,
        composite=composite,
        registrar=dict(taken.material.registrar),
        reported={
            bank.value: {str(index): value.hex() for index, value in values.items()}
            for bank, values in reported.items()
        },
        public=taken.material.public,
        approved=taken.approved,
        bound=taken.bound,
        set_number=joined.set_number,
        last_seen=_stored(taken.demand.last_seen),
        counters=_stored(taken.counters),
        problem="",
    )


def _claimed(quote: Quote | Tpm12Quote) -> tuple[bytes, Registers]:
    """The composite of a TPM 1.2's quote, and the values that are claimed."""
    if isinstance(quote, Quote):
        return b"", quote.reported
    return quote.composite, {} if quote.reported is None else {Bank.SHA1: quote.reported}


def _stored(counters: Counters | None) -> list[int] | None:
    return list(counters) if counters else None
