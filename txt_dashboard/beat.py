"""The clock that rings for the workers."""

import logging

from celery.beat import Scheduler, SchedulingError

log = logging.getLogger(__name__)


class SteadyScheduler(Scheduler):
    """Rings all entries of the settings together, at equal distances, whatever the wall clock does.

    Celery's own scheduler compares times of day: set back by an hour, the clock would silence it for an hour.
    It also keeps a file of when it rang last, which a tick does not need.
    """

    def tick(self, *_args: object, **_kwargs: object) -> float:
        """Sends the messages; returns the seconds until the next. A broker that is down costs these."""
        for name in self.app.conf.beat_schedule:
            try:
                self.apply_async(self.schedule[name], producer=self.producer)
            except SchedulingError as error:
                log.error("No worker was called. %s", error)
        seconds: float = self.schedule["tick"].schedule.seconds
        return seconds
