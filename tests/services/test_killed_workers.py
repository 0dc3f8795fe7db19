"""The product on PostgreSQL and RabbitMQ, while its workers die."""

import itertools
import random
import time

import pytest

from tests.services.conftest import wait_until
from txt_dashboard.simulator.fleet import build_fleet
from txt_dashboard.simulator.story import Story

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]

HOSTS = 600
INTERVAL_S = 5
DEADLINE_S = 1
LEASE_S = 2 * DEADLINE_S + 30
JITTER = 1.1
KILLING_S = 20
SLACK_S = 10  # to start Python twice, on a machine with other things to do

CHANGES = """
    SELECT host.name, event.state, event.reason, event.differing, event.platform_id, event.vmm_id
    FROM txt_dashboard_hostevent AS event JOIN txt_dashboard_host AS host ON host.id = event.host_id
    ORDER BY host.name, event.id
"""


def test_killed_workers_neither_lose_nor_double_a_host(product, amqp) -> None:
    product.use_broker(amqp)
    url = product.simulate(HOSTS, speed=2.0)
    # Small batches keep the workers busy, so that hardly one dies idle.
    product.set_up(url, interval_s=INTERVAL_S, deadline_s=DEADLINE_S, batch_size=5, parallel=32)
    product.start_beat()
    workers = [product.start_worker(), product.start_worker()]
    wait_until(lambda: product.count("host", "reason = 'never_attested'") == 0, 45, "all hosts have a state")

    orphans = kill_at_random(product, workers)
    assert orphans, "no worker died while it polled: this run shows nothing"
    killed_at = product.rows("SELECT now()")[0][0]

    polled_again = f"asked_at > '{killed_at.isoformat()}'"
    limit = LEASE_S + INTERVAL_S * JITTER + SLACK_S
    wait_until(lambda: product.count("attestation", f"NOT ({polled_again})") == 0, limit, "all hosts polled again")
    story = Story(build_fleet(HOSTS))
    changed = {*story.kernel_update.hosts, *story.odd_loader.hosts}
    wait_until(lambda: product.count("host", "state = 'untrusted'") == len(changed), 30, "all changes seen")

    product.rows("UPDATE txt_dashboard_server SET enabled = false RETURNING id")
    wait_until(lambda: product.count("attestation", "lease <> ''") == 0, 10, "no lease is left")
    check_history(product.rows(CHANGES), changed)
    assert [line for line in product.log().splitlines() if "raised unexpected" in line] == []


def kill_at_random(product, workers) -> int:
    """Kills workers and starts others for a while; returns how many hosts the dead have leased at the end."""
    chance = random.Random(2)
    end = time.monotonic() + KILLING_S
    while time.monotonic() < end:
        time.sleep(chance.uniform(1.0, 4.0))
        at = chance.randrange(len(workers))
        product.kill(workers[at])
        workers[at] = product.start_worker()
    # The living need a moment for a batch, not two seconds.
    return product.count("attestation", f"lease <> '' AND lease_until < now() + interval '{LEASE_S - 2} seconds'")


def check_history(rows, changed) -> None:
    """Each host became trusted once, and those that changed untrusted once: nothing is there twice."""
    for host, events in itertools.groupby(rows, key=lambda row: row[0]):
        seen = [row[1:] for row in events]
        assert all(before != after for before, after in itertools.pairwise(seen)), (host, seen)
        untrusted = [event for event in seen if event[0] == "untrusted"]
        assert len(untrusted) == (host in changed), (host, seen)
