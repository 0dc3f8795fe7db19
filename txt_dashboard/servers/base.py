"""What every adapter promises, whatever kind of server it speaks to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Protocol

from txt_dashboard.attest.evidence import Answer, NoEvidence
from txt_dashboard.attest.material import Material
from txt_dashboard.attest.pcr import Bank

Clock = Callable[[], datetime]  # aware, UTC
Network = IPv4Network | IPv6Network


class ServerError(Exception):
    """The server could not be asked, or its answer as a whole can't be used.

    `code` is stable. The message tells an operator what is wrong and what to do; it is a clause that fits
    after a colon (no capital, no full stop), and quotes nothing of the answer's body and no credentials.
    """

    code = "server_error"


class AddressRefused(ServerError):
    """The address is no usable URL or lies outside the networks that the settings allow."""

    code = "address_refused"


class ServerUnreachable(ServerError):
    """No connection, or no complete answer before the deadline."""

    code = "unreachable"


class CertificateRefused(ServerError):
    """TLS failed: expired, another name, or signed by an authority that we were not given."""

    code = "certificate"


class AccessDenied(ServerError):
    """The server answered 401 or 403: it does not take our credentials."""

    code = "access_denied"


class AnswerUnusable(ServerError):
    """The answer as a whole is not what the contract says: HTML, too large, no JSON, another shape."""

    code = "answer_unusable"


class Refused(ServerError):
    """The server understood the request and said no; `fault` is the number that it gave, 0 for none."""

    code = "refused"

    def __init__(self, message: str, fault: int = 0) -> None:
        super().__init__(message)
        self.fault = fault


class Conflict(ServerError):
    """Something of that name is there already and says something else. It is never overwritten."""

    code = "conflict"


class NotTaken(ServerError):
    """This kind of server can't hold what it should hold; it was not asked."""

    code = "not_taken"


@dataclass(frozen=True, slots=True)
class Agents:
    """How the agents on hosts are asked, where a kind of server leaves that to us.

    Where an agent is says the agent itself, so it is asked only inside of these networks and ports.
    """

    registrar: str = ""  # the URL of what knows their keys; empty: none is asked
    networks: tuple[Network, ...] = ()
    ports: range = range(0)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a server. Immutable: a change makes a new adapter."""

    name: str  # what findings call the server
    url: str
    networks: tuple[Network, ...]  # where it may be
    ca_pem: str = ""  # trust these authorities instead of the system's
    auth_blob: str = ""
    client_pem: Path | None = None  # the file with the certificate that we show, and its key
    agents: Agents = Agents()
    connect_timeout: float = 5.0  # seconds
    deadline: float = 90.0  # seconds for one request, from its start to its last byte, with all repetitions
    byte_limit: int = 32 * 1024 * 1024  # of one answer's body

    def __repr__(self) -> str:
        return f"Connection({self.name!r}, {self.url!r})"  # never the blob


@dataclass(frozen=True, slots=True)
class Batch:
    """Answers for all hosts that were asked for, each exactly once, and when they were asked."""

    answers: Mapping[str, Answer]
    requested_at: datetime
    received_at: datetime
    remarks: tuple[str, ...] = ()  # what in the answer was ignored, and why; shown with the server


class AttestationServer(Protocol):
    """One attestation server, of whatever kind."""

    def attest(self, hosts: Sequence[str]) -> Batch:
        """Asks for these hosts; raises `ServerError` only where no host got an answer."""
        ...

    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts that the server knows; raises `ServerError`."""
        ...

    def test(self) -> str:
        """One cheap authenticated request; a sentence on what answered; raises `ServerError`."""
        ...

    def close(self) -> None:
        """Closes its connections."""
        ...


Selection = Mapping[Bank, frozenset[int]]  # the registers that a quote must show, by bank


@dataclass(frozen=True, slots=True)
class QuoteBatch:
    """What the TPM of each host asked for answered, once each, and when they were asked; nothing is verified."""

    answers: Mapping[str, Material | NoEvidence]
    requested_at: datetime
    received_at: datetime
    remarks: tuple[str, ...] = ()


class QuoteServer(Protocol):
    """A server that passes on what TPMs sign: a capability beside `AttestationServer`, which most servers lack.

    `adds` are registers that such quotes show whether or not they were asked for.
    """

    adds: frozenset[int]

    def quote(self, hosts: Mapping[str, str], nonce: bytes, selection: Selection) -> QuoteBatch:
        """Lets these hosts quote the registers with our nonce; raises `ServerError` only where none got an answer.

        `hosts` are their names, and how the server itself calls each of them. The nonce is printable ASCII.
        """
        ...

    def offers_quotes(self) -> bool:
        """Whether the server knows such requests at all; raises `ServerError` where it does not answer."""
        ...

    def event_log(self, host: str) -> bytes:
        """The event log of the host's last boot, as the host wrote it; raises `ServerError`."""
        ...

    def ima_list(self, host: str) -> bytes:
        """What the host's kernel measured since, as it listed it; raises `ServerError`."""
        ...

    def close(self) -> None:
        """Closes its connections."""
        ...
