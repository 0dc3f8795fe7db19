"""Brokers come and go: nobody's work is in them, so nothing is lost with them."""

from collections.abc import Iterator

import pytest

from tests.services.conftest import wait_until
from tests.services.proxy import Proxy

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]

HOSTS = 20
RARELY_S = 3600  # so that only "poll now" makes a host due again
SECONDS_TO_RETURN = 40  # Celery tries again after 2 s, 4 s and so on


@pytest.fixture
def broker(amqp) -> Iterator[Proxy]:
    with Proxy(amqp) as proxy:
        yield proxy


def test_without_a_broker_polls_are_taken_down_and_done_when_it_returns(product, broker) -> None:
    product.use_broker(broker.url)
    product.set_up(product.simulate(HOSTS), interval_s=RARELY_S)
    product.start_beat()
    product.start_worker()

    product.poll_now()
    assert product.count("pollrequest") == 1
    assert product.count("attestation", "asked_at IS NULL") == HOSTS

    broker.up()
    wait_until(lambda: product.count("attestation", "asked_at IS NULL") == 0, SECONDS_TO_RETURN, "the first poll")

    broker.down()
    product.poll_now()
    assert product.count("attestation", "due_at <= now()") == HOSTS
    broker.up()
    wait_until(lambda: product.count("attestation", "due_at <= now()") == 0, SECONDS_TO_RETURN, "the second poll")


def test_redis_carries_the_ticks_too(product, redis_broker) -> None:
    product.use_broker(redis_broker)
    product.set_up(product.simulate(HOSTS), interval_s=RARELY_S)
    product.start_beat()
    product.start_worker()
    wait_until(lambda: product.count("host", "state = 'trusted'") > 0, SECONDS_TO_RETURN, "trusted hosts")
    product.poll_now()
    wait_until(lambda: product.count("attestation", "due_at <= now()") == 0, SECONDS_TO_RETURN, "poll now")
