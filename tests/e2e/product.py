"""The product as `make run` starts it, in a folder of its own."""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from txt_dashboard.demo import DEFAULT_SEED, set_environment
from txt_dashboard.simulator.fleet import DEFAULT_HOSTS, build_fleet
from txt_dashboard.simulator.story import Story

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S = 90
PORTS = range(21000, 32000, 3)
FIRST_PART = 470.0  # seconds of the story: all of its troubles, and not yet its second part
STORY = Story(build_fleet(DEFAULT_HOSTS, DEFAULT_SEED))


def wait_until(true: Callable[[], object], why: str, seconds: float = 60) -> None:
    """Fails with the reason where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"Waited {seconds:.0f} s in vain: {why}."
        time.sleep(0.1)


class Product:
    """`manage.py run` and what it started. It may be stopped and started again on the same data."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = dict(settings or {})  # beside those of a first start
        self.password = secrets.token_urlsafe(12)
        self.port = _three_free_ports()
        self.speed = 1.0
        self.until = FIRST_PART
        self._log = folder.parent / "product.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def simulator(self) -> str:
        """Where the simulated attestation server is."""
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self._log.read_text(errors="replace")

    @property
    def moment(self) -> float:
        """The second of the story."""
        started = json.loads((self.folder / "story.json").read_text())["started"]
        return min(self.until, (time.time() - started) * self.speed)

    def start(self, speed: float, until: float = FIRST_PART) -> None:
        """Returns once it serves. `speed` is how fast the fleet's story runs, `until` where it stops."""
        self.speed, self.until = speed, until
        said = len(self.log) if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "run"],
                cwd=self.folder.parent,
                env=self._environment(TXT_SIM_SPEED=str(speed), TXT_SIM_UNTIL=str(until)),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        process = self._process

        def serves() -> bool:
            assert process.poll() is None, f"It ended:\n{self.log[said:]}"
            return "Trusted Compute serves at" in self.log[said:]

        wait_until(serves, "the product does not serve", STARTS_WITHIN_S)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                assert self._process.wait(30) == 0, self.log
            finally:
                self._process.kill()

    def kill(self) -> None:
        """As a machine that loses its power: nobody can tidy up."""
        assert self._process is not None
        process = psutil.Process(self._process.pid)
        for each in (process, *process.children(recursive=True)):
            each.kill()
        self._process.wait(30)
        self._process = None

    def program(self, word: str) -> psutil.Process:
        """One of the programs that it runs, by a word of its command line."""
        assert self._process is not None
        return next(each for each in psutil.Process(self._process.pid).children() if word in each.cmdline())

    @contextmanager
    def holding(self, word: str) -> Iterator[None]:
        """Meanwhile that program, and all that it started, does not move."""
        program = self.program(word)
        held = [program, *program.children(recursive=True)]
        for each in held:
            each.suspend()
        try:
            yield
        finally:
            for each in held:
                each.resume()

    def command(self, *arguments: str, typed: str = "") -> str:
        """Runs one of the product's commands on the same data; what it prints."""
        environment = self._environment()
        set_environment(environment)
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def next_to_reboot(self) -> str:
        """A host that is about to boot the kernel that nobody approved, but not within the next three seconds."""
        soon = self.moment + 3 * self.speed
        hosts = (STORY.fleet.by_name[name] for name in STORY.kernel_update.hosts)
        names = [host.name for host in hosts if not STORY.booted_at(host, soon)]
        assert names, "The browser came too late: all hosts of the story have rebooted. Is this machine overloaded?"
        return names[0]

    def _environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent),
            "TXT_DATA_DIR": str(self.folder),
            "TXT_PORT": str(self.port),
            "TXT_DEMO_PASSWORD": self.password,
            **self.settings,
            **more,
        }


def _three_free_ports() -> int:
    """The first of three neighbouring ports that nobody uses: two simulators take the others.

    None of those that the system gives to connections, or one might take it before the product does.
    """
    while True:
        port = random.choice(PORTS)
        try:
            for each in range(3):
                socket.create_server(("127.0.0.1", port + each)).close()
        except OSError:
            continue
        return port
