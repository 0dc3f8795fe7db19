"""A fleet as workers leave it, for pages to show."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils import timezone

from tests.actions.governance.examples import WANTED
from tests.factories import BASELINES, evidence, value
from tests.people import person
from tests.quoted_fleet import served_fleet, sim  # noqa: F401 - used by name
from tests.rows import make_host, make_server, write_reference
from tests.web.reviewing import WORDS
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import Role
from txt_dashboard.attest.evidence import Answer
from txt_dashboard.models import Host, Proposal, Server


@pytest.fixture(autouse=True, scope="session")
def static_root() -> None:
    """WhiteNoise warns of a folder that is not there; the tests' own is made by nobody else."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def oat(db, clock) -> Server:
    """An attestation server whose baselines and policy are in force, at the time that pages read."""
    clock.now = timezone.now()
    server = make_server(interval_s=60)
    write_reference(server, BASELINES)
    return server


@pytest.fixture
def people(db) -> SimpleNamespace:
    """Accounts that have had their roles for long, by the clock that pages read."""
    long_ago = timezone.now() - timedelta(days=30)
    roles = {"olga": Role.OPERATOR, "ada": Role.ADMINISTRATOR, "vera": Role.VIEWER}
    roles |= dict.fromkeys(("anna", "ben", "carl"), Role.APPROVER)
    return SimpleNamespace(**{name: person(name, role, since=long_ago) for name, role in roles.items()})


@pytest.fixture
def fleet(oat, clock, scripted):
    """`fleet(hv1=answer, hv2=None)`: makes hosts and has a worker ask for them; `None` is good evidence."""

    def ask(pool: str = "az1", **answers: Answer | None) -> list[Host]:
        for name, answer in answers.items():
            scripted.answers[name] = answer or evidence(at=clock())
        hosts = [make_host(name, oat, pool) for name in answers]
        Worker(clock, lambda row, clock: scripted).turn()
        return hosts

    return ask


@pytest.fixture
def updated(fleet, clock) -> None:
    """Two hosts of az1 boot a kernel that nobody approved yet, one of az2 the old one."""
    new = evidence({18: value("kernel 2")}, at=clock())
    fleet(hv1=new, hv2=new)
    fleet("az2", hv3=None)


@pytest.fixture
def proposal(updated, people) -> Proposal:
    """That kernel shall be approved."""
    return propose(people.olga, WANTED, **WORDS, now=timezone.now())
