"""A service that answers what a test tells it, over real HTTP, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Service:
    """The stand-in. `answers` maps "GET /v1/hosts" to (status, body); bytes are sent as they are."""

    url: str
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    delay_s: float = 0

    def says(self, route: str, body: Any, status: int = 200) -> None:
        """What it answers from now on."""
        self.answers[route] = (status, body)

    def refuses(self, route: str, status: int, detail: str) -> None:
        """A problem document."""
        self.says(route, {"title": "No", "status": status, "detail": detail, "request_id": "req-1"}, status)


@contextmanager
def running() -> Iterator[Service]:
    """A stand-in on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    service = Service(f"http://127.0.0.1:{server.server_port}/v1")
    server.service = service  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        service: Service = self.server.service  # type: ignore[attr-defined]
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        service.asked.append(Asked(self.command, address.path, query, dict(self.headers), body))
        time.sleep(service.delay_s)
        missing = (404, {"title": "Not Found", "status": 404, "detail": "There is nothing at this address."})
        status, told = service.answers.get(f"{self.command} {address.path}", missing)
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(BrokenPipeError):  # whoever asked waits no more
            self.wfile.write(content)

    do_POST = do_PUT = do_GET  # noqa: N815 - as http.server calls them

    def log_message(self, *_: Any) -> None:
        pass
