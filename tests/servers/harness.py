"""A real HTTP(S) server on this machine that answers what a test tells it to, and certificates of all kinds."""

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]

    @property
    def json(self) -> object:
        return json.loads(self.body)


@dataclass
class Server:
    """What it is asked is in `asked`; what it answers is the next of `script`, the last one for ever."""

    url: str
    script: list[Respond] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def answers(self, *script: Respond) -> None:
        self.script[:] = script

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append(Asked(handler.command, handler.path, headers, body, handler.client_address))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            step(handler)
        except OSError:
            handler.close_connection = True  # the client hung up, as it should in many of these tests


def answer(body: bytes, status: int = 200, **headers: str) -> Respond:
    """A complete answer of JSON, or what the headers say."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content_Type": "application/json", "Content_Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def raw(data: bytes) -> Respond:
    """These bytes instead of HTTP, and then the end of the connection."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(data)

    return respond


def trickle(start: bytes, drop: bytes, pause: float = 0.02) -> Respond:
    """The start at once, and then drop after drop for ever."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(start)
        while not threading.Event().wait(pause):
            handler.wfile.write(drop)

    return respond


def start(respond: Respond, certificate: Path | None, clients: str = "", port: int = 0) -> ThreadingHTTPServer:
    """Serves on this port, or on a free one.

    `clients` is the authority, in PEM form, whose clients may show a certificate.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            respond(self)

        def do_POST(self) -> None:
            respond(self)

        def do_PUT(self) -> None:
            respond(self)

        def do_DELETE(self) -> None:
            respond(self)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def get_request(self) -> tuple[object, object]:
            sock, address = super().get_request()
            if certificate is None:
                return sock, address
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            if clients:
                context.load_verify_locations(cadata=clients)
                context.verify_mode = ssl.CERT_OPTIONAL
            return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, *args: object) -> None:
            """A client that refuses the certificate is no error of the server."""

    httpd = Quiet(("127.0.0.1", port), Handler)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return httpd


@dataclass
class Authority:
    """A certificate authority, and the server certificates that it issues."""

    directory: Path
    name: str = "A test authority"

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self.name, self.key, (timedelta(days=-2), timedelta(days=2)), [], ca=True)
        self.pem = self.certificate.public_bytes(Encoding.PEM).decode()

    def issue(self, *names: str, days: tuple[int, int] = (-1, 1)) -> Path:
        """A file with the key and a certificate for these names, valid for these days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        valid = timedelta(days=days[0]), timedelta(days=days[1])
        certificate = self._sign("A test server", key, valid, [_general_name(name) for name in names], ca=False)
        path = self.directory / f"{self.name}-{len(list(self.directory.iterdir()))}.pem"
        pem_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(pem_key + certificate.public_bytes(Encoding.PEM))
        return path

    def _sign(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        valid: tuple[timedelta, timedelta],
        names: list[x509.GeneralName],
        *,
        ca: bool,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + valid[0])
            .not_valid_after(now + valid[1])
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
