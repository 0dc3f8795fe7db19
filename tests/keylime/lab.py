"""The Keylime of `tests/labs/keylime-lab.sh`, as its administrator sees and disturbs it."""

import json
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "labs" / "keylime-lab.sh"
_PORTS_EACH = 200
FIRST_PORTS = range(18700, 20700, _PORTS_EACH)
MOST_AGENTS = 8
ATTESTING, FAILED, INVALID_QUOTE = 3, 7, 9  # a verifier's operational states
QUOTES_EVERY_S = 2


class KeylimeLab:
    """One Keylime in one folder; `software` outlives it and is shared."""

    def __init__(self, folder: Path, software: Path, port: int = 0) -> None:
        self.folder = folder
        self.port = port or _free_ports()
        self.hook_secret = secrets.token_urlsafe(24)
        own = {"LAB_DIR": folder, "LAB_VENVS": software, "LAB_PORT": self.port, "LAB_INTERVAL": QUOTES_EVERY_S}
        own["LAB_WEBHOOK"] = f"https://127.0.0.1:{self.hook_port}/hooks/keylime/{self.hook_secret}"
        self._environment = os.environ | {name: str(value) for name, value in own.items()}

    @property
    def verifier(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port + 2}"

    @property
    def registrar(self) -> str:
        """Its address with TLS."""
        return f"https://127.0.0.1:{self.port + 1}"

    @property
    def hook_port(self) -> int:
        """Where its verifier sends its notices, by TLS."""
        return self.port + 4

    @property
    def agent_ports(self) -> str:
        """Where its agents are, as a range."""
        return f"{self.port + 10}-{self.port + 10 + MOST_AGENTS}"

    @property
    def push_verifier(self) -> str:
        """The address of the one for agents that push; it starts with the first push."""
        return f"https://127.0.0.1:{self.port + 3}"

    @property
    def certificates(self) -> Path:
        """The folder with the verifier's certificates and keys."""
        return self.folder / "keylime" / "cv_ca"

    @property
    def authority(self) -> Path:
        """The file of the authority that signed all certificates."""
        return self.certificates / "cacert.crt"

    @property
    def certificate(self) -> tuple[Path, Path]:
        """Certificate and key of an administrator."""
        return self.certificates / "client-cert.crt", self.certificates / "client-private.pem"

    def start(self, agents: Sequence[str]) -> None:
        """Installs what is missing, and returns once agents of these ids attest."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "agents.json").write_text(json.dumps([{"name": each, "uuid": each} for each in agents]))
        self.run("install")
        self.run("start", str(len(agents)))

    def stop(self) -> None:
        """Ends every process of it."""
        self.run("clean")

    def run(self, *command: str) -> str:
        """What a command of the script prints."""
        done = self.tries(*command)
        assert done.returncode == 0, f"keylime-lab.sh {' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def tries(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of the script, which may fail."""
        return subprocess.run(
            [SCRIPT, *command], env=self._environment, capture_output=True, text=True, check=False, timeout=300
        )

    def changes(self, *command: str) -> float:
        """Runs a command that changes registers; the moment before, of a monotonic clock."""
        began = time.monotonic()
        self.run(*command)
        return began

    def says(self, agent: str) -> dict[str, Any]:
        """All that the verifier knows of an agent; nothing where it does not answer."""
        answer = self.asks(f"{self.verifier}/v2.6/agents/{agent}")
        found: dict[str, Any] = answer["results"] if answer else {}
        return found

    def asks(self, url: str) -> dict[str, Any]:
        """What is answered to an administrator; nothing where nobody answers."""
        session = requests.Session()
        session.trust_env = False  # REQUESTS_CA_BUNDLE would override the authority
        certificate = tuple(str(each) for each in self.certificate)
        try:
            answer = session.get(url, cert=certificate, verify=str(self.authority), timeout=20)
        except requests.ConnectionError:
            return {}
        found: dict[str, Any] = answer.json()
        return found

    def agent_port(self, agent: str) -> int:
        """Where an agent listens."""
        agents = json.loads((self.folder / "agents.json").read_text())
        return next(int(each["agent_port"]) for each in agents if each["uuid"] == agent)

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Meanwhile one of its programs is dead, and nobody could tidy up."""
        self._kill(name)
        try:
            yield
        finally:
            self.run("start")

    def _kill(self, name: str) -> None:
        number, born = (self.folder / "run" / f"{name}.pid").read_text().split()
        stat = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()
        assert stat[19] == born, f"{name} ended before, and its number is somebody else's now"
        os.killpg(int(number), signal.SIGKILL)


def _free_ports() -> int:
    """The first of so many ports in a row, of which nobody listens on those that a small lab takes."""
    for first in FIRST_PORTS:
        taken = (*range(5), *range(10, 10 + MOST_AGENTS), *range(100, 100 + 2 * MOST_AGENTS))
        if not any(_listens(first + each) for each in taken):
            return first
    raise RuntimeError(f"no free ports from {FIRST_PORTS.start} to {FIRST_PORTS.stop}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(hosts: Sequence[str], number: int = 0) -> Iterator[KeylimeLab]:
    """One with agents of these names, which attest; `number` tells those apart that run at once."""
    default = Path.home() / ".cache" / "txt-dashboard" / "keylime"
    software = Path(os.environ.get("TXT_TEST_KEYLIME_CACHE") or default)
    named = int(os.environ.get("TXT_TEST_KEYLIME_PORT") or 0)
    # Not pytest's own folder: sockets are in it, whose paths must be short.
    with tempfile.TemporaryDirectory(prefix="txt-keylime-", ignore_cleanup_errors=True) as folder:
        made = KeylimeLab(Path(folder) / "lab", software, named + number * _PORTS_EACH if named else 0)
        try:
            made.start(hosts)
            yield made
        finally:
            made.stop()
