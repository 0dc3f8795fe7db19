"""A server whose policy is in force, and people."""

from types import SimpleNamespace

import pytest

from tests.factories import BASELINES
from tests.people import approver, person
from tests.rows import make_server, write_reference
from txt_dashboard.actions.permissions import Role


@pytest.fixture
def server(db):
    server = make_server()
    write_reference(server, BASELINES)
    return server


@pytest.fixture
def people(db) -> SimpleNamespace:
    return SimpleNamespace(
        olga=person("olga", Role.OPERATOR),
        anna=approver("anna"),
        ben=approver("ben"),
        carl=approver("carl"),
        ada=person("ada", Role.ADMINISTRATOR),
        vera=person("vera", Role.VIEWER),
    )
