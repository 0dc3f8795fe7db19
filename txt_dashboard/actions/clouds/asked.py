"""When a scheduler asked us last: pages need it to say whether a filter is at work."""

from datetime import datetime, timedelta
from threading import Lock

import structlog
from django.db import DatabaseError

from txt_dashboard.models import SchedulerAsked

_TO_THE = timedelta(minutes=1)

log = structlog.get_logger()


class Asked:
    """Keeps the moment; at most one write a minute in each process, and never a failure for who asks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted: datetime | None = None

    def note(self, now: datetime) -> None:
        """Somebody who may asks for hosts."""
        with self._lock:
            if self._noted is not None and timedelta(0) <= now - self._noted < _TO_THE:
                return
            self._noted = now
        try:
            SchedulerAsked.objects.update_or_create(pk=1, defaults={"at": now})
        except DatabaseError as error:
            log.warning("asking not noted", why=str(error))


asked = Asked()
