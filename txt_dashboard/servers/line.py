"""One connection to a server: pinned addresses, verified TLS, and a deadline that nothing outlasts."""

import socket
import ssl
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.exceptions import SSLError as PinError

from txt_dashboard.servers.address import Address, Url
from txt_dashboard.servers.base import AnswerUnusable, CertificateRefused, ServerUnreachable
from txt_dashboard.servers.deadline import Deadline

_CHUNK = 64 * 1024  # bytes
_UNTRUSTED_AUTHORITY = "is signed by an authority that was not given to us: add the certificate of that authority"
_WRONG_NAME = "is made out to another name than the one in the URL: use a name that it holds"
# The codes of OpenSSL's x509_vfy.h that operators meet.
_REFUSALS = {
    9: "is not valid yet: compare the server's clock with ours",
    10: "has expired: renew it on the server",
    18: _UNTRUSTED_AUTHORITY,
    19: _UNTRUSTED_AUTHORITY,
    20: _UNTRUSTED_AUTHORITY,
    21: _UNTRUSTED_AUTHORITY,
    62: _WRONG_NAME,
    64: _WRONG_NAME,
}


def tls_context(ca_pem: str, client_pem: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer, trusting these authorities alone, or the system's where none are given.

    Raises `CertificateRefused` for a text that holds no certificate, or a file that holds none of ours.
    """
    try:
        context = ssl.create_default_context(cadata=ca_pem or None)
    except (ssl.SSLError, ValueError, TypeError):
        raise CertificateRefused("the authorities given are no certificates in PEM form: paste them again") from None
    return _completed(context, client_pem)


class PinnedContext(ssl.SSLContext):
    """TLS with whoever shows exactly one certificate, whatever name and dates it bears; see `pinned_context`."""

    pin: str


def pinned_context(certificate_pem: str, client_pem: Path | None = None) -> PinnedContext:
    """TLS 1.2 or newer with the holder of this one certificate's key alone; raises `CertificateRefused`."""
    try:
        der = ssl.PEM_cert_to_DER_cert(certificate_pem.strip())
        context = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=der)
    except (ssl.SSLError, ValueError):
        raise CertificateRefused("the certificate that it should show is none in PEM form") from None
    context.check_hostname = False  # the pin says more than a name
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.pin = sha256(der).hexdigest()
    _completed(context, client_pem)
    return context


def _completed(context: ssl.SSLContext, client_pem: Path | None) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    if client_pem is not None:
        _show(context, client_pem)
    return context


def _show(context: ssl.SSLContext, path: Path) -> None:
    """Has the context show our own certificate. Who has its key may do all that we may, so nobody else reads it."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise CertificateRefused(f"others can read our certificate's key in {path}: chmod 600 {path}")
        context.load_cert_chain(path, password=lambda: b"")  # nobody is there to be asked for one
    except CertificateRefused:
        raise
    except ssl.SSLError:
        raise CertificateRefused(
            f"{path} holds no certificate in PEM form with the key that belongs to it, or the key has a password"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such file"
        raise CertificateRefused(f"our certificate in {path} can't be read ({reason})") from None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an answer is read, in bytes."""

    body: int
    fault: int = 0  # of the body of an error, which is empty where there is more of it
    cut: bool = False  # a longer body is cut off and not refused


class Line:
    """One kept-alive connection, for one exchange at a time.

    It uses the adapter of `requests` without its `Session`, which would take proxies and credentials
    from the environment, keep cookies and read a redirect's body without a limit.
    """

    def __init__(self, url: Url, addresses: tuple[Address, ...], connect_timeout: float, tls: ssl.SSLContext) -> None:
        self.addresses = addresses
        self.connect_timeout = connect_timeout  # seconds
        self.deadline = Deadline.after(connect_timeout)  # of the exchange under way
        pool: HTTPConnectionPool
        if url.scheme == "https":
            pin = tls.pin if isinstance(tls, PinnedContext) else None
            pool = _TlsPool(url.host, url.port, maxsize=1, ssl_context=tls, line=self, assert_fingerprint=pin)
        else:
            pool = _PlainPool(url.host, url.port, maxsize=1, line=self)
        self._adapter = _PinnedAdapter(pool)

    def exchange(self, request: PreparedRequest, deadline: Deadline, limits: Limits) -> tuple[Response, bytes]:
        """Sends the request; returns the answer, and its body where the status is a success.

        Raises `ServerUnreachable`, `CertificateRefused` or `AnswerUnusable` (too large, compressed).
        """
        self.deadline = deadline
        try:
            response = self._adapter.send(request, stream=True, timeout=(self.connect_timeout, deadline.left()))
            try:
                if 200 <= response.status_code < 300:
                    return response, _read(response, limits.body, cut=limits.cut)
                return response, _read_fault(response, limits.fault)
            finally:
                response.close()
        except (RequestException, HTTPError, TimeoutError):
            raise self._broken() from None

    def close(self) -> None:
        """Closes the connection."""
        self._adapter.close()

    def _broken(self) -> ServerUnreachable:
        try:
            self.deadline.left()
        except TimeoutError:
            return ServerUnreachable("no complete answer came before the deadline: is the server overloaded?")
        return ServerUnreachable(
            "the connection broke before the answer was complete, or the answer is no HTTP:"
            " is the port right, and is it http or https there?"
        )


