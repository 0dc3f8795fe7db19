"""The highest number of the signed set that was ever seen here, in a file outside the database.

It keeps a restored backup, or whoever can write to the database, from bringing back what was retired.
"""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path


class FloorError(Exception):
    """The file can't be used; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The number and the digest of the newest set that was seen."""

    number: int = 0
    digest: str = ""


_LINE = re.compile(r"(\d{1,10}) ([0-9a-f]{64})")


def read_floor(path: Path) -> Floor:
    """What was seen; number 0 where nothing was. Raises `FloorError`: a file that can't be read proves nothing."""
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        return Floor()
    except (OSError, UnicodeDecodeError) as error:
        raise FloorError(f"{path} can't be read: {error}. Restore it from a backup.") from None
    found = _LINE.fullmatch(text)
    if found is None:
        raise FloorError(f"{path} does not hold a number and a digest. Restore it from a backup.")
    return Floor(int(found[1]), found[2])


def raise_floor(path: Path, seen: Floor) -> None:
    """Writes a higher number, never a lower one; raises `FloorError`."""
    try:
        with path.with_name(path.name + ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if seen.number <= read_floor(path).number:
                return
            new = path.with_name(path.name + ".new")
            with new.open("w") as file:
                file.write(f"{seen.number} {seen.digest}\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
    except OSError as error:
        raise FloorError(f"{path} can't be written: {error.strerror}.") from None
