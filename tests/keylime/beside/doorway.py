"""The same proxy before the product as `tests.keylime.front`, which notes the notices that come through."""

import json
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import requests

from tests.keylime.lab import KeylimeLab
from tests.servers.harness import answer, start


@dataclass(frozen=True)
class Passed:
    """One notice: when it came, what it said, and what the product answered."""

    at: float  # of a monotonic clock
    agent: str
    event: str
    status: int


class Doorway:
    """With a certificate that Keylime's authority signed, and only for whom it signed one, too. Close it."""

    def __init__(self, lab: KeylimeLab, pem: Path, product: str) -> None:
        self.passed: list[Passed] = []
        self._product = product
        own = lab.certificates
        pem.touch(mode=0o600)
        pem.write_text((own / "server-private.pem").read_text() + (own / "server-cert.crt").read_text())
        self._httpd = start(self._respond, pem, lab.authority.read_text(), lab.hook_port)

    def close(self) -> None:
        """Takes no more."""
        self._httpd.shutdown()
        self._httpd.server_close()

    def _respond(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if not handler.connection.getpeercert():  # type: ignore[attr-defined]  # it is TLS
            answer(b"{}", 403)(handler)
            return
        at = time.monotonic()
        given = requests.post(self._product + handler.path, data=body, timeout=10)
        said = json.loads(json.loads(body)["msg"])
        self.passed.append(Passed(at, said["agent_id"], said["event_id"], given.status_code))
        answer(given.content, given.status_code)(handler)
