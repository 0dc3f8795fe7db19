"""The whitelists of servers, read back: values there that nobody approved must be seen."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from txt_dashboard import audit
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.models import Host, Server, Whitelisted, WhitelistReading
from txt_dashboard.queries.publishing import is_approved
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import Clock, ServerError
from txt_dashboard.servers.mle import InUse
from txt_dashboard.servers.whitelist import GoldenValues

BuildGolden = Callable[[Server, Clock], GoldenValues | None]

READING = timedelta(minutes=10)
FIRST_HOSTS = 5  # names that are kept of those that an MLE judges

log = structlog.get_logger()


def read_whitelists(build: BuildGolden, clock: Clock) -> None:
    """Reads those that are due; each is read by one worker."""
    now = clock()
    due = Q(whitelist_reading=None) | Q(whitelist_reading__due_at__lte=now)
    for row in Server.objects.filter(due, enabled=True, counts=True, failures=0):
        if KINDS[row.kind].shows_values and _take(row, now):
            _read(row, build, clock)


def _take(row: Server, now: datetime) -> bool:
    WhitelistReading.objects.get_or_create(server=row, defaults={"due_at": now})
    return bool(WhitelistReading.objects.filter(server=row, due_at__lte=now).update(due_at=now + READING))


def _read(row: Server, build: BuildGolden, clock: Clock) -> None:
    reading = WhitelistReading.objects.filter(server=row)
    try:
        whitelist = build(row, clock)
        if whitelist is None:
            return
        try:
            found = whitelist.in_use()
        finally:
            whitelist.close()
    except ServerError as error:
        reading.update(problem=str(error))
        log.warning("whitelist not read", server=row.name, why=str(error))
        return
    with transaction.atomic():
        _store(row, found, current_reference(), clock())
        reading.update(problem="", read_at=clock())


def _store(row: Server, found: Sequence[InUse], reference: ReferenceSet, now: datetime) -> None:
    before = {_key(each.mle, each.values): each for each in Whitelisted.objects.filter(server=row)}
    pools = dict(Host.objects.filter(attestations__server=row).values_list("name", "pool"))
    new = [_whitelisted(row, each, pools, now) for each in found]
    for each in new:
        known = before.get(_key(each.mle, each.values))
        if known is not None:
            each.since = known.since
        elif not is_approved(each, reference, now):
            detail = {"mle": f"{each.mle['name']} {each.mle['version']}", "hosts": each.hosts}
            audit.record(at=now, actor="worker", verb="unapproved values", target=row.name, detail=detail)
    Whitelisted.objects.filter(server=row).delete()
    Whitelisted.objects.bulk_create(new)


def _whitelisted(row: Server, found: InUse, pools: Mapping[str, str], now: datetime) -> Whitelisted:
    return Whitelisted(
        server=row,
        mle=found.ref.stored(),
        part=found.ref.kind.part.value,
        values={str(index): value.hex() for index, value in sorted(found.values.items())},
        problem=found.problem,
        hosts=len(found.hosts),
        first_hosts=sorted(found.hosts)[:FIRST_HOSTS],
        pools=sorted({pools.get(host, "") for host in found.hosts}),
        since=now,
    )


def _key(mle: Mapping[str, str], values: Mapping[str, str]) -> tuple[object, ...]:
    return tuple(sorted(mle.items())), tuple(sorted(values.items()))
