"""What an entry's digest covers, and how it is written for that."""

import hashlib
from datetime import datetime

import msgspec

GENESIS = "0" * 64  # what the first entry follows

# In the order in which they are hashed; `text` is the detail as it is stored.
HASHED = ("previous", "id", "at", "actor", "verb", "target", "host", "of", "text")
Content = tuple[str, int, datetime, str, str, str, str, int | None, str]


def digest_of(content: Content) -> str:
    """SHA-256, in hex, of one JSON array of all that an entry says, in UTF-8 and without spaces.

    The array is unambiguous: strings are escaped, the detail's text is one of them, and a moment is in UTC
    with six digits of a second (2026-11-23T12:00:00.250000Z) or, where they are all zero, none. It holds the
    entry's number, so that an entry can't be moved. docs/activity.md has a second implementation.
    """
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
