"""The mini cloud of `tests/labs`, with our filter and validator in its Nova, and PollHosts as a test says."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "labs" / "minicloud.sh"
COMPUTES = 5
PORTS = 10  # nine of the cloud, one of PollHosts
LOCAL_CONF = """\
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = txt_dashboard_nova.filter.TrustedHostFilter
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,TrustedHostFilter
[trusted_compute]
poll_url = {address}/AttestationService/resources/PollHosts
auth_blob = {blob}
timeout = 2
cache_seconds = 1
[quota]
instances = -1
cores = -1
ram = -1
"""


# On this one the compute service and the hypervisor have different names, as on many real clouds.
ODD_SERVICE, ODD_HYPERVISOR = "compute", "fake-mini"
HYPERVISORS = {f"compute{number}": f"compute{number}" for number in range(1, COMPUTES)} | {
    ODD_HYPERVISOR: ODD_SERVICE
}
ODD_CONF = f"""\
[DEFAULT]
host = {ODD_SERVICE}
"""


class MiniCloud:
    """One cloud in one folder; `software` outlives it and is shared."""

    def __init__(self, folder: Path, software: Path, *, keep: bool = False) -> None:
        """`keep`: what runs is used as it is, and left running."""
        self.folder = folder
        self._keep = keep
        port = str(_free_ports())
        own = {"MINICLOUD_DIR": folder, "MINICLOUD_SOFTWARE": software, "MINICLOUD_BASE_PORT": port}
        self._environment = os.environ | {name: str(value) for name, value in own.items()}
        self._environment["MINICLOUD_COMPUTES"] = str(COMPUTES)
        self.python = software / "venv" / "bin" / "python"
        self.poll_port = self._port() + PORTS - 1

    @property
    def auth_url(self) -> str:
        """Where Keystone is."""
        return f"http://127.0.0.1:{self._port()}/v3"

    def start(self, wheel: Path) -> None:
        """Installs what is missing, and starts all of it with our wheel on Nova's path."""
        self._run("install")
        if not self._keep:
            self._run("stop")
        plugins = self.folder / "plugins"
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--upgrade")
        subprocess.run([self.python, "-m", "pip", "install", *options, "--target", plugins, wheel], check=True)
        nova = self.folder / "etc" / "nova"
        odd = nova / f"compute{COMPUTES}.d" / "odd.conf"
        odd.parent.mkdir(parents=True, exist_ok=True)
        odd.write_text(ODD_CONF)
        self._write_local_conf(f"http://127.0.0.1:{self.poll_port}", "")
        self._run("start")

    def stop(self) -> None:
        """Ends every process of the cloud."""
        if not self._keep:
            self._run("stop")

    @contextmanager
    def polling(self, address: str, blob: str) -> Iterator[None]:
        """Meanwhile our filter asks at this address, and not the tests' own PollHosts."""
        self._write_local_conf(address, blob)
        self.restart("nova-scheduler")
        try:
            yield
        finally:
            self._write_local_conf(f"http://127.0.0.1:{self.poll_port}", "")
            self.restart("nova-scheduler")

    def restart(self, *services: str) -> None:
        """Ends and starts these again."""
        self._run("restart", *services)

    @contextmanager
    def without(self, service: str) -> Iterator[None]:
        """Meanwhile it does not run."""
        self._run("stop", service)
        try:
            yield
        finally:
            self._run("start", service)

    def live_for(self, seconds: int) -> None:
        """How long the tokens of a Keystone that is started from now on are good."""
        (self.folder / "etc" / "keystone" / "local.conf").write_text(f"[token]\nexpiration = {seconds}\n")

    def log(self, service: str) -> str:
        """All that a service has logged since its start."""
        return (self.folder / "log" / f"{service}.log").read_text(errors="replace")

    def run_in_nova(self, script: Path) -> dict[str, object]:
        """What a script prints as JSON that runs in Nova's environment, with our wheel on its path."""
        environment = self._environment | {"PYTHONPATH": str(self.folder / "plugins"), "PYTHONWARNINGS": "ignore"}
        ended = subprocess.run([self.python, script], env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        found: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
        return found

    def _port(self) -> int:
        """Of Keystone: what the first start was given, else what we would give it."""
        told = subprocess.run([SCRIPT, "env"], env=self._environment, capture_output=True, text=True, check=True)
        return int(re.search(r"OS_AUTH_URL=http://127\.0\.0\.1:(\d+)/v3", told.stdout)[1])

    def _write_local_conf(self, address: str, blob: str) -> None:
        text = LOCAL_CONF.format(address=address, blob=blob)
        (self.folder / "etc" / "nova" / "local.conf").write_text(text)

    def _run(self, *command: str) -> None:
        subprocess.run([SCRIPT, *command], env=self._environment, check=True)


class PollHosts:
    """Answers as a test says: the hosts in `trusted` are, and where it is `silent` nobody gets an answer in time."""

    def __init__(self, port: int) -> None:
        self.trusted: set[str] = set()
        self.silent = False
        self.asked: list[list[str]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.respond(self)

            def log_message(self, *args: object) -> None:
                """Says nothing."""

        self._httpd = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._httpd.daemon_threads = True
        threading.Thread(target=self._httpd.serve_forever, daemon=True).start()

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        hosts = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))["hosts"]
        self.asked.append(hosts)
        if self.silent:
            threading.Event().wait(4)
        now = datetime.now(UTC)
        times = {"vtime": now.isoformat(), "valid_until": (now + timedelta(minutes=5)).isoformat()}
        rows = [{"host_name": host, "trust_lvl": self.level(host), **times} for host in hosts]
        body = json.dumps({"hosts": rows}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def level(self, host: str) -> str:
        return "trusted" if host in self.trusted else "untrusted"

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()


def build_wheel(folder: Path) -> Path:
    """Our wheel, from this checkout and without the network."""
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


def _free_ports() -> int:
    """The first of so many ports in a row that nobody listens on."""
    for first in range(18400, 19400, PORTS):
        if not any(_listens(port) for port in range(first, first + PORTS)):
            return first
    raise RuntimeError("no free ports from 18400 to 19400")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
