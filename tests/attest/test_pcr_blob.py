"""Register values in tpm2-tools' form: read whole or not at all, whatever a host sends."""

import contextlib
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.keylime_world import blob
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.pcr_blob import parse_pcr_blob
from txt_dashboard.attest.tpm_reader import FormatError

VALUES = {index: hashlib.sha256(bytes([index])).digest() for index in (*range(8), 16, 17, 23)}
GOOD = blob(VALUES)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 11])
def test_values_are_read_by_bank_and_index(count: int) -> None:
    some = dict(list(VALUES.items())[:count])
    assert parse_pcr_blob(blob(some)) == {Bank.SHA256: some}


@pytest.mark.parametrize("size", [0, 1, 3, 4, 131, 135, 136, len(GOOD) - 1])
def test_what_ends_early_is_refused(size: int) -> None:
    with pytest.raises(FormatError):
        parse_pcr_blob(GOOD[:size])


@pytest.mark.parametrize(
    ("at", "written", "why"),
    [
        (0, struct.pack("<I", 17), "at most 16"),
        (0, b"\xff" * 4, "at most 16"),
        (0, struct.pack("<I", 0), "11 values for 0 registers"),
        (4, b"\x05\x00", "no bank"),
        (6, b"\x05", "no bank"),
        (6, b"\x04\x00\x00\x00\x01", "beyond 23"),
        (7, b"\x00", "11 values for 3 registers"),
        (132, struct.pack("<I", 49), "at most 48"),
        (136, struct.pack("<I", 9), "at most 8"),
        (136, struct.pack("<I", 7), "10 values for 11"),
        (140, struct.pack("<H", 65), "longer than any"),
        (140, struct.pack("<H", 20), "none of sha256"),
        (0, struct.pack("<I", 2) + GOOD[4:12] * 2, "11 values for 22"),
    ],
)
def test_what_contradicts_itself_is_refused(at: int, written: bytes, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        parse_pcr_blob(GOOD[:at] + written + GOOD[at + len(written) :])


def test_a_register_named_twice_is_refused() -> None:
    one = blob({0: VALUES[0]})
    twice = struct.pack("<I", 2) + one[4:12] * 2 + one[20:132] + struct.pack("<II", 1, 2) + one[140:206] * 2
    with pytest.raises(FormatError, match="named twice"):
        parse_pcr_blob(twice + bytes(6 * 66))


def test_nothing_may_follow() -> None:
    with pytest.raises(FormatError, match="follow"):
        parse_pcr_blob(GOOD + b"\0")


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_changed_byte_breaks_the_reader(at: int, change: int) -> None:
    data = bytearray(GOOD)
    data[at] ^= change
    with contextlib.suppress(FormatError):
        parse_pcr_blob(bytes(data))
