"""What Celery runs: tasks without arguments. Their messages are doorbells, the work is in the rows."""

from celery import shared_task
from django.utils import timezone

from txt_dashboard.actions.clouds.connect import connect
from txt_dashboard.actions.clouds.keeper import Keeper
from txt_dashboard.actions.connect import connect_agents, connect_golden, connect_quotes, connect_whitelist
from txt_dashboard.actions.cycle import Worker

_worker = Worker(
    timezone.now,
    whitelist=connect_whitelist,
    quotes=connect_quotes,
    golden=connect_golden,
    agents=connect_agents,
)
_keeper = Keeper(connect, timezone.now)


@shared_task(name="txt_dashboard.tick")
def tick() -> None:
    """One turn; rings again where more was due than a turn takes."""
    if _worker.turn():
        tick.delay()


@shared_task(name="txt_dashboard.keep_traits")
def keep_traits() -> None:
    """Has traits at clouds follow from what is known of hosts."""
    _keeper.keep_traits()


@shared_task(name="txt_dashboard.match_clouds")
def match_clouds() -> None:
    """Looks up which hosts are which hypervisors."""
    _keeper.match()


@shared_task(name="txt_dashboard.watch_instances")
def watch_instances() -> None:
    """Looks where the instances of all projects are, and which of them are at stake."""
    _keeper.watch_instances()


@shared_task(name="txt_dashboard.look_at_flavors")
def look_at_flavors() -> None:
    """Looks at clouds' flavors and who runs on them."""
    _keeper.look_at_flavors()
