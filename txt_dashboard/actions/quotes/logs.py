"""Fetching event logs where measurements changed.

They explain. Whether one comes changes nothing for a host, but where baselines let registers vary by their events.
"""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db.models import F

from txt_dashboard.actions.quotes.ask import Quoter
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Log, only, parse
from txt_dashboard.attest.eventlog.replay import Standing, judge
from txt_dashboard.attest.eventlog.varying import COLLIDING, borne_out, explains
from txt_dashboard.attest.eventlog.varying import REGISTERS as VARYING
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.models import EventLog, MeasuredLog, Measurement, Quoted, RegisterLog
from txt_dashboard.queries.evidence import union
from txt_dashboard.queries.logs import register_key
from txt_dashboard.servers.base import Clock, ServerError, ServerUnreachable

BUDGET = timedelta(seconds=10)  # for the logs of one batch; the others come with its next poll

log = structlog.get_logger()


def fetch_logs(quoter: Quoter, ids: Sequence[int], clock: Clock) -> list[int]:
    """Asks for the logs of those attestations whose registers changed since theirs was asked for. One query.

    Returns those of which one came.
    """
    came: list[int] = []
    changed = Quoted.objects.filter(attestation_id__in=ids).exclude(attestation__registers_key="")
    changed = changed.exclude(log_of=F("attestation__registers_key")).filter(problem="")
    until = clock() + BUDGET
    for row in changed.select_related("attestation__host", "attestation__platform", "attestation__vmm"):
        if clock() >= until:
            break
        try:
            data = quoter.connected().event_log(row.attestation.host.name)
        except ServerUnreachable as error:
            log.warning("no event log", host=row.attestation.host.name, why=str(error))
            break
        except ServerError as error:
            log.warning("no event log", host=row.attestation.host.name, why=str(error))
            data = b""
        _keep(row, data, clock())
        if data:
            came.append(row.pk)
    return came


def _keep(row: Quoted, data: bytes, now: datetime) -> None:
    """Writes the log, and remembers it for what it leads to and a quote has proven: measurements, and registers."""
    of = row.attestation
    digest = hashlib.sha256(data).hexdigest() if data else None
    if digest is not None:
        kept = EventLog(digest=digest, packed=zlib.compress(data), size=len(data), first_seen_at=now)
        EventLog.objects.bulk_create([kept], ignore_conflicts=True)
    Quoted.objects.filter(pk=row.pk).update(log_id=digest, log_of=of.registers_key)
    if digest is None or of.voucher != Voucher.QUOTE:
        return
    try:
        parsed = parse(data)
    except LogError:
        return
    shown = {each.key: each for each in (of.platform, of.vmm) if each is not None}
    known = set(MeasuredLog.objects.filter(measurement__in=shown).values_list("measurement", flat=True))
    new = [each for key, each in shown.items() if key not in known and _leads_to(parsed, each)]
    MeasuredLog.objects.bulk_create(
        [MeasuredLog(measurement=each.key, log_id=digest) for each in new], ignore_conflicts=True
    )
    _keep_registers(data, parsed, union(list(shown.values()), of.others))


def _keep_registers(data: bytes, parsed: Log, registers: Registers) -> None:
    """Remembers the log for registers that may vary by their events, and takes the place of one that shows less.

    Only digests are authentic, so a host can send the data of others with some spoilt: the fuller log stays.
    """
    rows = [
        _led(data, parsed, bank, index, values[index])
        for bank, values in registers.items()
        if bank not in COLLIDING
        for index in sorted(VARYING & values.keys())
        if explains(parsed, bank, index, values[index])
    ]
    RegisterLog.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        less = RegisterLog.objects.filter(pk=row.pk, borne_out__lt=row.borne_out)
        less.update(packed=row.packed, size=row.size, borne_out=row.borne_out)


def _led(data: bytes, parsed: Log, bank: Bank, index: int, value: bytes) -> RegisterLog:
    alone = only(data, parsed, index)
    return RegisterLog(
        register=register_key(bank, index, value),
        packed=zlib.compress(alone),
        size=len(alone),
        borne_out=borne_out(parsed, bank, index),
    )


def _leads_to(parsed: Log, measurement: Measurement) -> bool:
    values = {int(index): bytes.fromhex(value) for index, value in measurement.values.items()}
    standings = set(judge(parsed, Bank(measurement.bank), values).values())
    return Standing.EXPLAINED in standings and Standing.CONTRADICTED not in standings
