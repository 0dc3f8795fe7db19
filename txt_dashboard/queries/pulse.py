"""What every page must know to be honest: how old our knowledge is, and whether it still grows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q

from txt_dashboard.attest.appraisal import State, renewal_due
from txt_dashboard.models import Activity, Attestation, HostEvent, PollRequest, Server
from txt_dashboard.queries.state import Tally, not_fresh, tally

PATIENCE = 3  # intervals without an answer, and as long as a worker may take
PROGRESS_SHOWN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ServerPulse:
    """One server that is asked: when it last answered, and whether it has fallen silent."""

    name: str
    counts: bool  # else it is only observed: no host loses anything with it
    answered_at: datetime | None
    asked_at: datetime | None
    silent: bool
    failing: bool  # it was asked and gave no answer; a silent server that is not failing was not asked
    error: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A silent server, and the hosts that lose their trust with it: from the first to the last moment."""

    server: ServerPulse
    trusted: int
    first: datetime | None
    last: datetime | None
    stale: int

    @property
    def at_once(self) -> bool:
        """Whether they lose it within the same minute."""
        return not self.first or not self.last or self.last - self.first < timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """A poll that a person asked for: hosts done of all, and how many of them gave no evidence."""

    pool: str
    host: str
    total: int
    done: int
    failed: int

    @property
    def running(self) -> bool:
        """Whether hosts are still to be asked for."""
        return self.done < self.total


@dataclass(frozen=True, slots=True)
class Pulse:
    """The state of our knowledge at one moment. `version` changes with anything that pages show of hosts."""

    now: datetime
    tally: Tally
    servers: tuple[ServerPulse, ...]
    outages: tuple[Outage, ...]
    simulated: bool
    real: bool  # some server is not simulated
    version: str

    @property
    def trouble(self) -> bool:
        """Whether somebody should look: a host is untrusted or stale, or trust is running out."""
        return bool(self.outages or self.tally.of(State.UNTRUSTED) or self.tally.of(State.STALE))


def take_pulse(now: datetime) -> Pulse:
    """Reads the pulse. At most six queries, none of them grows with the number of measurements or events."""
    counted = tally(now)
    rows = list(Server.objects.all())
    servers = tuple(_server(row, now) for row in rows if row.enabled)
    outages = _outages(servers, now)
    newest = (
        HostEvent.objects.aggregate(id=Max("id"))["id"] or 0,
        Activity.objects.aggregate(id=Max("id"))["id"] or 0,
    )
    signs = (*newest, counted.total, counted.lapsed, sum(each.silent for each in servers), len(outages))
    version = "-".join(str(sign) for sign in signs)
    kinds = {row.simulated for row in rows}
    return Pulse(now, counted, servers, outages, simulated=True in kinds, real=False in kinds, version=version)


def progress(now: datetime) -> Progress | None:
    """How far the latest poll that a person asked for has come. Two queries."""
    request = PollRequest.objects.select_related("host").filter(requested_at__gt=now - PROGRESS_SHOWN)
    latest = request.order_by("-requested_at").first()
    return progress_of(latest) if latest else None


def progress_of(latest: PollRequest) -> Progress:
    """How far this poll has come. One query."""
    scope = Attestation.objects.filter(server__enabled=True, asked_at__gte=latest.requested_at)
    if latest.pool:
        scope = scope.filter(host__pool=latest.pool)
    if latest.host:
        scope = scope.filter(host=latest.host)
    if latest.server_id:
        scope = scope.filter(server_id=latest.server_id)
    counts = scope.aggregate(
        done=Count("host", distinct=True), failed=Count("host", distinct=True, filter=Q(answered=False))
    )
    host = latest.host.name if latest.host else ""
    return Progress(latest.pool, host, latest.total, min(counts["done"], latest.total), counts["failed"])


def _server(row: Server, now: datetime) -> ServerPulse:
    known = row.answered_at or row.asked_at
    overdue = known is not None and now - known > PATIENCE * row.interval + row.lease
    silent, failing = row.failures > 0 or overdue, row.failures > 0
    return ServerPulse(row.name, row.counts, row.answered_at, row.asked_at, silent, failing, row.error)


def _outages(servers: tuple[ServerPulse, ...], now: datetime) -> tuple[Outage, ...]:
    """Silent servers from half of the validity of their hosts' evidence on."""
    silent = {each.name: each for each in servers if each.silent and each.counts}
    if not silent:
        return ()
    trusted = Q(host__state=State.TRUSTED) & ~not_fresh(now)
    rows = (
        Attestation.objects.filter(server__name__in=silent, host__state__in=[State.TRUSTED, State.STALE])
        .values("server__name")
        .annotate(
            trusted=Count("id", filter=trusted),
            begun=Min("counts_from", filter=trusted),
            first=Min("valid_until", filter=trusted),
            last=Max("valid_until", filter=trusted),
            stale=Count("id", filter=not_fresh(now)),
        )
        .order_by("server__name")
    )
    return tuple(
        Outage(silent[row["server__name"]], row["trusted"], row["first"], row["last"], row["stale"])
        for row in rows
        if (renewal_due(row["begun"], row["first"], now) if row["trusted"] else row["stale"])
    )
