"""Fetching event logs where measurements changed. They explain; whether one comes changes nothing for a host."""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db.models import F

from txt_dashboard.actions.quotes.ask import Quoter
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Log, parse
from txt_dashboard.attest.eventlog.replay import Standing, judge
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.models import EventLog, MeasuredLog, Measurement, Quoted
from txt_dashboard.servers.base import Clock, ServerError, ServerUnreachable

BUDGET = timedelta(seconds=10)  # for the logs of one batch; the others come with its next poll

log = structlog.get_logger()


def fetch_logs(quoter: Quoter, ids: Sequence[int], clock: Clock) -> None:
    """Asks for the logs of those attestations whose registers changed since theirs was asked for. One query."""
    changed = Quoted.objects.filter(attestation_id__in=ids).exclude(attestation__registers_key="")
    changed = changed.exclude(log_of=F("attestation__registers_key")).filter(problem="")
    until = clock() + BUDGET
    for row in changed.select_related("attestation__host", "attestation__platform", "attestation__vmm"):
        if clock() >= until:
            return
        try:
            data = quoter.connected().event_log(row.attestation.host.name)
        except ServerUnreachable as error:
            log.warning("no event log", host=row.attestation.host.name, why=str(error))
            return
        except ServerError as error:
            log.warning("no event log", host=row.attestation.host.name, why=str(error))
            data = b""
        _keep(row, data, clock())


def _keep(row: Quoted, data: bytes, now: datetime) -> None:
    """Writes the log, and remembers it for the measurements that it leads to and that a quote has proven."""
    of = row.attestation
    digest = hashlib.sha256(data).hexdigest() if data else None
    if digest is not None:
        kept = EventLog(digest=digest, packed=zlib.compress(data), size=len(data), first_seen_at=now)
        EventLog.objects.bulk_create([kept], ignore_conflicts=True)
    Quoted.objects.filter(pk=row.pk).update(log_id=digest, log_of=of.registers_key)
    if digest is None or of.voucher != Voucher.QUOTE:
        return
    shown = {each.key: each for each in (of.platform, of.vmm) if each is not None}
    known = set(MeasuredLog.objects.filter(measurement__in=shown).values_list("measurement", flat=True))
    new = [each for key, each in shown.items() if key not in known]
    if not new:
        return
    try:
        parsed = parse(data)
    except LogError:
        return
    led = [MeasuredLog(measurement=each.key, log_id=digest) for each in new if _leads_to(parsed, each)]
    MeasuredLog.objects.bulk_create(led, ignore_conflicts=True)


def _leads_to(parsed: Log, measurement: Measurement) -> bool:
    values = {int(index): bytes.fromhex(value) for index, value in measurement.values.items()}
    standings = set(judge(parsed, Bank(measurement.bank), values).values())
    return Standing.EXPLAINED in standings and Standing.CONTRADICTED not in standings
