"""Signed heads: how far the log went at a moment, signed, kept where the database's owner can't reach them.

A head is one line of JSON: `{"at": …, "count": …, "digest": …, "key": …, "signature": …}`. It proves every
entry up to its count, for each holds the digest of the one before.
"""

import fcntl
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

Sign = Callable[[bytes], tuple[str, bytes]]  # the signing key's id, and the signature
Verify = Callable[[str, bytes, bytes], bool]  # of a key's id, what was signed, and the signature

LONGEST_LINE = 4096  # bytes
SYSLOG = "/dev/log"
_NOTICE = 13 * 8 + 5  # RFC 5424: facility "log audit", severity "notice"


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the log went at that moment, and who says so."""

    at: datetime
    count: int
    digest: str
    key: str
    signature: bytes

    @property
    def message(self) -> bytes:
        """What is signed."""
        return _message(self.at, self.count, self.digest)

    def is_signed(self, verify: Verify) -> bool:
        """Whether a key of ours signed it."""
        return verify(self.key, self.message, self.signature)


class HeadsUnusable(Exception):
    """A file of heads is not what it should be; the message is a sentence."""


def sign_head(sign: Sign, at: datetime, count: int, digest: str) -> Head:
    """A head for this moment."""
    at = at.astimezone(UTC)
    key, signature = sign(_message(at, count, digest))
    return Head(at, count, digest, key, signature)


def read_heads(lines: Iterable[bytes], name: str) -> Iterator[Head]:
    """The heads in a file's lines, or in a syslog's. A line without a head is passed by.

    Raises `HeadsUnusable` where a head counts fewer entries than the one before: they were put in another
    order, or the log was restored from a backup.
    """
    count = 0
    for number, line in enumerate(lines, start=1):
        head = _read(line)
        if head is None:
            continue
        if head.count < count:
            raise HeadsUnusable(f"Line {number} of {name} counts {head.count} entries, one before it {count}.")
        count = head.count
        yield head


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines that are in a file now, none longer than a head can be: what workers add meanwhile is left out."""
    left = os.fstat(file.fileno()).st_size
    while left > 0 and (line := file.readline(LONGEST_LINE)):
        left -= len(line)
        yield line


@contextmanager
def alone_with(path: Path) -> Iterator[BinaryIO]:
    """The file of heads, made where it is not there, while no other worker of this machine has it.

    Raises `BlockingIOError` where another has it, `OSError` where it can't be used.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def last_head(file: BinaryIO) -> Head | None:
    """The last head in the file, whatever broken line may stand after it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 2 * LONGEST_LINE))
    heads = [head for line in file.read(2 * LONGEST_LINE).splitlines() if (head := _read(line))]
    return heads[-1] if heads else None


def append(file: BinaryIO, head: Head) -> None:
    """Writes a line, and waits until the disk has it. Raises `OSError`."""
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":  # the last writer died within its line
            file.write(b"\n")
    file.write(msgspec.json.encode(head) + b"\n")
    os.fsync(file.fileno())


def send_to_syslog(head: Head, address: str = SYSLOG) -> None:
    """Hands a head to this machine's syslog. Raises `OSError` where none listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.connect(address)
        log.send(b"<%d>txt-dashboard: %s" % (_NOTICE, msgspec.json.encode(head)))


def _message(at: datetime, count: int, digest: str) -> bytes:
    """Begins with words that nothing else begins with that the same key signs."""
    return msgspec.json.encode(("txt-dashboard activity head 1", at, count, digest))


def _read(line: bytes) -> Head | None:
    """The head in a line; a syslog puts words before it."""
    start = line.find(b"{")
    if start < 0:
        return None
    try:
        head = msgspec.json.decode(line[start:], type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return head if head.at.tzinfo else None
