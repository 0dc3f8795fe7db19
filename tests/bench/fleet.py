"""The fleet of the benchmarks: what its attestation server answers, byte for byte, without a network."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha1

from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement
from txt_dashboard.servers.address import Url
from txt_dashboard.servers.base import Clock, Connection
from txt_dashboard.servers.deadline import Deadline
from txt_dashboard.servers.oat import OpenAttestation

REQUIRED = {Part.PLATFORM: (0, 2, 7), Part.VMM: (17, 18, 19)}  # by the policy
OF_KERNEL = frozenset({18, 19})
OF_HOST = frozenset({1, 10})  # serial number and IMA: no two hosts show the same
APPROVED = "approved"
VALIDITY = timedelta(minutes=10)
MOMENT = b"<moment>"

Kernel = Callable[[int], str]  # from a host's number to the kernel that it booted


def host_name(number: int) -> str:
    """The name of a host."""
    return f"compute-{number:05}.example.org"


def pool_of(number: int) -> str:
    """The pool of a host: there are ten."""
    return f"az{number % 10}"


def baselines() -> list[Baseline]:
    """One approved baseline for each part."""
    return [
        Baseline(f"approved {part}", part, Bank.SHA1, {at: bytes.fromhex(_digest(at, APPROVED)) for at in indexes})
        for part, indexes in REQUIRED.items()
    ]


def policy() -> Policy:
    """Requires both parts."""
    needs = tuple(Requirement(part, Bank.SHA1, frozenset(indexes)) for part, indexes in REQUIRED.items())
    return Policy(needs, validity=VALIDITY)


class Replay:
    """Stands in for the adapter's HTTP client: answers PollHosts of OpenAttestation 1.6 with prepared bytes."""

    url = Url("http", "127.0.0.1", 9, "")

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    def prepare(self, batches: Iterable[Sequence[int]], kernel: Kernel, moment: datetime) -> list[bytes]:
        """Makes the answers to come, one for each batch of hosts' numbers; returns them."""
        written = moment.isoformat(timespec="seconds")[:19].encode()
        self._bodies = {
            host_name(batch[0]): _body([_row(number, kernel(number)) for number in batch]).replace(MOMENT, written)
            for batch in batches
        }
        return list(self._bodies.values())

    def post(self, _path: str, body: bytes, **_limits: object) -> bytes:
        """The answer for the batch that begins with the first host asked for."""
        return self._bodies[json.loads(body)["hosts"][0]]

    def get(self, *_request: object, **_limits: object) -> bytes:
        """An empty list of hosts."""
        return b"null"

    def deadline(self) -> Deadline:
        """As the real client's."""
        return Deadline.after(90)

    def close(self) -> None:
        """Nothing is open."""


def adapter(replay: Replay, clock: Clock) -> OpenAttestation:
    """The product's own adapter on prepared bytes: all of it but HTTP."""
    connection = Connection("oat-1", "http://127.0.0.1:9", networks=())
    return OpenAttestation(connection, dialect="1.6", clock=clock, client=replay)


def _body(rows: Sequence[bytes]) -> bytes:
    return b'{"hosts":[' + b",".join(rows) + b"]}"


@lru_cache(maxsize=20_000)
def _row(number: int, kernel: str) -> bytes:
    """One host's row; hosts are asked one after another, so each has a time of its own."""
    row = {
        "host_name": host_name(number),
        "trust_lvl": "trusted" if kernel == APPROVED else "untrusted",
        "vtime": f"{MOMENT.decode()}.{number % 1000:03}+00:00",
        "report_is_valid": True,
        "analysis_details": [],
        "pcr_values": [{"number": at, "value": _value(at, number, kernel)} for at in range(REGISTER_COUNT)],
    }
    return json.dumps(row, separators=(",", ":")).encode()


def _value(index: int, number: int, kernel: str) -> str:
    if index in OF_HOST:
        return _digest(index, str(number))
    return _digest(index, kernel if index in OF_KERNEL else APPROVED)


@lru_cache(maxsize=10_000)
def _digest(index: int, of: str) -> str:
    return sha1(f"{index} {of}".encode(), usedforsecurity=False).hexdigest()
