"""Registers as people paste them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.uploads.reading import MOST_SENTENCES, Unusable
from txt_dashboard.uploads.typed import LARGEST, MOST_LINES, read_registers

A, B, LONG = "ab" * 20, "CD" * 20, "ef" * 32


def refused(text: str) -> tuple[str, ...]:
    with pytest.raises(Unusable) as caught:
        read_registers(text)
    return caught.value.sentences


@pytest.mark.parametrize(
    "line",
    [
        f"18: {A}",
        f"  18 : 0x{A.upper()}",
        f"18={A}",
        f"sha1:18={A}",
        f"SHA1: 18: {A}",
        f"PCR-18: {' '.join([A[:2]] * 20)}",
        f"pcr 18: {A}",
        f"/sys/class/tpm/tpm0/pcr-sha1/18:{A.upper()}",
        f"pcr-sha1/18:{A}",
        f"sha1:\n  18: 0x{A}",
        f"# from hv1\n\n18: {A}",
        f"18: {A}\n18: {A}",
    ],
)
def test_one_register_in_each_way_of_writing(line) -> None:
    assert read_registers(line) == {Bank.SHA1: {18: bytes.fromhex(A)}}


def test_what_tpm2_pcrread_prints() -> None:
    text = f"  sha1:\n    0 : 0x{A}\n    10: 0x{B}\n  sha256:\n    0 : 0x{LONG}\n  sha384:\n"
    read = read_registers(text)
    assert {bank: sorted(values) for bank, values in read.items()} == {Bank.SHA1: [0, 10], Bank.SHA256: [0]}


def test_the_length_tells_the_bank_where_none_is_named() -> None:
    assert set(read_registers(f"0: {A}\n0: {LONG}")) == {Bank.SHA1, Bank.SHA256}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"0: {A}\n18: {A}ff", "Line 2: register 18: a value of 21 bytes"),
        (f"sha256:\n18: {A}", "Line 2: register 18: a sha256 value has 32 bytes"),
        (f"sha256:18={A}", "register 18: a sha256 value"),
        (f"24: {A}", "register 24 does not exist"),
        (f"18: {A}\n18: {B}", "Line 2: register 18: another value stands above"),
        ("18", "names no register and value"),
        (f"118: {A}", "names no register and value"),
        (f"18: {A} # tboot", "names no register and value"),
        (f"١٨: {A}", "names no register and value"),
        ("18: " + "a" * 500, "names no register and value"),
        ("", "No register"),
        ("sha1:\n", "No register"),
    ],
)
def test_what_cant_be_read_is_named_by_line_and_register(text, says) -> None:
    (sentence,) = refused(text)
    assert says in sentence


def test_length_lines_and_sentences_are_limited() -> None:
    assert "longer than" in refused("x" * (LARGEST + 1))[0]
    assert "lines" in refused("\n" * (MOST_LINES + 1))[0]
    assert len(refused("nothing\n" * 500)) == MOST_SENTENCES


@given(st.text(max_size=200) | st.text("0123456789abcdefx:= \n/pcr-shPCR", max_size=300))
def test_no_text_ends_in_anything_but_registers_or_a_refusal(text) -> None:
    with suppress(Unusable):
        read = read_registers(text)
        assert all(len(value) == bank.size for bank, values in read.items() for value in values.values())


@given(st.dictionaries(st.integers(0, 23), st.binary(min_size=32, max_size=32), min_size=1))
def test_what_is_printed_is_read_back(values) -> None:
    text = "\n".join(["  sha256:", *(f"    {at:<2}: 0x{value.hex().upper()}" for at, value in values.items())])
    assert read_registers(text) == {Bank.SHA256: values}
