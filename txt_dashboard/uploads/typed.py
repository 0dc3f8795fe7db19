"""Registers as people have them at hand: what `tpm2_pcrread` prints, files of /sys/class/tpm, or typed lines.

    18: 0xABC…            sha256:18=abc…           PCR-18: AB C1 …            /sys/class/tpm/tpm0/pcr-sha256/18:ABC…

A line that is a bank's name alone holds for the lines below it, as `tpm2_pcrread` prints it. Where no bank is named
the value's length tells it. Empty lines and those that begin with `#` are passed over.
"""

import re

from txt_dashboard.attest.pcr import Bank, PcrError, Registers, bank_of, parse_index, parse_value
from txt_dashboard.attest.text import shown
from txt_dashboard.uploads.reading import MOST_SENTENCES, Unusable

LARGEST = 64 * 1024  # characters
MOST_LINES = 1000
LONGEST_LINE = 400  # characters: the longest bank's digits with a space between any two bytes, and a path before them

_BANKS = "|".join(Bank)
_HEADING = re.compile(rf"(?P<bank>{_BANKS})\s*:")
_IGNORED = re.compile(r"(?:selected-)?pcrs\s*:", re.IGNORECASE)
_REGISTER = re.compile(
    rf"(?:(?:\S*/)?pcr-(?P<folder>{_BANKS})/|(?P<bank>{_BANKS})\s*:\s*|pcr[- ]?)?"
    r"(?P<index>[0-9]{1,2})\s*[:=]\s*(?:0x)?(?P<digits>[0-9a-f ]+)",
    re.IGNORECASE,
)


def read_registers(text: str) -> Registers:
    """Values by bank and register; raises `Unusable` with a sentence for each line that can't be read."""
    if len(text) > LARGEST:
        raise Unusable(f"This is longer than {LARGEST} characters.")
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise Unusable(f"These are more than {MOST_LINES} lines.")
    banks: dict[Bank, dict[int, bytes]] = {}
    errors: list[str] = []
    above: Bank | None = None
    for number, line in enumerate(map(str.strip, lines), start=1):
        heading = _HEADING.fullmatch(line.lower())
        if heading:
            above = Bank(heading["bank"])
        elif line and not line.startswith("#") and not _IGNORED.fullmatch(line):
            try:
                _read(line, above, banks)
            except PcrError as error:
                errors.append(f"Line {number}: {error}.")
    if errors:
        raise Unusable(*errors[:MOST_SENTENCES])
    if not banks:
        raise Unusable("No register is named here.")
    return banks


def _read(line: str, above: Bank | None, banks: dict[Bank, dict[int, bytes]]) -> None:
    found = _REGISTER.fullmatch(line) if len(line) <= LONGEST_LINE else None
    if found is None:
        raise PcrError(f'"{shown(line, 40)}" names no register and value, like 18: and hexadecimal digits')
    index = parse_index(found["index"])
    named = found["bank"] or found["folder"]
    bank = Bank(named.lower()) if named else above
    try:
        value = parse_value(found["digits"].replace(" ", ""), bank)
        bank = bank or bank_of(value)
    except PcrError as error:
        raise PcrError(f"register {index}: {error}") from None
    if banks.setdefault(bank, {}).setdefault(index, value) != value:
        raise PcrError(f"register {index}: another value stands above")
