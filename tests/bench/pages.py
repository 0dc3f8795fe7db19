"""Pages: what they cost must not grow with the fleet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.bench.report import Line, report
from tests.bench.stopwatch import seconds
from tests.bench.world import BETWEEN_POLLS, World, installation

from django.conf import settings  # isort: skip - after the settings
from django.contrib.auth.models import Group, User  # isort: skip
from django.core.cache import cache  # isort: skip
from django.db import connection  # isort: skip
from django.test import Client  # isort: skip
from django.test.utils import CaptureQueriesContext  # isort: skip
from django.urls import reverse  # isort: skip
from django.utils import timezone  # isort: skip

from tests.bench.fleet import APPROVED, host_name

FEW, MANY = 100, 10_000
QUERIES = 25
ROUNDS = 15
CHANGED = 3  # the number of a host that booted something else
MAP_BYTES = 100 * 1024


class Site:
    """The pages of one fleet, as an operator's browser asks for them."""

    def __init__(self, hosts: int) -> None:
        self.world = World(hosts, now=timezone.now() - 2 * BETWEEN_POLLS)
        for kernel in (lambda _number: APPROVED, _kernel):
            self.world.next_poll(kernel)
            self.world.poll()
        operator = User.objects.create_user("operator")
        operator.groups.add(Group.objects.get_or_create(name="operator")[0])
        self.browser = Client(headers={"Accept-Encoding": "gzip"}, SERVER_NAME="127.0.0.1")
        self.browser.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")

    def open(self) -> None:
        """Makes this fleet the one that pages read."""
        self.world.open()
        cache.clear()

    def get(self, address: str) -> bytes:
        """The page's bytes as they are sent."""
        answer = self.browser.get(address)
        if answer.status_code != 200:
            raise AssertionError(f"{address} answered {answer.status_code}.")
        return answer.content

    def queries(self, address: str) -> int:
        """How many queries the page makes, nothing being cached."""
        self.open()
        with CaptureQueriesContext(connection) as captured:
            self.get(address)
        return len(captured)


def main() -> int:
    """Runs all benches on two fleets."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    with _site(FEW) as few, _site(MANY) as many:
        return report([*queries(few, many), fleet_page(few, many), *pool_map(many)])


def queries(few: Site, many: Site) -> Iterator[Line]:
    """Their number is the same for any fleet."""
    pages = {"fleet page": reverse("fleet"), "host page": reverse("host", args=[host_name(CHANGED)])}
    for name, address in pages.items():
        at_few, at_many = few.queries(address), many.queries(address)
        yield Line(f"queries of the {name}, {MANY:,} hosts", at_many, QUERIES, "allowed", 1, "queries")
        yield Line("  and at 100 hosts", at_many, at_few, "at 100 hosts", 1, "queries")


def fleet_page(few: Site, many: Site) -> Line:
    """Everything on it but the map, which is a page of its own."""
    address = reverse("fleet")
    times: dict[int, list[float]] = {FEW: [], MANY: []}
    for _ in range(ROUNDS):
        for site in (few, many):
            site.open()
            site.get(address)  # opens the connection
            times[site.world.hosts].append(seconds(lambda site=site: site.get(address)))
    return Line(f"fleet page, {MANY:,} hosts", median(times[MANY]), median(times[FEW]), "at 100 hosts", 1.5, "s")


def pool_map(many: Site) -> Iterator[Line]:
    """Small, and drawn once for each change of the fleet."""
    address = reverse("fleet-map")
    many.open()
    drawn = seconds(lambda: many.get(address))
    again = median(seconds(lambda: many.get(address)) for _ in range(ROUNDS))
    yield Line(f"map of {MANY:,} hosts, compressed", len(many.get(address)), MAP_BYTES, "allowed", 1, "bytes")
    yield Line("  asked for again", again, drawn, "the first time", 0.5, "s")


@contextmanager
def _site(hosts: int) -> Iterator[Site]:
    with installation():
        site = Site(hosts)
        try:
            yield site
        finally:
            site.open()


def _kernel(number: int) -> str:
    """One host in ten has changed, to one of five kernels."""
    return f"kernel {number // 10 % 5}" if number % 10 == CHANGED else APPROVED


if __name__ == "__main__":
    sys.exit(main())
