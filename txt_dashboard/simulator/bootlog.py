"""The event log of a simulated boot, crypto-agile, little-endian, with the banks SHA-1 and SHA-256.

Source: TCG PC Client Platform Firmware Profile 1.06, sections 10.2.2 (TCG_PCR_EVENT2) and 10.4.5.1 (Spec ID event).
"""

import struct
from collections.abc import Iterator
from functools import lru_cache

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.simulator.boot import components, own_components
from txt_dashboard.simulator.machine import BANKS, Boot, Component, Host

ALGORITHMS = {Bank.SHA1: 0x04, Bank.SHA256: 0x0B}  # TPM_ALG_ID
_NO_ACTION = 3
_SPEC_ID = b"Spec ID Event03\0"


@lru_cache(maxsize=64)
def event_log(host: Host, boot: Boot, seed: int) -> bytes:
    """All that this boot measured into registers other than IMA's; replays to what the host's TPM holds."""
    return _header() + b"".join(map(_record, measured(host, boot, seed)))


def measured(host: Host, boot: Boot, seed: int) -> Iterator[Component]:
    """The components in order, the host's own where the firmware reads its settings: before it lets a loader run."""
    own = own_components(host, seed)
    for component in components(host.hardware, boot, seed):
        if own and component.register > 0:
            yield from own
            own = ()
        yield component


def _header() -> bytes:
    sizes = b"".join(struct.pack("<HH", ALGORITHMS[bank], bank.size) for bank in BANKS)
    data = _SPEC_ID + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(BANKS)) + sizes + b"\0"
    return struct.pack("<II20sI", 0, _NO_ACTION, bytes(20), len(data)) + data


def _record(component: Component) -> bytes:
    head = struct.pack("<III", component.register, component.kind, len(BANKS))
    digests = b"".join(struct.pack("<H", ALGORITHMS[bank]) + component.digest(bank) for bank in BANKS)
    return head + digests + struct.pack("<I", len(component.data)) + component.data
