"""What the kernel of a simulated host measured into register 10: an IMA list in binary form, template ima-ng.

Source: Linux, Documentation/security/IMA-templates.rst; security/integrity/ima/ima_queue.c: a file that was open for
writing while it was measured is logged with a digest of zeros, and ff is extended.
"""

import hashlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.simulator import structures

REGISTER = 10
VIOLATED = 5  # the number of the one file that is open for writing when it is measured
_TEMPLATE = b"ima-ng"


class Measured(NamedTuple):
    """One entry: what its digest is of, and whether the file could be measured at all."""

    data: bytes
    violated: bool = False

    def extended(self, bank: Bank) -> bytes:
        """What register 10 is extended with."""
        return b"\xff" * bank.size if self.violated else _hash(bank, self.data)


def aggregate(values: Values) -> Measured:
    """The first entry: the SHA-1 registers 0 to 7, hashed."""
    digest = _hash(Bank.SHA1, b"".join(values[index] for index in range(8)))
    return Measured(structures.ima_ng("sha1", digest, "boot_aggregate"))


def file(number: int, seed: int) -> Measured:
    """The n-th file that is measured, the same on every host."""
    path = f"/usr/lib/measured-{number}"
    if number == VIOLATED:
        return Measured(structures.ima_ng("sha256", bytes(32), "/var/log/measured.log"), violated=True)
    return Measured(structures.ima_ng("sha256", _hash(Bank.SHA256, f"{seed}\n{path}\n".encode()), path))


def ima_list(values: Values, count: int, seed: int) -> bytes:
    """The list after `count` files; `values` are the SHA-1 registers."""
    return b"".join(map(_record, _entries(values, count, seed)))


def _entries(values: Values, count: int, seed: int) -> Iterator[Measured]:
    yield aggregate(values)
    for number in range(count):
        yield file(number, seed)


def _record(entry: Measured) -> bytes:
    digest = bytes(Bank.SHA1.size) if entry.violated else _hash(Bank.SHA1, entry.data)
    head = struct.pack("<I", REGISTER) + digest + struct.pack("<I", len(_TEMPLATE)) + _TEMPLATE
    return head + struct.pack("<I", len(entry.data)) + entry.data


def _hash(bank: Bank, data: bytes) -> bytes:
    return hashlib.new(bank, data, usedforsecurity=bank is not Bank.SHA1).digest()
