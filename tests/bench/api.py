"""The API: what it adds to its query, and that the export's memory does not grow with the fleet."""

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from tests.bench.report import Line, report
from tests.bench.stopwatch import seconds
from tests.bench.world import BETWEEN_POLLS, World, installation

from django.conf import settings  # isort: skip - after the settings
from django.http import JsonResponse  # isort: skip
from django.test import Client  # isort: skip
from django.utils import timezone  # isort: skip

from tests.api.callers import key_of
from tests.bench.fleet import APPROVED
from txt_dashboard.actions.permissions import Role
from txt_dashboard.queries import table
from txt_dashboard.queries.reference import current_reference

HOSTS = 10_000
EXPORTED = 100_000
PAGES = (20, 100)
ROUNDS = 40
MIB = 2**20


def main() -> int:
    """Runs both benches."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    with installation():
        failed = report(own_time(_polled(HOSTS)))
    with installation():
        return report(memory(_polled(EXPORTED))) or failed


def own_time(program: Client) -> Iterator[Line]:
    """A page of hosts, from the first middleware to the last, against a bare view with the same query."""
    for limit in PAGES:
        times: dict[str, list[float]] = {"api": [], "plain": []}
        for _ in range(ROUNDS):
            times["plain"].append(seconds(lambda limit=limit: _plain(limit)))
            times["api"].append(seconds(lambda limit=limit: _asked(program, limit)))
        what = f"GET /v1/hosts?limit={limit}, {HOSTS:,} hosts"
        yield Line(what, median(times["api"]), median(times["plain"]), "JsonResponse over the same query", 2.5, "s")


def memory(program: Client) -> Iterator[Line]:
    """The export of the whole fleet, as a client reads it."""
    process = psutil.Process()
    lines, early, most = 0, (0, 0), (0, 0)
    answer = program.get("/v1/export/hosts")
    for piece in answer.streaming_content:
        lines += piece.count(b"\n")
        # RSS alone would hide growth into what polling has given back to Python's own heap.
        most = max(most[0], process.memory_info().rss), max(most[1], sys.getallocatedblocks())
        if not early[0] and lines >= EXPORTED // 10:
            early = most
    if lines != EXPORTED:
        raise AssertionError(f"{lines} lines of {EXPORTED} came.")
    what = f"export of {EXPORTED:,} hosts, most memory"
    yield Line(what, most[0] / MIB, early[0] / MIB, "after the first tenth", 1.05, "MiB")
    yield Line("  and most objects in Python's heap", most[1], early[1], "after the first tenth", 1.05, "blocks")


def _polled(hosts: int) -> Client:
    world = World(hosts, now=timezone.now() - 2 * BETWEEN_POLLS)
    world.next_poll(lambda _number: APPROVED)
    world.poll()
    return Client(headers={"Authorization": f"Bearer {key_of(Role.VIEWER)}"}, SERVER_NAME="127.0.0.1")


def _asked(program: Client, limit: int) -> None:
    if program.get(f"/v1/hosts?limit={limit}").status_code != 200:
        raise AssertionError("The API did not answer.")


def _plain(limit: int) -> JsonResponse:
    now = timezone.now()
    page = table.page(table.hosts(table.Filter(), now), "name", None, current_reference(), now, limit=limit)
    rows = [{name: getattr(row, name) for name in table.Row.__slots__} for row in page.rows]
    return JsonResponse({"items": rows, "next": page.after})


if __name__ == "__main__":
    sys.exit(main())
