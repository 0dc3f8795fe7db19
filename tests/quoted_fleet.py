"""A simulated fleet over real HTTP whose quotes a test may tamper with, and a worker that asks for them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Clock
from tests.factories import NOON
from tests.rows import make_host, make_server, put_set
from tests.simulator.conftest import World, world
from txt_dashboard.actions.connect import connect, connect_quotes
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.reference import propose_file
from txt_dashboard.attest.bound_key import KeySource, bind
from txt_dashboard.attest.entries import key_entry, key_id
from txt_dashboard.models import Attestation, Host, Quoted
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.simulator.startkit import SERVER, golden_json
from txt_dashboard.simulator.wire import ATTESTATION, Reply, Request

Tamper = Callable[[dict[str, Any]], None]
ODD = "az2-078"  # the story gives it another boot loader
QUOTES = "POST", f"{ATTESTATION}/quotes"
HOSTS = ("az2-001", "az2-002")  # both sign with P-256, whose keys are made at once


class Fleet:
    """The fleet, the worker, and what people approved."""

    def __init__(self, served: World) -> None:
        self.served = served
        self.clock = Clock()
        self.polls = 0
        self.story = 0.0  # seconds
        served.pass_time(NOON - served.now)
        self.before_quote: Callable[[dict[str, Any]], None] = lambda asked: None
        self.tamper: Tamper = lambda answer: None
        self.asked: list[dict[str, Any]] = []
        self.server = make_server(
            SERVER, url=served.server.url, interval_s=60, listed_at=NOON + timedelta(days=1), passes_quotes=True
        )
        self.approve(json.loads(golden_json(served.fleet)))
        for name in HOSTS:
            make_host(name, self.server, "az2")
        self.worker = Worker(self.clock, connect, quotes=connect_quotes)
        self._routes = served.server.dialect.routes
        self._honest = dict(self._routes)
        self._routes[QUOTES] = self._answer

    def close(self) -> None:
        """Answers somebody else honestly, whatever a test did to it."""
        self._routes.update(self._honest)

    def approve(self, golden: dict[str, Any], *, voucher: str = "word") -> None:
        """The baselines of the fleet's first day, and its policy."""
        for policy in golden["policies"]:
            policy["voucher"] = voucher
        proposal = propose_file(COMMAND_LINE, json.dumps(golden).encode(), title="Golden", reason="Day 1", now=NOON)
        put_set({id_: change["after"] for id_, change in proposal.patch["changes"].items()})
        proposal.delete()

    def ask_for_quotes(self) -> None:
        """The policy asks for a quote from now on."""
        put_set(
            {
                id_: {**entry, "voucher": "quote"}
                for id_, entry in in_force().set.entries.items()
                if id_.startswith("policy:")
            }
        )

    def approve_key(self, host: str, of: str = "") -> None:
        """Approves for a host the key that it, or another one, showed."""
        public = bytes(Quoted.objects.get(attestation__host__name=of or host).public)
        put_set({key_id(SERVER, host): key_entry(bind(SERVER, host, public, KeySource.SERVER))})

    def forget_key(self, host: str) -> None:
        """Retires a host's key."""
        put_set({key_id(SERVER, host): None})

    def poll(self, seconds: float = 70) -> None:
        """A turn after some time."""
        self.clock.advance(seconds=seconds)
        self.polls += 1
        self.served.move(self.story + self.polls / 100)  # the TPMs' clocks go on, and the story has hardly begun
        self.served.pass_time(timedelta(seconds=seconds))
        self.worker.turn()

    def proven(self) -> None:
        """Both hosts' keys are approved, and a poll has proven their registers."""
        self.poll()
        for host in HOSTS:
            self.approve_key(host)
        self.poll()
        self.poll()

    def drifted(self) -> None:
        """A proven host boots a boot loader that no other has."""
        make_host(ODD, self.server, "az2")
        self.proven()
        self.approve_key(ODD)
        self.poll()
        self.story = 45.0
        self.poll()

    def state(self, host: str = HOSTS[0]) -> tuple[str, str]:
        found = Host.objects.get(name=host)
        return found.state, found.reason

    def voucher(self, host: str = HOSTS[0]) -> str:
        return str(Attestation.objects.get(host__name=host).voucher)

    def _answer(self, request: Request) -> Reply:
        asked = request.json()
        self.asked.append(dict(asked))
        self.before_quote(asked)
        reply = self._honest[QUOTES](replace(request, body=json.dumps(asked).encode()))
        document = json.loads(reply.body)
        self.tamper(document)
        return replace(reply, body=json.dumps(document).encode())


@contextmanager
def fleet(**options: Any) -> Iterator[Fleet]:
    """Serves it until the block ends."""
    with world(**options) as served:
        yield Fleet(served)


@pytest.fixture(scope="module")
def served_fleet() -> Iterator[World]:
    """One for all tests of a file: its keys take a while."""
    with world() as served:
        yield served


@pytest.fixture
def sim(db, served_fleet: World) -> Iterator[Fleet]:
    """That fleet on its first day, approved and not yet asked."""
    made = Fleet(served_fleet)
    yield made
    made.close()
