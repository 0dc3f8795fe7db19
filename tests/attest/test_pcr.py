"""Registers: lengths, extends against hashlib, differences, measured-launch state."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.attest.pcr import (
    Bank,
    Launch,
    PcrError,
    bank_of,
    diff,
    extend,
    is_blank,
    launch_state,
    parse_index,
    parse_value,
    replay,
)


@pytest.mark.parametrize("bank", list(Bank))
def test_an_extend_is_the_hash_of_value_and_digest(bank: Bank) -> None:
    digest = b"\x01" * bank.size
    expected = hashlib.new(bank.value, bytes(bank.size) + digest).digest()
    assert extend(bank, bytes(bank.size), digest) == expected
    assert replay(bank, [digest]) == expected
    assert bank_of(expected) is bank


def test_replay_starts_where_it_is_told() -> None:
    start = bytes(19) + b"\x03"
    assert replay(Bank.SHA1, [], start) == start
    assert replay(Bank.SHA1, [b"a" * 20], start) == hashlib.sha1(start + b"a" * 20, usedforsecurity=False).digest()


@pytest.mark.parametrize("text", ["24", "-1", "1.0", "x", "", "١", "007", 24, -1, True, None, 1.0])
def test_an_index_that_no_tpm_has_is_refused(text: object) -> None:
    with pytest.raises(PcrError):
        parse_index(text)


@pytest.mark.parametrize("text", ["zz", "0", "00 00", "00" * 19, "00" * 65, "0x" + "00" * 19])
def test_a_value_of_another_form_or_length_is_refused(text: str) -> None:
    with pytest.raises(PcrError):
        parse_value(text, Bank.SHA1)


@given(st.binary(min_size=20, max_size=20))
def test_hex_in_either_case_is_the_same_value(raw: bytes) -> None:
    assert parse_value(raw.hex(), Bank.SHA1) == parse_value(raw.hex().upper()) == raw


def test_a_difference_names_the_first_differing_byte() -> None:
    golden, actual = bytes(20), bytes(5) + b"\x01" + bytes(14)
    (difference,) = diff({4: golden, 7: golden}, {4: actual, 7: golden})
    assert (difference.index, difference.first_byte) == (4, 5)


def test_a_missing_register_is_a_difference() -> None:
    (difference,) = diff({4: bytes(20)}, {})
    assert difference.actual is None


def test_measured_launch_state() -> None:
    ff, zero = b"\xff" * 20, bytes(20)
    assert launch_state(dict.fromkeys(range(17, 23), ff)) is Launch.NOT_LAUNCHED
    assert launch_state({**dict.fromkeys(range(17, 23), zero), 17: b"a" * 20}) is Launch.LAUNCHED
    assert launch_state(dict.fromkeys(range(17, 22), ff)) is Launch.UNKNOWN
    assert launch_state({}) is Launch.UNKNOWN


def test_blank_values() -> None:
    assert is_blank(bytes(20))
    assert is_blank(b"\xff" * 20)
    assert not is_blank(bytes(19) + b"\x01")
