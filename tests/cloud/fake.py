"""A cloud on this machine: Keystone, Nova and Placement in one real HTTP server that answers what a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from txt_dashboard.cloud.connection import Connection, Limits
from txt_dashboard.cloud.login import Login

Respond = Callable[[BaseHTTPRequestHandler], None]
TOKEN = "a-token-that-nobody-may-see"
PASSWORD = "a-password-that-nobody-may-see"


def answer(body: object, status: int = 200, **headers: str) -> Respond:
    """A complete answer: JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (
            {"Content_Type": "application/json", "Content_Length": str(len(content))} | headers
        ).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return respond


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    json: Any


@dataclass
class Cloud:
    """`routes` maps "METHOD /path" to what is answered, one after the other, the last one for ever."""

    url: str = ""
    nova_versions: tuple[str, str] = ("2.1", "2.104")
    placement_versions: tuple[str, str] = ("1.0", "1.39")
    routes: dict[str, list[Respond]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    logins: int = 0

    def on(self, route: str, *script: Respond) -> None:
        self.routes[route] = list(script)

    def requests(self, route: str) -> list[Asked]:
        return [each for each in self.asked if f"{each.method} {each.path}" == route]

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        path = parts.path.rstrip("/")
        handler.asked = Asked(handler.command, path, parse_qs(parts.query), headers, json.loads(body or b"null"))
        self.asked.append(handler.asked)
        route = f"{handler.command} {path}"
        script = self.routes.get(route) or [self._by_itself(route)]
        try:
            (script.pop(0) if len(script) > 1 else script[0])(handler)
        except OSError:
            handler.close_connection = True

    def _by_itself(self, route: str) -> Respond:
        if route == "POST /v3/auth/tokens":
            self.logins += 1
            return answer({"token": self._token()}, 201, X_Subject_Token=TOKEN)
        if route == "GET /v3":
            return answer({"version": {"id": "v3.14", "status": "stable", "links": [self._link("/v3")]}})
        if route == "GET /nova/v2.1":
            return answer({"version": self._version("v2.1", "/nova/v2.1", self.nova_versions)})
        if route == "GET /placement":
            return answer({"versions": [self._version("v1.0", "", self.placement_versions)]})
        return answer({"itemNotFound": {"code": 404, "message": "no such thing"}}, 404)

    def _version(self, identity: str, path: str, versions: tuple[str, str]) -> dict[str, Any]:
        oldest, newest = versions
        links = [self._link(path)]
        return {"id": identity, "status": "CURRENT", "version": newest, "min_version": oldest, "links": links} | {
            "max_version": newest
        }

    def _link(self, path: str) -> dict[str, str]:
        return {"rel": "self", "href": f"{self.url}{path}" if path else ""}

    def _token(self) -> dict[str, Any]:
        catalog = [
            {"type": kind, "name": kind, "id": kind, "endpoints": [self._endpoint(path)]}
            for kind, path in (("compute", "/nova/v2.1"), ("placement", "/placement"), ("identity", "/v3"))
        ]
        times = {"issued_at": "2020-01-01T00:00:00.000000Z", "expires_at": "2099-01-01T00:00:00.000000Z"}
        domain = {"id": "default", "name": "Default"}
        project = {"id": "p" * 32, "name": "admin", "domain": domain}
        user = {"id": "u" * 32, "name": "admin", "domain": domain}
        return {"methods": ["password"], "user": user, "project": project, "roles": [], "catalog": catalog, **times}

    def _endpoint(self, path: str) -> dict[str, str]:
        where = {"interface": "public", "region": "RegionOne", "region_id": "RegionOne"}
        return {"id": path, "url": self.url + path, **where}


def login(cloud: Cloud, **more: str) -> Login:
    auth = {
        "auth_url": f"{cloud.url}/v3",
        "username": "admin",
        "password": PASSWORD,
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    return Login(cloud="east", auth=auth, **more)


def connect(cloud: Cloud, *, deadline: float = 5.0, byte_limit: int = 1024 * 1024) -> Connection:
    return Connection(login(cloud), Limits(connect_timeout=2.0, deadline=deadline, byte_limit=byte_limit))


@contextmanager
def serve(cloud: Cloud | None = None) -> Iterator[Cloud]:
    cloud = cloud or Cloud()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            cloud.respond(self)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server names them so

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *args: object) -> None:
            """A client that hangs up is no error of the server."""

    httpd = Quiet(("127.0.0.1", 0), Handler)
    cloud.url = f"http://127.0.0.1:{httpd.server_port}"
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield cloud
    finally:
        httpd.shutdown()
        httpd.server_close()
