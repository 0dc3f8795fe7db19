"""Fixtures that all rooms share."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from tests.factories import BASELINES, NOON, Answers, evidence
from txt_dashboard import conf, vault
from txt_dashboard.attest.evidence import Answer, NoEvidence
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.servers.base import Batch, ServerError


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


class ScriptedServer:
    """An attestation server that answers what a test says; for speed beside the real adapter's own tests."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.answers: dict[str, Answer | Callable[[], Answer]] = {}
        self.error: ServerError | None = None
        self.listed: tuple[str, ...] = ()
        self.asked: list[Sequence[str]] = []
        self.remarks: tuple[str, ...] = ()

    def attest(self, hosts: Sequence[str]) -> Batch:
        self.asked.append(list(hosts))
        if self.error:
            raise self.error
        answers: Answers = {host: self._answer(host) for host in hosts}
        return Batch(answers, self.clock(), self.clock(), self.remarks)

    def _answer(self, host: str) -> Answer:
        answer = self.answers.get(host, lambda: evidence(at=self.clock()))
        return answer() if callable(answer) else answer

    def hosts(self) -> tuple[str, ...]:
        if self.error:
            raise self.error
        return self.listed

    def test(self) -> str:
        if self.error:
            raise self.error
        return "answered"

    def close(self) -> None:
        pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scripted(clock: Clock) -> ScriptedServer:
    return ScriptedServer(clock)


@pytest.fixture(autouse=True)
def key_files(tmp_path, settings) -> None:
    """Keys, floor and archive of the test's own."""
    settings.TXT_VAULT_KEY_FILE = tmp_path / "vault.key"
    settings.TXT_SIGNING_KEY_FILE = tmp_path / "signing.key"
    settings.TXT_PUBLIC_KEYS_FILE = tmp_path / "signing.pub"
    settings.TXT_FLOOR_FILE = tmp_path / "floor"
    settings.TXT_SETS_DIR = tmp_path / "sets"
    settings.TXT_AUDIT_HEADS = str(tmp_path / "audit-heads.jsonl")
    vault.create_key(conf.vault_key_file())


@pytest.fixture(autouse=True)
def log_can_be_emptied(request) -> Iterator[None]:
    """Tests that commit are cleaned up by a flush, which the activity log's triggers refuse: they are gone by then.

    pytest-django runs such tests after all others, so nobody else misses them.
    """
    marker = request.node.get_closest_marker("django_db")
    commits = (marker and marker.kwargs.get("transaction")) or "transactional_db" in request.fixturenames
    if not commits:
        yield
        return
    from txt_dashboard.audit import guards  # noqa: PLC0415 - models need the settings first

    request.getfixturevalue("transactional_db")
    guards.install(connection)
    yield
    guards.remove(connection)


@pytest.fixture
def sign(key_files):
    """Signs as a worker does: the key's id and the signature."""
    from txt_dashboard.actions.governance import keys  # noqa: PLC0415 - as above
    from txt_dashboard.audit.keys import sign  # noqa: PLC0415 - as above

    keys.create()
    return sign


@pytest.fixture
def public_keys(sign) -> Path:
    """The file that verifiers read."""
    return conf.public_keys_file()


@pytest.fixture
def signed(public_keys):
    """Whether a message bears the signature of a key in that file."""
    from txt_dashboard.audit.keys import verifier  # noqa: PLC0415 - as above

    return verifier(public_keys)


@pytest.fixture
def heads_file(settings, tmp_path) -> Path:
    """Where the activity log's heads go in this test."""
    settings.TXT_DATA_DIR = tmp_path
    settings.TXT_AUDIT_HEADS = str(tmp_path / "audit-heads.jsonl")
    return tmp_path / "audit-heads.jsonl"


def silent(reason: Reason, **params: str) -> NoEvidence:
    """No evidence, for this reason."""
    return NoEvidence(Finding(reason, params))


@pytest.fixture
def put_in_force(db):
    """Writes baselines and the policy of the factories to the database."""
    from tests.rows import write_reference  # noqa: PLC0415 - models need the settings first

    def put(server, baselines=BASELINES) -> None:
        write_reference(server, baselines)

    return put
