"""PollHosts for a whole fleet: as one request of Nova's scheduler asks for it."""

import json
import sys
from pathlib import Path

from tests.bench.report import Line, report
from tests.bench.stopwatch import in_turns
from tests.bench.world import World, installation

from django.conf import settings  # isort: skip - after the settings
from django.db import connection  # isort: skip
from django.test import Client  # isort: skip
from django.utils import timezone  # isort: skip

from tests.bench.fleet import APPROVED, host_name
from tests.bench.world import BETWEEN_POLLS

HOSTS = 10_000
ROUNDS = 15
ALLOWED = 4
BLOB = "a long and random blob"
ROWS = """
    SELECT host.name, host.state, known.attested_at, known.counts_from, known.valid_until
    FROM txt_dashboard_attestation known JOIN txt_dashboard_host host ON host.id = known.host_id
"""


def main() -> int:
    """Measures the view with all of its middleware, but no socket."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    settings.TXT_POLLHOSTS_BLOB = BLOB
    with installation():
        world = World(HOSTS, now=timezone.now() - 2 * BETWEEN_POLLS)
        world.next_poll(lambda _number: APPROVED)
        world.poll()
        world.check("trusted")
        ask = _question()
        answer = json.loads(ask())
        if len(answer["hosts"]) != HOSTS or {row["trust_lvl"] for row in answer["hosts"]} != {"trusted"}:
            raise AssertionError("PollHosts does not know the fleet.")
        work, peer = in_turns(ROUNDS, ask, lambda: (json.dumps(answer), _select()), lambda: None)
    return report([Line(f"PollHosts, {HOSTS:,} hosts", work, peer, "json.dumps and one SELECT", ALLOWED, "s")])


def _question():
    names = [host_name(number) for number in range(HOSTS)]
    body = json.dumps({"count": HOSTS, "hosts": names})
    client = Client(headers={"x-auth-blob": BLOB}, SERVER_NAME="127.0.0.1")

    def ask() -> bytes:
        answered = client.post("/AttestationService/resources/PollHosts", body, content_type="application/json")
        if answered.status_code != 200:
            raise AssertionError(f"PollHosts answered {answered.status_code}.")
        return answered.content

    return ask


def _select() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        return cursor.execute(ROWS).fetchall()


if __name__ == "__main__":
    sys.exit(main())
