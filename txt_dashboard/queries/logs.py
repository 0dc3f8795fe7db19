"""Event logs that are kept, unpacked and read."""

import hashlib
import zlib
from collections.abc import Iterable
from functools import lru_cache

from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import MAX_SIZE, Log, parse
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.models import EventLog, RegisterLog

CHUNK = 5000  # values in one condition


def unpack(row: EventLog) -> bytes | None:
    """The log as its host wrote it; `None` where the row does not hold what its digest names."""
    data = inflate(bytes(row.packed), row.size)
    return data if data is not None and hashlib.sha256(data).hexdigest() == row.digest else None


def inflate(packed: bytes, size: int) -> bytes | None:
    """What was packed, of this size, which bounds it; `None` where it is not that."""
    try:
        data = zlib.decompressobj().decompress(packed, min(size, MAX_SIZE) + 1)
    except zlib.error:
        return None
    return data if len(data) == size else None


def read_log(row: EventLog) -> Log | LogError | None:
    """The log, why it can't be read, or `None` where it is lost."""
    data = unpack(row)
    if data is None:
        return None
    try:
        return parse(data)
    except LogError as error:
        return error


@lru_cache(maxsize=16)
def log_of_digest(digest: str) -> Log | None:
    """A log by its digest, read once: a digest never names another one."""
    row = EventLog.objects.filter(digest=digest).first()
    log = read_log(row) if row is not None else None
    return log if isinstance(log, Log) else None


def register_key(bank: Bank, index: int, value: bytes) -> str:
    """What the log of a register's value is kept by: SHA-256 in hex."""
    return hashlib.sha256(f"{bank}\n{index}\n".encode() + value).hexdigest()


def log_of_register(bank: Bank, index: int, value: bytes) -> Log | None:
    """A log that leads to this value, where one has come: for appraisals, which replay it. One query."""
    row = RegisterLog.objects.filter(register=register_key(bank, index, value)).first()
    return _read(row) if row is not None else None


class KeptLogs:
    """The same for many values at once: those that were fetched cost no query of their own."""

    def __init__(self) -> None:
        self._rows: dict[str, RegisterLog | None] = {}

    def fetch(self, registers: Iterable[tuple[Bank, int, bytes]]) -> None:
        """Looks for the logs of these values. A query for some thousands."""
        keys = sorted({register_key(*each) for each in registers})
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            self._rows |= dict.fromkeys(some)
            self._rows |= {row.pk: row for row in RegisterLog.objects.filter(pk__in=some)}

    def __call__(self, bank: Bank, index: int, value: bytes) -> Log | None:
        """The log of one value."""
        key = register_key(bank, index, value)
        if key not in self._rows:
            self._rows[key] = RegisterLog.objects.filter(pk=key).first()
        row = self._rows[key]
        return _read(row) if row is not None else None


def _read(row: RegisterLog) -> Log | None:
    data = inflate(bytes(row.packed), row.size)
    try:
        return parse(data) if data is not None else None
    except LogError:
        return None
