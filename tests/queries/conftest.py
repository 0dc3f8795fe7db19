"""One server whose policy is in force, and hosts that a worker polls."""

import pytest

from tests.factories import BASELINES
from tests.rows import make_host, make_server, write_reference
from txt_dashboard.actions.cycle import Worker


@pytest.fixture
def server(db):
    row = make_server()
    write_reference(row, BASELINES)
    return row


@pytest.fixture
def poll(clock, scripted, server):
    """Makes hosts that answer so, and polls them."""

    def ask(pool: str = "az1", **answers) -> None:
        for name, answer in answers.items():
            make_host(name, server, pool)
            scripted.answers[name] = answer
        Worker(clock, lambda row, clock: scripted).turn()

    return ask
