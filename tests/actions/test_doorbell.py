"""The doorbell: a worker looks now; a broker that is down is no matter."""

import time

import pytest

from txt_dashboard.actions.doorbell import TICK, ring
from txt_dashboard.celery import app


@pytest.fixture
def broker(tmp_path, monkeypatch):
    monkeypatch.setitem(app.conf, "broker_transport_options", {"folder": str(tmp_path)})
    return tmp_path


def test_a_worker_is_called(broker) -> None:
    ring()
    waiting = list(broker.rglob("*.msg"))
    assert len(waiting) == 1
    assert TICK in waiting[0].read_text()


@pytest.mark.parametrize("url", ["amqp://guest@127.0.0.1:1//", "redis://127.0.0.1:1/0"])
def test_a_broker_that_is_down_costs_a_moment(monkeypatch, url) -> None:
    connect = app.connection_for_write
    monkeypatch.setattr(app, "connection_for_write", lambda **how: connect(url, **how))
    began = time.monotonic()
    ring()
    assert time.monotonic() - began < 3
