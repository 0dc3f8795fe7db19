"""The product as an operator runs it: processes of their own, one database, one broker."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
CELERY = ("celery", "--quiet", "--app", "txt_dashboard.celery")
LISTENS = re.compile(rb"listens on (http\S+?)\.?\s")


class Product:
    """Processes that share one environment and one log. Each may be killed at any time."""

    def __init__(self, database: str, queue: str, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.queue = queue
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.services.settings",
            "TXT_DATABASE_URL": database,
            "TXT_DATA_DIR": str(folder),
            "TXT_TEST_QUEUE": queue,
            "TXT_TICK_S": "0.5",
        }
        self._log = (folder / "log").open("ab")
        self._processes: list[subprocess.Popen[bytes]] = []

    def use_broker(self, url: str) -> None:
        """For processes started from now on."""
        self._environment["TXT_BROKER_URL"] = url

    def simulate(self, hosts: int, speed: float = 1.0) -> str:
        """Starts a simulated fleet; returns its server's URL, and writes what `set_up` loads."""
        fleet = ("-m", "txt_dashboard.simulator", "--hosts", str(hosts))
        self.run(*fleet, "--inventory", str(self.folder / "hosts.csv"), "--golden", str(self.folder / "golden.json"))
        # As real servers of this kind; and the keys of hundreds of simulated TPMs take a processor for seconds.
        self._start(*fleet, "--speed", str(speed), "--without-quotes")
        deadline = time.monotonic() + 20
        while not (told := LISTENS.search((self.folder / "log").read_bytes())):
            assert time.monotonic() < deadline, "the simulator does not listen"
            time.sleep(0.1)
        return told[1].decode()

    def set_up(self, url: str, **server: object) -> None:
        """Tables, a server, its hosts and golden values, all by the product's own verbs."""
        settings = [f"{name}={value}" for name, value in server.items()]
        self.run("-m", "tests.services.verbs", "set-up", url, str(self.folder), *settings)

    def poll_now(self) -> None:
        """As the page's button does it."""
        self.run("-m", "tests.services.verbs", "poll-now")

    def start_worker(self) -> subprocess.Popen[bytes]:
        """As `make run` starts it."""
        return self._start(
            "-m", *CELERY, "worker", "--pool", "threads", "--concurrency", "2", "--hostname", _unique()
        )

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Rings for the workers."""
        return self._start("-m", *CELERY, "beat")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Without a chance to tidy up."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._processes.remove(process)

    def end(self) -> None:
        """Kills what still runs."""
        for process in list(self._processes):
            self.kill(process)
        self._log.close()

    def run(self, *arguments: str) -> None:
        """Runs Python to its end; fails where that fails."""
        subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self._environment,
            check=True,
            timeout=60,
            stdout=self._log,
            stderr=self._log,
        )

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """What the database answers, asked from outside of the product."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql).fetchall()

    def count(self, table: str, condition: str = "true") -> int:
        """How many rows of one of the product's tables fulfil the condition."""
        return int(self.rows(f"SELECT count(*) FROM txt_dashboard_{table} WHERE {condition}")[0][0])  # noqa: S608

    def log(self) -> str:
        """What all processes wrote."""
        return (self.folder / "log").read_text(errors="replace")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._processes.append(process)
        return process


def _unique() -> str:
    return f"test-{time.monotonic_ns()}@%h"
