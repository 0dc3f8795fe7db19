"""`manage.py run`, for real: it serves, heals, keeps its data and ends cleanly."""

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent.parent
SERVES = "Trusted Compute serves at"


def three_free_ports() -> int:
    """The first of three neighbouring ports that nobody uses."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = first.getsockname()[1]
            try:
                for further in (1, 2):
                    socket.create_server(("127.0.0.1", port + further)).close()
            except OSError:
                continue
            return port


def wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Run:
    """One `manage.py run` and what it wrote."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        self.port = port
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run"],
            cwd=folder.parent,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder.parent),
                "TXT_DATA_DIR": str(folder),
                "TXT_PORT": str(port),
                "TXT_SIM_HOSTS": "20",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.text += line

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.text or self.process.poll() is not None)
        assert text in self.text, self.text

    def ended(self) -> int:
        status = self.process.wait(20)
        self._reader.join(5)
        self.process.stdout.close()
        return status

    def child(self, word: str) -> psutil.Process:
        return next(each for each in psutil.Process(self.process.pid).children() if word in each.cmdline())

    def get(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


@pytest.fixture
def start(tmp_path):
    """Starts it; nothing is left at the end."""
    runs = []

    def start(**environment: str) -> Run:
        runs.append(Run(tmp_path / "data", three_free_ports(), **environment))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.terminate()
        run.ended()


def rows(folder: Path, query: str) -> list[tuple]:
    connection = sqlite3.connect(folder / "txt-dashboard.sqlite3")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.timeout(300)
def test_it_serves_heals_and_keeps_its_data(start, tmp_path):
    data = tmp_path / "data"
    run = start()
    run.wait_for(SERVES)
    assert f"http://127.0.0.1:{run.port} with a simulated fleet" in run.text
    assert run.get("/login/").status == 200
    run.wait_for("Password of each: ")
    password = re.search(r"Password of each: (\S+)", run.text)[1]

    run.child("worker").kill()
    run.wait_for("worker was ended by SIGKILL; it is started again in 1 s.")
    # If it died with the hosts in hand, they wait for its lease: 70 s.
    wait_until(lambda: rows(data, "SELECT 1 FROM txt_dashboard_host WHERE state = 'trusted'"), 150)

    began = time.monotonic()
    children = psutil.Process(run.process.pid).children(recursive=True)
    run.process.send_signal(signal.SIGINT)
    assert run.ended() == 0
    assert time.monotonic() - began < 10
    assert not [child for child in children if child.is_running()]
    assert "Stopped. The data stays" in run.text
    assert "Traceback" not in run.text

    hosts = rows(data, "SELECT id, name FROM txt_dashboard_host")
    again = start()
    again.wait_for("Password of each: ")
    assert f"Password of each: {password}" in again.text
    assert rows(data, "SELECT url FROM txt_dashboard_server") == [(f"http://127.0.0.1:{again.port + 1}",)]
    assert rows(data, "SELECT id, name FROM txt_dashboard_host") == hosts
    again.process.terminate()
    assert again.ended() == 0
    assert "Traceback" not in again.text


def test_a_second_one_on_the_same_data_is_refused(start, tmp_path):
    first = start()
    first.wait_for("Preparing")
    second = start()
    assert second.ended() == 1
    assert f"Another `run` uses {tmp_path / 'data'}." in second.text
    assert second.text.count("\n") == 1
    first.wait_for(SERVES)


def test_a_port_in_use_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = Run(tmp_path / "data", port)
        assert run.ended() == 1
    assert f"Port {port} on 127.0.0.1 can't be used: Address already in use." in run.text
    assert run.text.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TXT_HOST": "0.0.0.0"}, "stays on loopback"),  # noqa: S104
        ({"TXT_PORT": "http"}, "TXT_PORT must be a whole number"),
        ({"TXT_DATA_DIR": "/dev/null"}, "The data directory /dev/null can't be used"),
        ({"TXT_DATA_DIR": "/proc/nowhere"}, "The data directory /proc/nowhere can't be used"),
        ({"TXT_LOG_LEVEL": "loud"}, "TXT_LOG_LEVEL is LOUD"),
    ],
)
def test_what_can_not_work_is_one_sentence(tmp_path, environment, sentence):
    run = Run(tmp_path / "data", 1, **environment)
    assert run.ended() == 1
    assert sentence in run.text
    assert run.text.count("\n") == 1


def test_a_broken_database_is_one_sentence(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "txt-dashboard.sqlite3").write_text("no database at all, whoever put it there")
    run = Run(tmp_path / "data", three_free_ports())
    assert run.ended() == 1
    assert "CommandError: The database can't be used: file is not a database." in run.text
    assert "Traceback" not in run.text
