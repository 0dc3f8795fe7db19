"""What workers do for the log every minute: walk its chain, and sign its head.

What they find lies in `ActivityCheck`, for pages to show. That row proves nothing to somebody who doubts the
database; signed heads and `verify` do.
"""

from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Q

from txt_dashboard import conf
from txt_dashboard.audit.chain import ChainBroken, Place, counted, digest_at, end, follow
from txt_dashboard.audit.heads import Head, Sign, alone_with, append, last_head, send_to_syslog, sign_head
from txt_dashboard.audit.log import record
from txt_dashboard.models import ActivityCheck
from txt_dashboard.models.activity import ONLY

MINUTE = timedelta(minutes=1)
SLICE = 20_000  # entries that one check walks; a longer log takes several
DAMAGED = "activity log damaged"

log = structlog.get_logger()


def check_if_due(now: datetime) -> None:
    """Walks on from where the last check came to, if that is a minute ago; from the end on to the first again.

    So each entry is read again and again. One worker does it, whoever comes first.
    """
    state, _ = ActivityCheck.objects.get_or_create(id=ONLY)
    due = Q(due_at=None) | Q(due_at__lte=now) | Q(due_at__gt=now + MINUTE)
    if state.due_at and now < state.due_at <= now + MINUTE:
        return
    if not ActivityCheck.objects.filter(due, id=ONLY).update(due_at=now + MINUTE):
        return
    start = Place(state.walked, state.walked_digest) if state.walked else Place()
    try:
        place = _walk(start)
    except ChainBroken as broken:
        ActivityCheck.objects.filter(id=ONLY).update(walked=0, checked_at=now)
        _note_fault("fault", str(broken), now)
        return
    if place.count - start.count == SLICE:
        ActivityCheck.objects.filter(id=ONLY).update(walked=place.count, walked_digest=place.digest)
    else:
        ActivityCheck.objects.filter(id=ONLY).update(walked=0, checked=place.count, checked_at=now, fault="")


def write_head_if_due(sign: Sign, now: datetime) -> bool:
    """Signs how far the log goes, if the last head of this machine is a minute old; whether it did.

    A log that contradicts its own last head is not signed: that is told in the log and on the pages until
    somebody has looked. Nor does a file or syslog that can't be used keep a worker from its other work.
    """
    heads = conf.audit_heads()
    # What went to syslog can't be read back, so the last one stays here.
    path = heads or conf.data_dir() / "audit-heads.last"
    try:
        with alone_with(path) as file:
            last = last_head(file)
            if last and timedelta(0) <= now - last.at < MINUTE:
                return False
            place = end()
            contradiction = _contradiction(last, place)
            if contradiction:
                _note_fault("head_fault", contradiction, now)
                return False
            head = sign_head(sign, now, place.count, place.digest)
            if heads is None:
                send_to_syslog(head)
                file.truncate(0)
            append(file, head)
    except BlockingIOError:
        return False
    except OSError as error:
        log.error("activity head not written", where=str(heads or "syslog"), why=error.strerror or str(error))
        return False
    ActivityCheck.objects.update_or_create(
        id=ONLY, defaults={"signed": place.count, "signed_at": now, "head_fault": ""}
    )
    return True


def _walk(start: Place) -> Place:
    """Where the next slice of the chain ends. Raises `ChainBroken`."""
    count = counted()
    place = start
    for number, digest in islice(follow(start), SLICE):
        place = Place(number, digest)
        if number == count.count and digest != count.digest:
            raise ChainBroken(number, f"Entry {number} was exchanged: the log's own count knows another digest.")
    if place.count - start.count < SLICE and place.count < count.count:
        raise ChainBroken(place.count + 1, f"Entry {place.count + 1} is missing at the end.")
    return place


def _contradiction(last: Head | None, place: Place) -> str:
    """What the last head says that the log does not say any more."""
    if last is None:
        return ""
    when = f"{last.at:%Y-%m-%d %H:%M:%S} UTC"
    if place.count < last.count:
        return f"Entry {place.count + 1} is missing at the end: the head that was signed {when} has {last.count}."
    if digest_at(last.count) != last.digest:
        return f"Entry {last.count} or one before it was exchanged since the head of {when} was signed."
    return ""


def _note_fault(column: str, sentence: str, now: datetime) -> None:
    """Tells it everywhere; in the activity log once."""
    log.error("activity log damaged", why=sentence)
    told = ActivityCheck.objects.filter(**{"id": ONLY, column: sentence}).exists()
    ActivityCheck.objects.update_or_create(id=ONLY, defaults={column: sentence})
    if told:
        return
    try:
        with transaction.atomic():
            record(at=now, actor="worker", verb=DAMAGED, detail={"reason": sentence})
    except DatabaseError as error:  # a damaged log may take no entry, and there is more to do than this
        log.error("activity log takes no entry", why=str(error))
