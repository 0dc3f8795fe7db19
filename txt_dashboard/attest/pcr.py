"""Platform configuration registers: banks, extends, differences, measured-launch state.

Source: TCG PC Client Platform Firmware Profile 1.06, section 3.3 (use of the registers); TPM 2.0
Library part 1, section 17 (banks and extends); Intel TXT Software Development Guide, section 1.10
(registers 17 to 22 and the measured launch).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

REGISTER_COUNT = 24
DRTM_REGISTERS = range(17, 23)
# Firmware and IMA keep extending 10; software may reset 16 and 23 at will: no value there is a reference.
NEVER_REFERENCE = frozenset({10, 16, 23})


class PcrError(ValueError):
    """A register's index or value is not what its bank allows; the sentence says which."""


class Bank(StrEnum):
    """A hash algorithm that a TPM keeps registers in."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @property
    def size(self) -> int:
        """Length of one register in bytes."""
        return _SIZES[self]


_SIZES = {Bank.SHA1: 20, Bank.SHA256: 32, Bank.SHA384: 48, Bank.SHA512: 64}
_BANK_OF_SIZE = {size: bank for bank, size in _SIZES.items()}

Values = Mapping[int, bytes]  # register index -> value, all of one bank
Registers = Mapping[Bank, Values]


class Launch(StrEnum):
    """Whether a measured launch (Intel TXT, AMD SKINIT) happened since the last reset."""

    LAUNCHED = "launched"
    NOT_LAUNCHED = "not launched"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    """One register whose actual value is not the golden one; `None` means there is no value."""

    index: int
    golden: bytes | None
    actual: bytes | None

    @property
    def first_byte(self) -> int:
        """Offset of the first differing byte; 0 when one side is missing."""
        if self.golden is None or self.actual is None:
            return 0
        pairs = zip(self.golden, self.actual, strict=False)
        return next((at for at, (left, right) in enumerate(pairs) if left != right), 0)


def bank_of(value: bytes) -> Bank:
    """The bank whose registers have this length; raises `PcrError` where none has."""
    try:
        return _BANK_OF_SIZE[len(value)]
    except KeyError:
        raise PcrError(f"a value of {len(value)} bytes belongs to no bank (20, 32, 48 or 64 bytes)") from None


def parse_index(text: str | int) -> int:
    """A register index 0 to 23, from a number or plain decimal digits; raises `PcrError`."""
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise PcrError("a register index must be a number")
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise PcrError(f"{text[:20]!r} is no register index")
    index = int(text)
    if not 0 <= index < REGISTER_COUNT:
        raise PcrError(f"register {index} does not exist: a TPM has 0 to {REGISTER_COUNT - 1}")
    return index


def parse_value(text: str, bank: Bank | None = None) -> bytes:
    """A register's value from hex digits, of the bank's length where one is named; raises `PcrError`."""
    if len(text) > 2 * max(_BANK_OF_SIZE):
        raise PcrError(f"a value of {len(text)} digits is longer than any bank's")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise PcrError(f"{text[:20]!r} is not hexadecimal") from None
    if 2 * len(value) != len(text):
        raise PcrError(f"{text[:20]!r} has spaces between its digits")
    if bank is not None and len(value) != bank.size:
        raise PcrError(f"a {bank} value has {bank.size} bytes, this one has {len(value)}")
    return value


def extend(bank: Bank, value: bytes, digest: bytes) -> bytes:
    """The register's next value: H(value ‖ digest) (TPM 2.0 Library part 1, section 17.2)."""
    return hashlib.new(bank, value + digest, usedforsecurity=bank is not Bank.SHA1).digest()


def replay(bank: Bank, digests: list[bytes], start: bytes | None = None) -> bytes:
    """The value after all digests were extended in order, from zeros or from `start`."""
    value = bytes(bank.size) if start is None else start
    for digest in digests:
        value = extend(bank, value, digest)
    return value


def diff(golden: Values, actual: Values) -> tuple[Difference, ...]:
    """The registers of `golden` that `actual` does not hold with the same value, by index."""
    return tuple(
        Difference(index, value, actual.get(index))
        for index, value in sorted(golden.items())
        if actual.get(index) != value
    )


def launch_state(values: Values) -> Launch:
    """Launched, not launched (all ff in 17 to 22), or unknown where one of them is missing.

    A register that was reset and extended proves a launch; a missing one proves nothing.
    """
    known = [values[index] for index in DRTM_REGISTERS if index in values]
    if any(value.count(0xFF) != len(value) for value in known):
        return Launch.LAUNCHED
    return Launch.NOT_LAUNCHED if len(known) == len(DRTM_REGISTERS) else Launch.UNKNOWN


def is_blank(value: bytes) -> bool:
    """All 00 or all ff: what a register holds when nothing was measured into it."""
    return value.count(0) == len(value) or value.count(0xFF) == len(value)
