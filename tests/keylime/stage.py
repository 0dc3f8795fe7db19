"""The product beside a real Keylime, and what can be seen of both from outside."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from tests.e2e.product import Product
from tests.e2e.waiting import PATIENCE_S, eventually
from tests.keylime.front import Front
from tests.keylime.lab import KeylimeLab

SERVER = "keylime-1"
HOSTS = ("compute-1", "compute-2", "compute-3")
POLL_S = 5  # seconds between two questions for a host
QUOTE_S = 0  # each time with a quote
TICK_S = 1.0  # how often workers look for what is due
VALIDITY_S = 30  # of evidence


class Stage:
    """The product as a person starts it, with the settings that docs/keylime.md names."""

    def __init__(self, folder: Path, lab: KeylimeLab) -> None:
        self.lab = lab
        self._folder = folder
        self._cast = folder / "cast.json"
        self._pem = folder / f"{SERVER}.pem"
        self._key = ""
        self._front: Front | None = None
        self.product = Product(folder / "data", self._settings())

    def start(self) -> None:
        """It knows neither the Keylime nor any of its hosts."""
        self._write_cast()
        self._pem.touch(mode=0o600)
        with self._pem.open("wb") as both:
            for part in self.lab.certificate:
                with part.open("rb") as one:
                    shutil.copyfileobj(one, both)
        self.product.start(1.0)
        self._front = self._open()
        self._key = self.product.command("api_key", "create", "viewer", "--name", "tests").strip()

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._front is not None:
            self._front.close()
        self.product.stop()

    # What can be seen.

    def asks(self, path: str) -> Any:
        """What the API answers."""
        headers = {"Authorization": f"Bearer {self._key}"}
        answer = requests.get(f"{self.product.address}/v1{path}", headers=headers, timeout=30)
        return answer.json() if answer.status_code == 200 else {}

    def states(self) -> Mapping[str, str]:
        """The state of each host of this Keylime that is known."""
        rows = self.asks(f"/hosts?server={SERVER}")["items"]
        return {row["name"]: row["state"] for row in rows}

    def host(self, name: str) -> Mapping[str, Any]:
        """One host: its state, its reason, and how it differs."""
        found: Mapping[str, Any] = self.asks(f"/hosts/{name}/diff")
        return found

    def evidence(self, name: str) -> Mapping[str, Any]:
        """All that is held of a host by what the server says."""
        (found,) = self.asks(f"/hosts/{name}/evidence")["evidence"]
        return dict(found)

    def becomes(self, name: str, state: str, why: str, seconds: float = PATIENCE_S) -> float:
        """Waits until a host is in this state; the moment, of a monotonic clock."""
        self._eventually(lambda: self._in_short(name), lambda seen: seen[0] == state, why, seconds)
        return time.monotonic()

    def all_trusted(self, why: str, hosts: Sequence[str] = HOSTS, seconds: float = PATIENCE_S) -> None:
        """Waits until all of these are."""
        wanted = dict.fromkeys(hosts, "trusted")
        self._eventually(self.states, lambda seen: wanted.items() <= dict(seen).items(), why, seconds)

    def asked(self, expression: str) -> str:
        """What the product's own database says, by a line of Python."""
        out = self._folder / "asked"
        typed = f"from txt_dashboard.models import *\nopen({str(out)!r}, 'w').write(str({expression}))\n"
        self.product.command("shell", typed=typed)
        return out.read_text()

    def _open(self) -> Front:
        """The proxy that notices come through."""
        return Front(self.lab.hook_port, self.product.port, self.lab.certificates)

    def _write_cast(self) -> None:
        """Whom the simulated OpenAttestation plays."""
        self._cast.write_text('{"played": {}}')

    def _in_short(self, name: str) -> tuple[str, str]:
        seen = self.host(name)
        return seen.get("state", ""), seen.get("sentence", "")

    def _eventually(self, what: Callable[[], Any], wanted: Callable[[Any], object], why: str, seconds: float) -> None:
        try:
            eventually(what, wanted, why, seconds)
        except AssertionError as error:
            told = [line for line in self.product.log.splitlines() if "warning" in line or "error" in line]
            raise AssertionError("\n".join((str(error), *told[-20:]))) from None

    def _settings(self) -> dict[str, str]:
        return {
            "TXT_TICK_S": str(TICK_S),
            "TXT_SIM_CAST": str(self._cast),
            "TXT_CLIENT_CERTIFICATES": f"{SERVER}={self._pem}",
            "TXT_KEYLIME_REGISTRARS": f"{SERVER}={self.lab.registrar}",
            "TXT_KEYLIME_AGENT_NETWORKS": "127.0.0.0/8",
            "TXT_KEYLIME_AGENT_PORTS": self.lab.agent_ports,
            "TXT_KEYLIME_PUBLISH": SERVER,
            "TXT_KEYLIME_HOOKS": f"{SERVER}={self.lab.hook_secret}",
        }
