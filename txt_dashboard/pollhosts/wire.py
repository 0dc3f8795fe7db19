"""PollHosts on the wire: what is asked and what is answered. Pure.

    {"count": 2, "hosts": ["hv1", "hv2"]}
    {"hosts": [{"host_name": "hv1", "trust_lvl": "trusted", "vtime": "2026-03-01T12:00:00+00:00",
                "attested_at": "2026-03-01T11:59:30+00:00", "valid_until": "2026-03-01T12:04:30+00:00"}, …]}

Clients judge their caches by `vtime`, so it is the time of the answer and never null. The two keys after it are ours;
they are there where there is evidence.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from txt_dashboard.queries.told import Told

LARGEST = 8 * 1024 * 1024  # bytes of a question
MOST = 20_000  # names
LONGEST = 255  # characters of a name, as Nova has them


class BadQuestion(ValueError):
    """It can't be answered; the sentence says why."""


class _Question(msgspec.Struct):
    hosts: list[str] | str


class _Row(msgspec.Struct, omit_defaults=True):
    host_name: str
    trust_lvl: str
    vtime: str
    attested_at: datetime | None = None
    valid_until: datetime | None = None


class _Answer(msgspec.Struct):
    hosts: list[_Row]


_decoder = msgspec.json.Decoder(_Question)
_encoder = msgspec.json.Encoder()


def read(body: bytes) -> tuple[str, ...]:
    """The names asked for, each once; a bare text stands for one. Raises `BadQuestion`."""
    if len(body) > LARGEST:
        raise BadQuestion(f"The question has more than {LARGEST} bytes.")
    try:
        hosts = _decoder.decode(body).hosts
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadQuestion('The question is not of the form {"hosts": ["name", …]}.') from None
    names = [hosts] if isinstance(hosts, str) else hosts
    if len(names) > MOST:
        raise BadQuestion(f"More than {MOST} hosts are asked for.")
    if not all(0 < len(name) <= LONGEST for name in names):
        raise BadQuestion(f"A host's name is empty, or has more than {LONGEST} characters.")
    return tuple(dict.fromkeys(names))


def write(told: Mapping[str, Told], now: datetime) -> bytes:
    """The answer, given at `now`, which is aware."""
    vtime = now.astimezone(UTC).isoformat(timespec="seconds")
    rows = [_Row(name, each.level.value, vtime, each.attested_at, each.valid_until) for name, each in told.items()]
    return _encoder.encode(_Answer(rows))
