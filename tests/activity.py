"""A log to look at, and somebody who gets past its triggers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection

from tests.factories import NOON
from txt_dashboard.audit import guards, record
from txt_dashboard.models import Activity

SQL = "UPDATE txt_dashboard_activity SET "


def write(count: int, actor: str = "ada") -> None:
    """So many entries, each a minute after the one before."""
    for _ in range(count):
        number = Activity.objects.count() + 1
        record(
            at=NOON + timedelta(minutes=number),
            actor=actor,
            verb="poll",
            target=f"hv{number}",
            host=f"hv{number}",
            detail={"n": number, "reason": "because"},
        )


@contextmanager
def past_the_guards() -> Iterator[Callable[..., None]]:
    """What somebody does who may drop triggers: a function that runs one statement."""
    guards.remove(connection)
    with connection.cursor() as cursor:
        yield lambda sql, *values: cursor.execute(sql, values) and None
    guards.install(connection)