def _read(response: Response, byte_limit: int, *, cut: bool = False) -> bytes:
    too_large = AnswerUnusable(f"the answer is larger than the {byte_limit} bytes allowed")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise AnswerUnusable("the answer is compressed, which we did not ask for: what answers there?")
    declared = response.headers.get("Content-Length", "")
    if not cut and declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > byte_limit):
        raise too_large
    chunks: list[bytes] = []
    left = byte_limit
    # Not raw.stream(): for chunked bodies it reads lines without a limit, http.client's own reader does not.
    while chunk := response.raw.read(min(_CHUNK, left + 1), decode_content=False):
        left -= len(chunk)
        chunks.append(chunk)
        if left < 0 and not cut:
            raise too_large
        if left < 0:
            break
    return b"".join(chunks)[:byte_limit]


def _read_fault(response: Response, limit: int) -> bytes:
    if not limit or response.status_code < 400:
        return b""
    try:
        return _read(response, limit)
    except AnswerUnusable:
        return b""  # the status alone tells enough


class _Socket(socket.socket):
    """A socket whose every read and write ends with the exchange that it serves.

    A timeout of a socket starts anew with each byte; a deadline does not, however slowly they trickle.
    """

    line: Line

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.line.deadline.left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.line.deadline.left())
        return super().sendall(*args, **kwargs)


class _TlsSocket(_Socket, ssl.SSLSocket):
    """The same under TLS."""


class _PinnedConnection(HTTPConnection):
    """Connects to the line's addresses and to nothing else; the URL's name stays what TLS verifies."""

    def __init__(self, *args: Any, line: Line, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line = line

    def connect(self) -> None:
        try:
            super().connect()
        except PinError:
            raise CertificateRefused("it shows another certificate than the one that it registered with") from None
        except ssl.SSLCertVerificationError as error:
            refusal = _REFUSALS.get(error.verify_code, f"was refused ({error.verify_message})")
            raise CertificateRefused(f"the server's certificate {refusal}") from None
        except ssl.SSLError as error:
            raise CertificateRefused(
                f"TLS failed ({error.reason or 'the connection was closed'}):"
                " does the server speak TLS 1.2 or newer on this port?"
            ) from None
        except ConnectionRefusedError:
            raise ServerUnreachable(f"nothing listens on port {self.port}, so the server seems not to run") from None
        except TimeoutError:
            raise ServerUnreachable("the connection timed out: is a firewall in between?") from None
        except OSError as error:
            raise ServerUnreachable(f"no connection ({error.strerror}): is the network up?") from None
        if isinstance(self.sock, _Socket):
            self.sock.line = self._line

    def _new_conn(self) -> socket.socket:
        failure: OSError = ConnectionRefusedError()
        for address in self._line.addresses:
            sock = _Socket(address.family, socket.SOCK_STREAM)
            try:
                # The handshake that follows counts against the same timeout, as a whole.
                sock.settimeout(min(self._line.connect_timeout, self._line.deadline.left()))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(address.sockaddr)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    """The same under TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PinnedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedTlsConnection


class _PinnedAdapter(HTTPAdapter):
    """Sends all over one pool, whatever the request's URL says."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__(max_retries=0)
        self._pool = pool

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> HTTPConnectionPool:
        return self._pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves the pool's own TLS context alone: the inherited method would add certifi's authorities to it."""

    def close(self) -> None:
        self._pool.close()
        super().close()
