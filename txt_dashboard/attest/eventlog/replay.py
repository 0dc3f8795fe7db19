"""Replaying a log: which register values its digests lead to, and whether a TPM's values agree.

Source: TPM 2.0 Library part 1, section 17.2 (extend); TCG PC Client Platform Firmware Profile 1.06,
section 10.4.5.3 (the first value of register 0).
"""

import hashlib
from collections.abc import Callable
from enum import StrEnum
from functools import partial

from txt_dashboard.attest.eventlog.log import Log
from txt_dashboard.attest.pcr import Bank, Values, is_blank

_HASHES: dict[Bank, Callable[[bytes], "hashlib._Hash"]] = {
    Bank.SHA1: partial(hashlib.sha1, usedforsecurity=False),
    Bank.SHA256: hashlib.sha256,
    Bank.SHA384: hashlib.sha384,
    Bank.SHA512: hashlib.sha512,
}


class Standing(StrEnum):
    """What a log has to say about a register's value."""

    EXPLAINED = "explained"  # its events lead to exactly this value
    UNEXPLAINED = "unexplained"  # it has no events of this register in this bank, or not all their digests
    CONTRADICTED = "contradicted"  # its events lead to another value


def replay(log: Log, bank: Bank) -> dict[int, bytes]:
    """The value of every register that the log extends in this bank, by index.

    Left out are registers with an event that has no digest in this bank: what the TPM then extended is not known.
    """
    new = _HASHES[bank]
    values = {}
    for register, events in log.extended.items():
        value = start_value(log, bank, register)
        try:
            for event in events:
                value = new(value + event.digests[bank]).digest()
        except KeyError:
            continue
        values[register] = value
    return values


def replay_register(log: Log, bank: Bank, register: int) -> bytes | None:
    """The value of one register; `None` where the log does not lead to any."""
    new, events = _HASHES[bank], log.extended.get(register, ())
    value = start_value(log, bank, register)
    for event in events:
        if bank not in event.digests:
            return None
        value = new(value + event.digests[bank]).digest()
    return value if events else None


def start_value(log: Log, bank: Bank, register: int) -> bytes:
    """What the register holds before its first event: zeros, but the startup locality in register 0."""
    locality = log.startup_locality if register == 0 else 0
    return bytes(bank.size - 1) + bytes([locality])


def judge(log: Log, bank: Bank, values: Values) -> dict[int, Standing]:
    """How each of a TPM's registers of one bank stands with the log; `values` should be verified."""
    replayed = replay(log, bank)
    return {
        index: _standing(value, replayed.get(index), mentioned=index in log.extended)
        for index, value in sorted(values.items())
    }


def _standing(value: bytes, replayed: bytes | None, *, mentioned: bool) -> Standing:
    if replayed is not None:
        return Standing.EXPLAINED if replayed == value else Standing.CONTRADICTED
    return Standing.EXPLAINED if is_blank(value) and not mentioned else Standing.UNEXPLAINED
