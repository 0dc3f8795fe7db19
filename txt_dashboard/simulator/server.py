"""HTTP on loopback for one service: connections, authentication, limits, and the silence of a server that hangs."""

import hmac
import ssl
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from socketserver import TCPServer
from threading import BoundedSemaphore, Event
from time import monotonic
from urllib.parse import parse_qsl, urlsplit

from txt_dashboard.simulator.wire import Fault, Reply, Request, Service

BODY_LIMIT = 4 * 1024 * 1024  # bytes: a list of 10,000 hosts takes a twentieth
IDLE_S = 60.0
HOLD_S = 120.0  # longest that a silent server keeps one request
MOST_HELD = 32  # requests kept at once; further ones are dropped, so that threads do not pile up
LOOK_S = 0.1  # how often a kept request looks whether the silence is over


class CannotListen(Exception):
    """The address is not loopback, or taken, or TLS has no usable certificate; the sentence says which."""


class SimulatorServer(ThreadingHTTPServer):
    """Serves one service on a loopback address; raises `CannotListen`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        dialect: Service,
        *,
        auth_blob: str = "",
        hold_s: float = HOLD_S,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        _require_loopback(address[0])
        self.dialect = dialect
        self._auth_blob = auth_blob.encode()
        self._hold_s = hold_s
        self._tick = tick
        self._held = BoundedSemaphore(MOST_HELD)
        self._stopped = Event()
        self.scheme = "http"
        super().__init__(address, Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"{self.scheme}://{host!s}:{port}"

    def use_tls(self, certificate: Path, key: Path | None) -> None:
        """Speaks TLS from now on; raises `CannotListen` where the PEM files are unusable."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(certificate, key)
        except OSError as error:
            raise CannotListen(
                f"{certificate} and {key or 'no key file'} are no usable certificate and key ({error})"
            ) from None
        # The handshake is left to the connection's thread: a slow client must not stop the others.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "https"

    def server_bind(self) -> None:
        """Binds without asking the resolver for this machine's name, which http.server does and can take long."""
        host, port = self.server_address[:2]
        try:
            TCPServer.server_bind(self)
        except OSError as error:
            raise CannotListen(f"{host!s}:{port} can't be used: {error.strerror}") from None
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def service_actions(self) -> None:
        """Called twice a second by the serving loop."""
        self._tick()

    def server_close(self) -> None:
        """Closes the listening socket and lets kept requests go."""
        self._stopped.set()
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break or fail their handshake are everyday; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def admits(self, blob: str) -> bool:
        """Whether the request's `x-auth-blob` is the one asked for, if one is."""
        return not self._auth_blob or hmac.compare_digest(blob.encode(), self._auth_blob)

    def hold(self) -> None:
        """Keeps a request as long as the silence lasts, up to a bound, unless too many are kept already."""
        if not self._held.acquire(blocking=False):
            return
        try:
            until = monotonic() + self._hold_s
            while self.dialect.silent and monotonic() < until and not self._stopped.wait(LOOK_S):
                pass
        finally:
            self._held.release()


class Handler(BaseHTTPRequestHandler):
    """One connection, any number of requests."""

    server: SimulatorServer
    server_version = "OAT-simulator"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    # Head and body leave in one segment: two small writes would wait for each other's acknowledgement, 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answers a request without a body."""
        self._answer(b"")

    def do_DELETE(self) -> None:
        """The same: what is deleted stands in the query."""
        self._answer(b"")

    def do_PUT(self) -> None:
        """Answers a request with a body of stated length."""
        self.do_POST()

    def do_POST(self) -> None:
        """Answers a request with a body of stated length."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._refuse(Fault(411, 411, "The body's length is missing."))
        elif len(length) > 9 or int(length) > BODY_LIMIT:
            self._refuse(Fault(413, 413, f"The body is larger than {BODY_LIMIT} bytes."))
        else:
            self._answer(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Quiet: polls are many and say nothing new."""

    def _answer(self, body: bytes) -> None:
        if self.server.dialect.silent:
            self.server.hold()
            # Never an answer, not even a late one: a client must see an outage, not slowness.
            self.close_connection = True
        elif not self.server.admits(self.headers.get("x-auth-blob", "")):
            self._send(Fault(401, 401, "HTTP 401 UNAUTHORIZED").reply)
        else:
            self._send(self.server.dialect.answer(self._request(body)))

    def _request(self, body: bytes) -> Request:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, url.path, query, body, self.headers.get("Accept", "*/*"), headers)

    def _refuse(self, fault: Fault) -> None:
        """Answers without reading the body, so the connection can't be used further."""
        self.close_connection = True
        self._send(fault.reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)


def _require_loopback(host: str) -> None:
    try:
        loopback = IPv4Address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise CannotListen(f"{host} is no loopback address such as 127.0.0.1: the simulator serves this machine only")
