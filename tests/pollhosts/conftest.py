"""PollHosts switched on, and hosts to ask for."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.factories import NOON
from tests.rows import make_host, make_server
from tests.web.conftest import static_root  # noqa: F401 - used by name
from txt_dashboard.models import Attestation, Host

BLOB = "a long and random blob for tests"
PATHS = ("/OpenAttestationWebServices/V1.0/PollHosts", "/AttestationService/resources/PollHosts")


@pytest.fixture
def blob(settings) -> str:
    settings.TXT_POLLHOSTS_BLOB = BLOB
    return BLOB


@pytest.fixture
def server(db):
    return make_server()


@pytest.fixture
def host(server) -> Callable[..., Host]:
    """A host in a state, with evidence from NOON for five minutes."""

    def make(name: str, state: str = "trusted", *, by=None, now=NOON, **times) -> Host:
        made = Host.objects.filter(name=name).first() or make_host(name, by or server)
        if by is not None and not Attestation.objects.filter(host=made, server=by).exists():
            Attestation.objects.create(host=made, server=by, due_at=now)
        Host.objects.filter(pk=made.pk).update(state=state)
        evidence = {"attested_at": now, "counts_from": now, "valid_until": now + timedelta(minutes=5)}
        Attestation.objects.filter(host=made, server=by or server).update(**{**evidence, **times})
        return made

    return make
