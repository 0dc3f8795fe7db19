"""The HTTP client of all adapters: pinned, bounded in time and bytes, and telling what is wrong."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import SystemRandom

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder
from requests import PreparedRequest, Request, Response

from txt_dashboard.servers.address import Address, Resolver, parse_url, resolve
from txt_dashboard.servers.base import (
    AccessDenied,
    AnswerUnusable,
    Connection,
    Refused,
    ServerUnreachable,
)
from txt_dashboard.servers.deadline import Deadline
from txt_dashboard.servers.line import Limits, Line, tls_context

ATTEMPTS = 3
BACKOFF = 0.5  # seconds: upper bound of the first pause; each further one may be twice as long
_LONGEST_CREDENTIALS = 4096
_jitter = SystemRandom().random
_FAULTS_OF_THE_MOMENT = frozenset({502, 503, 504})
_FAULT_BYTES = 16 * 1024
_LONGEST_FAULT = 5  # digits
# OpenAttestation 2.x has resources that answer text only, and none to whoever takes JSON only (406).
_JSON_OR_TEXT = "application/json, text/plain;q=0.9"


class _Fault(Struct):
    """How OpenAttestation says no; its sentence is the server's text, so it is not passed on."""

    error_code: int | str


_FAULT = Decoder(_Fault)


class Client:
    """Asks one server. Any number of threads may use it at once; each gets a connection of its own.

    The host's name is resolved once, with the first request; that alone takes the time that the system's
    resolver takes. `tls` stands in the place of what the connection says of it. Raises `AddressRefused`,
    `CertificateRefused` or `AccessDenied` where the connection's own data are unusable.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver = socket.getaddrinfo,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = _jitter,
    ) -> None:
        self.url = parse_url(connection.url)
        self._connection = connection
        self._tls = tls or tls_context(connection.ca_pem, connection.client_pem)
        self._headers = _headers(connection.auth_blob)
        self._resolver = resolver
        self._sleep = sleep
        self._random = random
        self._lock = threading.Lock()
        self._idle: list[Line] = []
        self._addresses: tuple[Address, ...] = ()

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        deadline: Deadline | None = None,
        byte_limit: int | None = None,
    ) -> bytes:
        """The body that GET answers, which claims to be JSON; raises `ServerError`.

        `deadline` and `byte_limit` can only shorten those of the connection.
        """
        request = Request("GET", self.url.root + path, params=params, headers=self._headers)
        return self._ask(request, deadline, byte_limit)

    def beginning(
        self, path: str, params: Mapping[str, str] | None = None, *, deadline: Deadline | None = None, length: int
    ) -> bytes:
        """The same as `get`, but where the body is longer only so many bytes of it, and the rest is never read."""
        request = Request("GET", self.url.root + path, params=params, headers=self._headers)
        return self._ask(request, deadline, length, cut=True)

    def post(self, path: str, body: bytes, *, byte_limit: int | None = None) -> bytes:
        """The body that POST of this JSON answers, which claims to be JSON; raises `ServerError`.

        It may be sent more than once: attesting twice does no harm.
        """
        headers = {**self._headers, "Content-Type": "application/json"}
        return self._ask(Request("POST", self.url.root + path, data=body, headers=headers), None, byte_limit)

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: bytes = b"",
        deadline: Deadline | None = None,
        byte_limit: int | None = None,
    ) -> bytes:
        """The body of the answer, JSON or plain text; raises `ServerError`, `Refused` where it names a fault.

        It may be sent more than once, so whoever changes something by it looks afterwards at what became of it.
        """
        headers = {**self._headers, "Accept": _JSON_OR_TEXT}
        if body:
            headers["Content-Type"] = "application/json"
        request = Request(method, self.url.root + path, params=params, data=body or None, headers=headers)
        return self._ask(request, deadline, byte_limit, _FAULT_BYTES)

    def deadline(self) -> Deadline:
        """The deadline of one request that begins now."""
        return Deadline.after(self._connection.deadline)

    def close(self) -> None:
        """Closes all idle connections."""
        with self._lock:
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()

    def _ask(
        self,
        request: Request,
        deadline: Deadline | None,
        byte_limit: int | None,
        fault_limit: int = 0,
        *,
        cut: bool = False,
    ) -> bytes:
        """Asks until an answer comes, an error that time won't heal, the last attempt or the deadline."""
        own = self.deadline() if deadline is None else deadline.within(self._connection.deadline)
        most = min(self._connection.byte_limit, byte_limit or self._connection.byte_limit)
        limits = Limits(most, fault_limit, cut=cut)
        prepared = request.prepare()
        for attempt in range(ATTEMPTS - 1):
            try:
                return self._attempt(prepared, own, limits)
            except ServerUnreachable:
                # Full jitter, so that workers which failed together don't come back together.
                pause = self._random() * BACKOFF * 2**attempt
                if time.monotonic() + pause >= own.at:
                    raise
            self._sleep(pause)
        return self._attempt(prepared, own, limits)

    def _attempt(self, request: PreparedRequest, deadline: Deadline, limits: Limits) -> bytes:
        with self._line() as line:
            response, body = line.exchange(request, deadline, limits)
        _check_status(response.status_code, body)
        _check_html(response, body)
        return body

    @contextmanager
    def _line(self) -> Iterator[Line]:
        with self._lock:
            if not self._addresses:
                self._addresses = resolve(self.url, self._connection.networks, self._resolver)
            line = self._idle.pop() if self._idle else None
        if line is None:
            line = Line(self.url, self._addresses, self._connection.connect_timeout, self._tls)
        try:
            yield line
        finally:
            with self._lock:
                self._idle.append(line)


def _headers(auth_blob: str) -> dict[str, str]:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "txt-dashboard"}
    if not auth_blob:
        return headers
    if len(auth_blob) > _LONGEST_CREDENTIALS or not (auth_blob.isascii() and auth_blob.isprintable()):
        raise AccessDenied("the credentials hold characters that no header can carry, or are too long")
    return {**headers, "x-auth-blob": auth_blob.strip()}


def _check_status(status: int, body: bytes) -> None:
    if 200 <= status < 300:
        return
    if status in _FAULTS_OF_THE_MOMENT:
        raise ServerUnreachable(f"the server, or a proxy before it, answered {status}: is it starting or overloaded?")
    if status in (401, 403):
        raise AccessDenied(f"the server answered {status}: it does not take our credentials")
    if 300 <= status < 400:
        raise AnswerUnusable(
            f"the server answered with a redirect ({status}), which we do not follow: enter its target"
        )
    if fault := _fault(body):
        raise Refused(f"the server refused it with its error {fault}: look into its log", fault)
    if status == 404:
        raise AnswerUnusable("the server answered 404, not found: is the path right, and the kind of server?")
    if status >= 500:
        raise AnswerUnusable(f"the server failed ({status}): look into its log")
    raise AnswerUnusable(f"the server refused the request ({status}): is it of the kind that was chosen?")


def _fault(body: bytes) -> int:
    """The number of the fault that the body tells, 0 where it tells none."""
    try:
        code = str(_FAULT.decode(body).error_code)
    except (MsgspecError, RecursionError, UnicodeDecodeError):
        return 0
    return int(code) if code.isascii() and code.isdigit() and len(code) <= _LONGEST_FAULT else 0


def _check_html(response: Response, body: bytes) -> None:
    claims_html = "html" in response.headers.get("Content-Type", "").lower()
    if claims_html or body.lstrip()[:1] == b"<":
        raise AnswerUnusable("the server answered HTML, not JSON: is the path right?")
