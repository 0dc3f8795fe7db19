"""Event logs that are kept, unpacked and read. What they say explains; nothing follows from it."""

import hashlib
import zlib
from functools import lru_cache

from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import MAX_SIZE, Log, parse
from txt_dashboard.models import EventLog


def unpack(row: EventLog) -> bytes | None:
    """The log as its host wrote it; `None` where the row does not hold what its digest names."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(bytes(row.packed), min(row.size, MAX_SIZE) + 1)
    except zlib.error:
        return None
    return data if hashlib.sha256(data).hexdigest() == row.digest else None


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
