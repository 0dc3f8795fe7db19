"""Fixtures that all rooms share."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

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
    vault.create_key(conf.vault_key_file())


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
