"""Polling 10,000 hosts: everything of ours beside HTTP, against decoding and one plain UPDATE for each batch."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count

from tests.bench.report import Line, report
from tests.bench.stopwatch import in_turns, seconds
from tests.bench.world import World, installation, sqlite

from django.db import connection, transaction  # isort: skip - after the settings
from django.test.utils import CaptureQueriesContext  # isort: skip

from tests.bench.fleet import APPROVED, VALIDITY
from txt_dashboard.models import Attestation, HostEvent, Measurement, Server

HOSTS = 10_000
MEASUREMENTS = 20
ROUNDS = 7
UPDATED_AT_ONCE = 500


class Peer:
    """The least that any poll must do: decode the same bodies, and write until when each host's evidence counts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bodies: Sequence[bytes] = ()
        self._ids = list(Attestation.objects.order_by("id").values_list("id", flat=True))
        self._write = min((self._one_by_one, self._joined), key=lambda write: seconds(lambda: self._update(write)))

    def __call__(self) -> None:
        for body in self.bodies:
            json.loads(body)
        self._update(self._write)

    def _update(self, write) -> None:
        for start in range(0, len(self._ids), UPDATED_AT_ONCE):
            with transaction.atomic(), connection.cursor() as cursor:
                write(cursor, self._ids[start : start + UPDATED_AT_ONCE])

    def _one_by_one(self, cursor, ids: Sequence[int]) -> None:
        sql = "UPDATE txt_dashboard_attestation SET valid_until = %s WHERE id = %s"
        cursor.executemany(sql, [(self._until(id_), id_) for id_ in ids])

    def _joined(self, cursor, ids: Sequence[int]) -> None:
        rows = ", ".join(["(%s, CAST(%s AS timestamp with time zone))" if not sqlite() else "(%s, %s)"] * len(ids))
        sql = (
            f"WITH new (id, at) AS (VALUES {rows}) UPDATE txt_dashboard_attestation AS old "  # noqa: S608 - no values
            "SET valid_until = new.at FROM new WHERE old.id = new.id"
        )
        cursor.execute(sql, [value for id_ in ids for value in (id_, self._until(id_))])

    def _until(self, host: int) -> object:
        """A time of its own for each host, as this engine stores it: each was asked at a moment of its own."""
        moment = self.world.now + VALIDITY + timedelta(milliseconds=host % 1000)
        return connection.ops.adapt_datetimefield_value(moment)


def main() -> int:
    """Runs all benches on one fleet."""
    with installation():
        world = World(HOSTS)
        for _ in range(2):
            world.next_poll(_approved)
            world.poll()
        world.check("trusted")
        return report([*unchanged(world), *changed(world), statements(world)])


def unchanged(world: World) -> Iterator[Line]:
    """Polls that find every host as it was."""
    peer, history = Peer(world), HostEvent.objects.count()

    def prepare() -> None:
        peer.bodies = world.next_poll(_approved)

    work, limit = in_turns(ROUNDS, world.poll, peer, prepare)
    world.check("trusted")
    yield _line("poll of 10,000 hosts, nothing changed", work, limit, 4)
    written = HostEvent.objects.count() - history
    yield Line("  history that those polls wrote", written, HOSTS * ROUNDS, "hosts polled", 0, "rows")


def changed(world: World) -> Iterator[Line]:
    """Polls that find every host with another of 20 measurements that nobody has seen before."""
    peer, round_ = Peer(world), count()
    appraiser, appraised = world.worker.appraiser, world.worker.appraiser.appraisals

    def prepare() -> None:
        update = next(round_)
        peer.bodies = world.next_poll(lambda number: f"update {update}.{number % MEASUREMENTS}")

    known = Measurement.objects.count()
    work, limit = in_turns(ROUNDS, world.poll, peer, prepare)
    world.check("untrusted")
    yield _line(f"poll of 10,000 hosts, all changed to one of {MEASUREMENTS}", work, limit, 6)
    made, new = appraiser.appraisals - appraised, Measurement.objects.count() - known
    if new != MEASUREMENTS * ROUNDS:
        raise AssertionError(f"The fleet showed {new} measurements.")
    yield Line(
        "  appraisals that those polls cost", made / ROUNDS, new / ROUNDS, "distinct measurements", 1, "a poll"
    )


def statements(world: World) -> Line:
    """SQL statements for a batch: the same for 500 hosts and for 100."""
    world.next_poll(_approved)
    world.poll()
    many, few = (_statements_per_batch(world, size) for size in (500, 100))
    return Line("SQL statements for a batch of 500 hosts", many, few, "for a batch of 100", 1, "statements")


def _statements_per_batch(world: World, size: int) -> float:
    Server.objects.update(batch_size=size)
    world.server.refresh_from_db()
    world.next_poll(_approved)
    with CaptureQueriesContext(connection) as busy:
        world.poll()
    with CaptureQueriesContext(connection) as idle:
        world.poll()
    return (len(busy) - len(idle)) / len(world.batches())


def _approved(_number: int) -> str:
    return APPROVED


def _line(what: str, work: float, limit: float, allowed: float) -> Line:
    engine = "" if sqlite() else f" ({connection.vendor})"
    return Line(what + engine, work, limit, "json.loads, and a time per host", allowed, "s")


if __name__ == "__main__":
    sys.exit(main())
