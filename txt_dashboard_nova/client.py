"""One POST to PollHosts, with a deadline that nothing outlasts. The standard library alone."""

import json
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from ipaddress import ip_address
from urllib.parse import urlsplit

_BYTES = 64 * 1024  # of an answer,
_BYTES_PER_HOST = 1024  # and for each host more
_CHUNK = 64 * 1024
_AGAIN = 0.02  # seconds
_OK = frozenset({200, 201, 202})


class Unanswered(Exception):
    """No usable answer; the sentence says why."""


class Misconfigured(ValueError):
    """The options can't be used; the sentence says why."""


@dataclass(frozen=True)
class Client:
    """Where PollHosts is, and how to reach it; raises `Misconfigured`.

    Without TLS only on this machine: whoever can speak in the server's place decides what is trusted.
    """

    url: str
    seconds: float  # from connecting to the last byte
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    auth_blob: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            valid = bool(parts.hostname) and not (parts.username or parts.query or parts.fragment)
            _ = parts.port
        except ValueError:
            valid = False
        if not valid or parts.scheme not in ("https", "http"):
            raise Misconfigured("poll_url must look like https://name:port/path/PollHosts")
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            raise Misconfigured("poll_url must begin with https://")
        if not (self.auth_blob.isascii() and self.auth_blob.isprintable()):
            raise Misconfigured("auth_blob holds characters that no header can carry")
        object.__setattr__(self, "_tls", self._context() if parts.scheme == "https" else None)

    def poll(self, hosts: Sequence[str]) -> bytes:
        """The answer's body for these hosts; raises `Unanswered`."""
        connection = self._connection()
        late, done = threading.Event(), threading.Event()
        alarm = threading.Timer(self.seconds, _hang_up, (connection, late, done))
        alarm.daemon = True
        alarm.start()
        try:
            body = json.dumps({"count": len(hosts), "hosts": list(hosts)})
            connection.request("POST", urlsplit(self.url).path or "/", body, self._headers())
            answer = _read(connection.getresponse(), _BYTES + _BYTES_PER_HOST * len(hosts))
        except ssl.SSLCertVerificationError as error:
            raise Unanswered(f"its certificate is refused ({error.verify_message})") from None
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise Unanswered(f"no answer within {self.seconds:g} s") from None
            if isinstance(error, AttributeError):
                raise  # only a socket that is shut down under the hands of ssl has an excuse for it
            raise Unanswered(f"no answer ({type(error).__name__})") from None
        finally:
            done.set()
            alarm.cancel()
            connection.close()
        if late.is_set():
            raise Unanswered(f"no answer within {self.seconds:g} s")
        return answer

    def _headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "txt-dashboard-nova",
        }
        return headers | ({"x-auth-blob": self.auth_blob} if self.auth_blob else {})

    def _connection(self) -> HTTPConnection:
        parts = urlsplit(self.url)
        tls: ssl.SSLContext | None = self.__dict__["_tls"]
        if tls is None:
            return HTTPConnection(parts.hostname or "", parts.port, timeout=self.seconds)
        return _TlsConnection(parts.hostname or "", parts.port, timeout=self.seconds, context=tls)

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except (OSError, ValueError):
            raise Misconfigured("ca_file, cert_file or key_file can't be read, or is no PEM file") from None
        return context


class _TlsConnection(HTTPSConnection):
    """Hands the socket out before the handshake, so that the alarm reaches that, too."""

    def __init__(self, host: str, port: int | None, *, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._tls = context

    def connect(self) -> None:
        HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()


def _read(response: HTTPResponse, most: int) -> bytes:
    if response.status not in _OK:
        raise Unanswered(f"it answered {response.status}")
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise Unanswered("its answer is too large")
    if response.length:
        raise IncompleteRead(b"", response.length)
    return b"".join(chunks)


def _hang_up(connection: HTTPConnection, late: threading.Event, done: threading.Event) -> None:
    """Ends whatever the connection waits for, again and again: it may be connecting, and have no socket yet."""
    late.set()
    while not done.wait(_AGAIN):
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
