"""The clock that rings: steadily, and whatever the broker or the wall clock does."""

import json
from datetime import UTC, datetime

import pytest
from kombu import Connection

from txt_dashboard.beat import SteadyScheduler
from txt_dashboard.celery import app


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    monkeypatch.setitem(app.conf, "broker_transport_options", {"folder": str(tmp_path / "spool")})
    monkeypatch.setattr(app, "_pool", None)
    scheduler = SteadyScheduler(app)
    yield scheduler
    scheduler.close()


def waiting(tmp_path) -> int:
    return len(list((tmp_path / "spool").glob("*/*.msg")))


def test_each_tick_sends_one_message(scheduler, tmp_path):
    assert scheduler.tick() == 2.0
    assert scheduler.tick() == 2.0
    assert waiting(tmp_path) == 2


def test_whatever_else_the_settings_have_is_rung_too(tmp_path, monkeypatch):
    monkeypatch.setitem(app.conf, "broker_transport_options", {"folder": str(tmp_path / "spool")})
    monkeypatch.setattr(app, "_pool", None)
    tick = app.conf.beat_schedule["tick"]
    both = {"tick": tick, "keep_traits": {**tick, "task": "txt_dashboard.keep_traits"}}
    monkeypatch.setitem(app.conf, "beat_schedule", both)
    scheduler = SteadyScheduler(app)
    assert scheduler.tick() == 2.0
    scheduler.close()
    sent = [json.loads(path.read_text())["headers"]["task"] for path in (tmp_path / "spool").glob("*/*.msg")]
    assert sorted(sent) == ["txt_dashboard.keep_traits", "txt_dashboard.tick"]


def test_a_clock_that_is_set_back_silences_nothing(scheduler, tmp_path, monkeypatch):
    scheduler.tick()
    monkeypatch.setattr(app, "now", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    scheduler.tick()
    assert waiting(tmp_path) == 2


def test_a_broker_that_is_down_is_said_and_costs_one_tick(scheduler, tmp_path, caplog):
    scheduler.tick()
    (tmp_path / "spool" / "celery").rename(tmp_path / "spool" / "moved")
    (tmp_path / "spool" / "celery").touch()
    assert scheduler.tick() == 2.0
    assert "No worker was called." in caplog.text
    (tmp_path / "spool" / "celery").unlink()
    scheduler.tick()
    assert len(list((tmp_path / "spool" / "celery").iterdir())) == 1


def test_the_worker_is_found_by_the_spool_scheme():
    with Connection("spool://", transport_options={"folder": "unused"}) as connection:
        assert type(connection.transport).__module__ == "txt_dashboard.spool"
        assert connection.as_uri() == "spool://"
