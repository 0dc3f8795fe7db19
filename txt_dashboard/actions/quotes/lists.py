"""Fetching IMA's lists now and then: they grow all the time, and decide nothing."""

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Q

from txt_dashboard.actions.quotes.ask import Quoter
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.ima import REGISTER
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.models import ImaList, Quoted
from txt_dashboard.servers.base import Clock, ServerError, ServerUnreachable

EVERY = timedelta(hours=1)
AT_ONCE = 5  # hosts of a batch
BUDGET = timedelta(seconds=5)  # for those of one batch

log = structlog.get_logger()


def fetch_lists(quoter: Quoter, ids: Sequence[int], clock: Clock) -> None:
    """Asks for the lists of some of these attestations, whose quotes have just proven register 10. One query."""
    now = clock()
    stale = Q(attestation__ima_list=None) | Q(attestation__ima_list__at__lte=now - EVERY)
    due = Quoted.objects.filter(stale, attestation_id__in=ids, attestation__voucher=Voucher.QUOTE, problem="")
    due = due.filter(attestation__doubt__isnull=True).select_related("attestation__host")
    due = due.order_by(F("attestation__ima_list__at").asc(nulls_first=True), "pk")
    for row in due[:AT_ONCE]:
        if clock() >= now + BUDGET:
            return
        try:
            data = quoter.connected().ima_list(row.attestation.host.name)
        except ServerUnreachable as error:
            log.warning("no IMA list", host=row.attestation.host.name, why=str(error))
            return
        except ServerError as error:
            log.warning("no IMA list", host=row.attestation.host.name, why=str(error))
            data = b""
        _keep(row, data, clock())


def _keep(row: Quoted, data: bytes, now: datetime) -> None:
    """Writes the list beside the value that it must lead to, in the place of the one before."""
    bank = _strongest(row) if data else ""
    kept: dict[str, object] = {"at": now, "bank": bank, "value": "", "packed": b"", "size": 0}
    if bank:
        kept |= {"value": row.reported[bank][str(REGISTER)], "packed": zlib.compress(data), "size": len(data)}
    ImaList.objects.update_or_create(attestation_id=row.pk, defaults=kept)


def _strongest(row: Quoted) -> str:
    """The strongest bank in which the quote holds register 10; empty where there is none."""
    held = [bank for bank in Bank if str(REGISTER) in row.reported.get(bank.value, {})]
    return max(held, key=lambda bank: bank.size).value if held else ""
