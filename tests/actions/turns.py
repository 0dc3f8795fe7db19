"""What tests of a worker's turns share: hosts' states, and time that passes between two turns."""

import pytest

from tests.conftest import Clock, ScriptedServer
from tests.factories import BASELINES
from tests.rows import make_server, write_reference
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.models import Host, Server


@pytest.fixture
def server(db) -> Server:
    """It counts, and baselines and a policy are in force."""
    row = make_server(interval_s=60)
    write_reference(row, BASELINES)
    return row


@pytest.fixture
def worker(clock: Clock, scripted: ScriptedServer) -> Worker:
    """Whatever it asks is the scripted server."""
    return Worker(clock, lambda row, clock: scripted)


def state_of(name: str) -> tuple[str, str]:
    host = Host.objects.get(name=name)
    return host.state, host.reason


def poll_later(worker: Worker, clock: Clock, seconds: float = 70) -> None:
    clock.advance(seconds=seconds)
    worker.turn()
