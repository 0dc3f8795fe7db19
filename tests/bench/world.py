"""An installation to measure: the product's own settings and tables, a fleet, one worker, and a clock."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("TXT_LOG_LEVEL", "WARNING")
django.setup()

from django.conf import settings  # noqa: E402 - the settings come first
from django.db import connection  # noqa: E402

from tests.bench.fleet import Kernel, Replay, adapter, baselines, host_name, policy, pool_of  # noqa: E402
from tests.factories import NOON  # noqa: E402
from tests.rows import make_server, write_reference  # noqa: E402
from txt_dashboard import conf, vault  # noqa: E402
from txt_dashboard.actions.cycle import Worker  # noqa: E402
from txt_dashboard.models import Attestation, Host  # noqa: E402

FILES = ("TXT_SIGNING_KEY_FILE", "TXT_PUBLIC_KEYS_FILE", "TXT_FLOOR_FILE", "TXT_AUDIT_HEADS", "TXT_VAULT_KEY_FILE")
BETWEEN_POLLS = timedelta(seconds=70)  # longer than an interval with its jitter


class World:
    """A fleet whose hosts are all due each time that `next_poll` has been called."""

    def __init__(self, hosts: int, batch_size: int = 500, now: datetime = NOON) -> None:
        self._database = connection.settings_dict["NAME"]
        self._files = {name: getattr(settings, name) for name in FILES}
        self.hosts = hosts
        self.now = now
        self.replay = Replay()
        self.worker = Worker(lambda: self.now, lambda _row, clock: adapter(self.replay, clock))
        self.server = make_server(batch_size=batch_size, interval_s=60, listed_at=now + timedelta(days=365))
        write_reference(self.server, baselines(), policy())
        Host.objects.bulk_create(
            Host(name=host_name(number), pool=pool_of(number), since=now, created_at=now) for number in range(hosts)
        )
        ids = Host.objects.order_by("name").values_list("id", flat=True)
        Attestation.objects.bulk_create(Attestation(host_id=id_, server=self.server, due_at=now) for id_ in ids)

    def open(self) -> None:
        """Makes this installation's database and keys those that are read; there may be others in this process."""
        connection.close()
        connection.settings_dict["NAME"] = self._database
        for name, path in self._files.items():
            setattr(settings, name, path)

    def next_poll(self, kernel: Kernel) -> list[bytes]:
        """Makes all hosts due; returns the bodies that their server will answer with."""
        self.now += BETWEEN_POLLS
        return self.replay.prepare(self.batches(), kernel, self.now)

    def batches(self) -> list[Sequence[int]]:
        """The hosts' numbers, batch by batch: those polled together once stay together."""
        size = self.server.batch_size
        return [range(start, min(start + size, self.hosts)) for start in range(0, self.hosts, size)]

    def poll(self) -> None:
        """The worker's turn: claims, asks, decodes, appraises and records until nothing is due."""
        self.worker.turn()

    def check(self, state: str) -> None:
        """Fails where the last poll missed a host or left one in another state."""
        answered = Attestation.objects.filter(asked_at=self.now, answered=True, lease="", host__state=state).count()
        if answered != self.hosts:
            raise AssertionError(f"Only {answered} of {self.hosts} hosts were polled and are {state}.")


@contextmanager
def installation() -> Iterator[None]:
    """An empty database of our own, made by the product's own migrations, and a key for secrets."""
    with tempfile.TemporaryDirectory(prefix="txt-dashboard-bench-") as folder:
        settings.TXT_VAULT_KEY_FILE = Path(folder) / "vault.key"
        settings.TXT_SIGNING_KEY_FILE = Path(folder) / "signing.key"
        settings.TXT_PUBLIC_KEYS_FILE = Path(folder) / "signing.pub"
        settings.TXT_FLOOR_FILE = Path(folder) / "floor"
        settings.TXT_AUDIT_HEADS = str(Path(folder) / "audit-heads.jsonl")
        vault.create_key(conf.vault_key_file())
        # A file, as in production: SQLite's databases in memory know no WAL.
        connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "bench.sqlite3") if sqlite() else None
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def sqlite() -> bool:
    """Whether the database works inside our own process."""
    return connection.vendor == "sqlite"
