"""Databases, queues and processes of our own, under names that nobody else has, removed afterwards.

A service that is missing fails the tests: who runs them wants to know.
"""

import os
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis
from kombu import Connection

from tests.services.product import Product

POSTGRES = os.environ.get("TXT_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
AMQP = os.environ.get("TXT_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
REDIS = os.environ.get("TXT_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


@pytest.fixture
def name() -> str:
    """For a database or a queue."""
    return f"txt_dashboard_test_{uuid4().hex[:12]}"


@pytest.fixture
def database(name) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(POSTGRES)._replace(path=f"/{name}").geturl()
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def amqp(name) -> Iterator[str]:
    """RabbitMQ's URL; the queue of our name is removed afterwards."""
    yield AMQP
    with Connection(AMQP) as connection:
        channel = connection.channel()
        channel.queue_delete(name)
        channel.exchange_delete(name)


@pytest.fixture
def redis_broker(name) -> Iterator[str]:
    """Redis' URL; the keys that begin with our name are removed afterwards."""
    client = redis.Redis.from_url(REDIS)
    client.ping()
    yield REDIS
    for key in client.scan_iter(f"{name}:*"):
        client.delete(key)
    client.close()


@pytest.fixture
def product(name, database, tmp_path) -> Iterator[Product]:
    """Not started yet; all its processes end with the test, and its log is shown where that failed."""
    made = Product(database, name, tmp_path)
    yield made
    made.end()
    print((tmp_path / "log").read_text(errors="replace")[-20_000:])  # noqa: T201 - pytest shows it for failures


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Looks every quarter of a second; fails where it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.25)
