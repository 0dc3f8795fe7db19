"""Instances that asked for a trusted host and are on one that is not: each such interval, as far as it was seen.

OSSN-0059: Nova asks for trust when it places an instance, and not again while the instance is there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from txt_dashboard import audit, conf
from txt_dashboard.cloud import tenancy
from txt_dashboard.models import Cloud, CloudInstance, StakeEnding, StakeInterval
from txt_dashboard.queries.instances import at_stake, host_name
from txt_dashboard.queries.standings import Standings

VERB = "instances at stake"
_MISSED = 3  # looks; after a longer gap nobody can say that it lasted meanwhile
_BATCH = 500
_FIRST = 20  # instances that an entry of the activity log names


@dataclass(frozen=True, slots=True)
class _Found:
    """An instance that is at stake now, where and why."""

    row: CloudInstance
    host: str
    why: str
    since: datetime  # how long that can be said

    @property
    def in_sight(self) -> bool:
        """Whether this look saw it; else it is where it was seen last."""
        return self.row.status != tenancy.OUT_OF_SIGHT

    def goes_on_from(self, interval: StakeInterval) -> bool:
        """Whether this is the same interval."""
        return (interval.host, interval.why, interval.project) == (self.host, self.why, self.row.project)


def keep_stakes(cloud: Cloud, looked_before: datetime | None, *, now: datetime) -> None:
    """Begins, goes on with and ends intervals, by what the look at `now` saw. Part of its transaction."""
    found = _at_stake(cloud, looked_before, now)
    known = StakeInterval.objects.filter(cloud=cloud.name, until=None)
    open_now = {each.instance: each for each in known}
    by_number = {each.pk: name for name, each in open_now.items()}
    lasting = [each.pk for name, each in open_now.items() if _lasts(each, found.get(name), now)]
    kept = frozenset(lasting)
    seen = [pk for pk in lasting if found[by_number[pk]].in_sight]
    ended = [each for each in open_now.values() if each.pk not in kept]
    for each in ended:
        each.until, each.ending = _end(each, found.get(each.instance), now)
    StakeInterval.objects.bulk_update(ended, ["until", "ending"], batch_size=100)
    for start in range(0, len(seen), _BATCH):
        StakeInterval.objects.filter(pk__in=seen[start : start + _BATCH]).update(seen_until=now)
    going = {each.instance for each in open_now.values() if each.pk in kept}
    begun = [each for name, each in found.items() if name not in going and each.in_sight]
    began_again = {each.instance for each in ended}
    StakeInterval.objects.bulk_create((_begin(cloud, each, began_again, now) for each in begun), batch_size=_BATCH)
    _record(cloud, begun, ended, len(found), now)


def _at_stake(cloud: Cloud, looked_before: datetime | None, now: datetime) -> Mapping[str, _Found]:
    rows = list(at_stake(cloud.instances.select_related("node__host"), now).order_by())
    standings = Standings((row.node_id for row in rows), now)
    found = {}
    for row in rows:
        standing = standings.of(row.node_id)
        since = _since(row, standing.since, looked_before, now)
        found[row.instance] = _Found(row, host_name(row), standing.why.code, since)
    return found


def _since(
    row: CloudInstance, host_since: datetime | None, looked_before: datetime | None, now: datetime
) -> datetime:
    """From when on it can be said: since its host lost its trust, where the look before had seen it there already."""
    if host_since is None or looked_before is None or looked_before <= now - _MISSED * conf.instances_interval():
        return now
    seen_before = row.seen_since <= looked_before
    return host_since if seen_before and looked_before < host_since <= now else now


def _lasts(interval: StakeInterval, found: _Found | None, now: datetime) -> bool:
    return found is not None and found.goes_on_from(interval) and not _unseen(interval, now)


def _unseen(interval: StakeInterval, now: datetime) -> bool:
    return interval.seen_until < now - _MISSED * conf.instances_interval()


def _end(interval: StakeInterval, found: _Found | None, now: datetime) -> tuple[datetime, StakeEnding]:
    if _unseen(interval, now):
        return interval.seen_until, StakeEnding.UNSEEN
    at = max(now, interval.seen_until)
    return at, StakeEnding.ENDED if found is None else StakeEnding.CHANGED


def _begin(cloud: Cloud, found: _Found, began_again: Iterable[str], now: datetime) -> StakeInterval:
    row = found.row
    return StakeInterval(
        cloud=cloud.name,
        project=row.project,
        instance=row.instance,
        name=row.name,
        host=found.host[:255],
        why=found.why,
        since=now if row.instance in began_again else found.since,
        seen_until=now,
    )


def _record(cloud: Cloud, begun: list[_Found], ended: list[StakeInterval], total: int, now: datetime) -> None:
    """One entry for each look that changed anything."""
    if not begun and not ended:
        return
    detail = {
        "at stake": total,
        "began": len(begun),
        "ended": len(ended),
        "first": sorted(each.row.instance for each in begun)[:_FIRST],
    }
    audit.record(at=now, actor="worker", verb=VERB, target=cloud.name, detail=detail)
