"""What Celery runs: one task without arguments. Its message is a doorbell, the work is in the rows."""

from celery import shared_task
from django.utils import timezone

from txt_dashboard.actions.connect import connect_quotes, connect_whitelist
from txt_dashboard.actions.cycle import Worker

_worker = Worker(timezone.now, whitelist=connect_whitelist, quotes=connect_quotes)


@shared_task(name="txt_dashboard.tick")
def tick() -> None:
    """One turn; rings again where more was due than a turn takes."""
    if _worker.turn():
        tick.delay()
