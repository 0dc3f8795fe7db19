"""The table of hosts: search, facets, and pages by key, so that page 200 costs what page 1 costs."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.models import Attestation, Host, Measurement
from txt_dashboard.queries.closest import Compared, compare
from txt_dashboard.queries.state import in_state, with_reason, with_state

PAGE = 50
SHORTEST_VALUE = 6  # digits: less would find values by chance
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which hosts to show. Empty means all."""

    search: str = ""
    state: str = ""
    pool: str | None = None  # "" is the pool without a name
    reason: str = ""
    server: str = ""
    group: str = ""  # hosts that drifted alike


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after the host with this key, or before it."""

    key: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One host as the table shows it."""

    id: int
    name: str
    pool: str
    state: str
    reason: str
    reason_params: dict[str, object]
    since: datetime
    differing: list[int]
    baselines: tuple[str, ...]
    attested_at: datetime | None
    observed: bool = False  # it is attested, but by no server that counts

    @property
    def word_of(self) -> str:
        """The server on whose word alone the host is trusted, or nothing."""
        alone = self.state == State.TRUSTED and self.reason == Reason.SERVER_WORD_ALONE.code
        return str(self.reason_params.get("server", "")) if alone else ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the table, with the cursors of its neighbours ("" where there is none)."""

    rows: tuple[Row, ...]
    before: str
    after: str


def hosts(chosen: Filter, now: datetime, *, any_lapsed: bool = True) -> QuerySet[Host]:
    """All hosts that the filter lets through."""
    found = Host.objects.all()
    if chosen.state:
        found = found.filter(in_state(chosen.state, now, any_lapsed=any_lapsed))
    if chosen.pool is not None:
        found = found.filter(pool=chosen.pool)
    if chosen.reason:
        found = found.filter(with_reason(chosen.reason, now, any_lapsed=any_lapsed))
    if chosen.server:
        found = found.filter(Exists(Attestation.objects.filter(host=OuterRef("pk"), server__name=chosen.server)))
    if chosen.group:
        found = found.filter(pk__in=Attestation.objects.filter(drift_key=chosen.group).values("host"))
    if chosen.search:
        found = found.filter(_matches(chosen.search))
    return found


def page(
    found: QuerySet[Host],
    sort: str,
    cursor: Cursor | None,
    reference: ReferenceSet,
    now: datetime,
    *,
    limit: int = PAGE,
) -> Page:
    """A page of hosts by name, or by when they came into their state (the latest first).

    Raises `ValueError` for a cursor that makes no sense. The number of queries is constant.
    """
    order = _BySince() if sort == "since" else _ByName()
    backwards = cursor is not None and cursor.backwards
    if cursor:
        found = found.filter(order.beyond(cursor.key, backwards=backwards))
    chosen = list(with_state(found, now).order_by(*order.fields(backwards=backwards))[: limit + 1])
    more = len(chosen) > limit
    chosen = chosen[:limit][::-1] if backwards else chosen[:limit]
    first = order.key(chosen[0]) if chosen and (more if backwards else cursor) else ""
    last = order.key(chosen[-1]) if chosen and (cursor if backwards else more) else ""
    return Page(_rows(chosen, reference, now), first, last)


class _ByName:
    """Names are unique, so a name is a key."""

    def fields(self, *, backwards: bool) -> tuple[str, ...]:
        return ("-name",) if backwards else ("name",)

    def key(self, host: Host) -> str:
        return host.name

    def beyond(self, key: str, *, backwards: bool) -> Q:
        return Q(name__lt=key) if backwards else Q(name__gt=key)


class _BySince:
    """Many hosts may change at the same moment; their ids tell them apart."""

    def fields(self, *, backwards: bool) -> tuple[str, ...]:
        return ("since", "id") if backwards else ("-since", "-id")

    def key(self, host: Host) -> str:
        return f"{host.since.isoformat()}~{host.pk}"

    def beyond(self, key: str, *, backwards: bool) -> Q:
        moment, _, number = key.partition("~")
        since, pk = datetime.fromisoformat(moment), int(number)
        if since.tzinfo is None:
            raise ValueError("a moment needs its zone")
        if backwards:
            return Q(since__gte=since) & (Q(since__gt=since) | Q(id__gt=pk))
        return Q(since__lte=since) & (Q(since__lt=since) | Q(id__lt=pk))


def _matches(text: str) -> Q:
    """By name, by pool, or by the first digits of a register's value."""
    condition = Q(name__icontains=text) | Q(pool__icontains=text)
    digits = text.lower()
    if len(digits) >= SHORTEST_VALUE and _HEX.issuperset(digits):
        stored = Cast("values", TextField())
        keys = Measurement.objects.annotate(text=stored).filter(text__contains=f'": "{digits}').values("key")
        condition |= Q(pk__in=Attestation.objects.filter(Q(platform__in=keys) | Q(vmm__in=keys)).values("host"))
    return condition


def _rows(chosen: list[Host], reference: ReferenceSet, now: datetime) -> tuple[Row, ...]:
    attestations: dict[int, list[Attestation]] = defaultdict(list)
    of_page = Attestation.objects.filter(host__in=chosen).select_related("host", "server").order_by("server__name")
    for each in of_page.defer("others", "details"):
        attestations[each.host_id].append(each)
    everything = [each for of_host in attestations.values() for each in of_host]
    compared = compare(everything, reference, now)
    return tuple(_row(host, attestations[host.pk], compared) for host in chosen)


def _row(host: Host, attestations: list[Attestation], compared: dict[int, Compared]) -> Row:
    shown_state, shown_reason = host.shown_state, host.shown_reason  # type: ignore[attr-defined]
    ended = [each.valid_until for each in attestations if each.valid_until and each.server.counts]
    attested = [each.attested_at for each in attestations if each.attested_at]
    return Row(
        id=host.pk,
        name=host.name,
        pool=host.pool,
        state=shown_state,
        reason=shown_reason,
        reason_params=host.reason_params,
        since=min(ended, default=host.since) if shown_state != host.state else host.since,
        differing=host.differing,
        baselines=tuple(dict.fromkeys(name for each in attestations for name in compared[each.pk].baselines)),
        attested_at=min(attested, default=None),
        observed=bool(attestations) and not any(each.server.counts for each in attestations),
    )
