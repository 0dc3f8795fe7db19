"""Reading what PollHosts answers. Pure, bounded, and in doubt not trusted.

    {"hosts": [{"host_name": "hv1", "trust_lvl": "trusted", "vtime": "2026-03-01T12:00:00+00:00",
                "valid_until": "2026-03-01T12:05:00+00:00"}]}

`vtime` is the moment of the answer. `valid_until`, which OpenAttestation's own servers don't send, is when the
evidence runs out.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

TRUSTED = "trusted"
_NOT_TRUSTED = frozenset({"untrusted", "unknown", "timeout", "pending"})


class BadAnswer(ValueError):
    """The answer as a whole can't be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one host, and for how long."""

    trusted: bool
    why: str  # not trusted; empty for a trusted host
    seconds: float | None = None  # until the evidence runs out; None: nobody said


def read(body: bytes, asked: Collection[str], now: datetime) -> Mapping[str, Verdict]:
    """A verdict for every host that was asked for; raises `BadAnswer`. `now` is aware.

    A row that can't be used costs that row; so do two rows that contradict each other.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise BadAnswer("the answer is no JSON") from None
    rows = document.get("hosts") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise BadAnswer("the answer has no list of hosts")
    wanted = frozenset(asked)
    found: dict[str, Verdict] = {}
    for row in rows:
        name = row.get("host_name") if isinstance(row, dict) else None
        if not isinstance(name, str) or name not in wanted:
            continue
        verdict = _verdict(row, now)
        known = found.setdefault(name, verdict)
        if known.trusted != verdict.trusted:
            found[name] = Verdict(trusted=False, why="the answer contradicts itself")
    left_out = Verdict(trusted=False, why="the answer left it out")
    return {name: found.get(name, left_out) for name in asked}


def _verdict(row: Mapping[str, object], now: datetime) -> Verdict:
    level = row.get("trust_lvl")
    if level != TRUSTED:
        told = level if isinstance(level, str) and level in _NOT_TRUSTED else "something else than trusted"
        return Verdict(trusted=False, why=f"the trust level is {told}")
    if "valid_until" not in row:
        return Verdict(trusted=True, why="")
    ends, answered = _moment(row["valid_until"]), _moment(row.get("vtime"))
    if ends is None:
        return Verdict(trusted=False, why="it does not say until when")
    # By our clock and by the server's: the one that leaves less time counts, so that neither can stretch it.
    left = min((ends - since).total_seconds() for since in (now, answered) if since is not None)
    if left <= 0:
        return Verdict(trusted=False, why=f"its evidence ran out at {ends.isoformat(timespec='seconds')}")
    return Verdict(trusted=True, why="", seconds=left)


def _moment(written: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
