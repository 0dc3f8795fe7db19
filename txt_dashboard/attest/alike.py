"""What tells hosts apart for an appraisal, made one key: hosts with equal keys are judged alike by any rules.

Left out is what every host has of its own and rules don't judge by: times, and registers that no part requires.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple


class Said(NamedTuple):
    """What one server says and shows of a host; `ever` is whether it gave evidence at all.

    `doubt` is the code of the finding that came with the evidence, `platform` and `vmm` are the measurements' keys.
    """

    server: int
    ever: bool
    verdict: str = ""
    voucher: str = ""
    doubt: str = ""
    platform: str | None = None
    vmm: str | None = None


def evidence_key(said: Iterable[Said]) -> str:
    """SHA-256 of what all servers of one host say, in hex. What a server said that takes it back counts no more."""
    lines = sorted(each if each.ever else Said(each.server, ever=False) for each in said)
    return sha256(json.dumps(lines).encode()).hexdigest()
