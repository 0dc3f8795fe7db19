"""Writing entries. An entry is written in the transaction of its act, so neither is there without the other."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import transaction

from txt_dashboard.audit.entry import GENESIS, digest_of
from txt_dashboard.models import Activity, ActivityHead
from txt_dashboard.models.activity import ONLY, detail_text


def record(
    *,
    at: datetime,
    actor: str,
    verb: str,
    target: str = "",
    host: str = "",
    of: int | None = None,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Appends one entry to the transaction that is open; returns its number.

    `host` names the one host that the act is about. `detail` is JSON; pages know the keys `reason` (a
    sentence), `before` and `after` (mappings of the same names). The outcome of a remote act names in `of`
    the entry that `intend` wrote, and in its detail what came of it as `outcome`.

    Whoever writes at the same moment waits until this transaction ends: call it last, so that nobody who
    waits for the log holds what you still need. Raises `RuntimeError` where no transaction is open.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An entry of the activity log is written in the transaction of its act; none is open.")
    head = _locked_head()
    number, at, text = head.count + 1, at.astimezone(UTC), detail_text(detail or {})
    verb = str(verb)
    digest = digest_of((head.digest, number, at, actor, verb, target, host, of, text))
    Activity.objects.create(
        id=number,
        at=at,
        actor=actor,
        verb=verb,
        target=target,
        host=host,
        of=of,
        detail=text,
        previous=head.digest,
        digest=digest,
    )
    ActivityHead.objects.filter(id=ONLY).update(count=number, digest=digest)
    return number


def intend(
    *, at: datetime, actor: str, verb: str, target: str = "", host: str = "", detail: Mapping[str, object]
) -> int:
    """The first of a remote act's two entries, written before it is tried; `record` takes its number as `of`."""
    detail = {**detail, "intended": True}
    return record(at=at, actor=actor, verb=verb, target=target, host=host, detail=detail)


def _locked_head() -> ActivityHead:
    """The head, locked until the transaction ends. SQLite's transactions hold the one lock already."""
    locked = ActivityHead.objects.select_for_update(no_key=True).filter(id=ONLY)
    head = locked.first()
    if head is None:
        last = Activity.objects.order_by("-id").values_list("id", "digest").first() or (0, GENESIS)
        ActivityHead.objects.get_or_create(id=ONLY, defaults={"count": last[0], "digest": last[1]})
        head = locked.get()
    return head
