"""Bytes from a TPM: right layouts are read, all others refused with the place, whatever they hold."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.attest.forge import ECDSA, NULL, RSASSA, Forge, bitmap, tpm2b
from txt_dashboard.attest import tpm_types
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.tpm12_types import parse_tpm12_composite, parse_tpm12_quote_info
from txt_dashboard.attest.tpm_public import Attribute, EccPoint, RsaNumbers, parse_tpm2b_public
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import Counters, Selection, parse_attest, parse_signature

PARSERS = [parse_attest, parse_signature, parse_tpm2b_public, parse_tpm12_quote_info, parse_tpm12_composite]
COMPOSITE = b"\x00\x03" + bitmap((0, 17)) + struct.pack(">I", 40) + bytes(40)


def test_a_quote_is_read_field_by_field() -> None:
    forge = Forge.rsa().but(selection={"sha384": (1, 23), "sha1": (0,)}, safe=0, counters=(7, 3, 99))
    attest = parse_attest(forge.message)
    assert (attest.magic, attest.kind, attest.nonce) == (0xFF544347, 0x8018, forge.nonce)
    assert attest.counters == Counters(reset_count=7, restart_count=3, clock=99)
    assert (attest.safe, attest.firmware_version, attest.trailing) == (False, 0x20191023, 0)
    assert attest.quoted is not None
    assert attest.quoted.selections == (Selection(Bank.SHA384, (1, 23)), Selection(Bank.SHA1, (0,)))
    assert attest.quoted.digest == forge.pcr_digest


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"nonce": bytes(67)}, "extraData"),
        ({"safe": 2}, "safe"),
        ({"digest": bytes(65)}, "pcrDigest"),
    ],
)
def test_a_field_beyond_its_limit_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(FormatError, match=sentence):
        parse_attest(Forge.rsa().but(**changes).message)


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (struct.pack(">I", 17), "17 banks"),
        (struct.pack(">IHB", 1, 0x12, 3) + bytes(3), "0x0012"),
        (struct.pack(">IHB", 1, 0x0B, 0), "bitmap of 0 bytes"),
        (struct.pack(">IHB", 1, 0x0B, 5) + bytes(5), "bitmap of 5 bytes"),
        (struct.pack(">IHB", 1, 0x0B, 4) + b"\x00\x00\x00\x01", "above 23"),
        (struct.pack(">I", 0xFFFFFFFF), "4294967295 banks"),
    ],
)
def test_a_selection_that_no_tpm_makes_is_refused(selection: bytes, sentence: str) -> None:
    head = Forge.rsa().but(selection={}).message[: -4 - 34]
    with pytest.raises(FormatError, match=sentence) as refusal:
        parse_attest(head + selection + tpm2b(bytes(32)))
    assert refusal.value.offset is not None
    assert refusal.value.offset >= len(head)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">H", NULL),
        struct.pack(">HH", 0x99, 0x0B) + tpm2b(bytes(256)),
        struct.pack(">HH", RSASSA, 0x12) + tpm2b(bytes(256)),
        struct.pack(">HH", RSASSA, 0x0B) + tpm2b(bytes(513)),
        struct.pack(">HH", ECDSA, 0x0B) + tpm2b(bytes(49)) + tpm2b(bytes(32)),
        struct.pack(">HH", ECDSA, 0x0B) + tpm2b(bytes(32)),
    ],
)
def test_a_signature_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_signature(data)


def test_a_public_area_is_read_with_its_attributes() -> None:
    rsa, ecc = parse_tpm2b_public(Forge.rsa().area), parse_tpm2b_public(Forge.p256().area)
    assert rsa.attributes & (Attribute.RESTRICTED | Attribute.SIGN)
    assert isinstance(rsa.public, RsaNumbers)
    assert rsa.public.exponent == 65537
    assert isinstance(ecc.public, EccPoint)
    assert str(ecc.scheme) == "ECDSA with sha256"


def test_a_key_for_encryption_is_read_too_so_that_its_attributes_can_refuse_it() -> None:
    symmetric = struct.pack(">HHH", 0x06, 128, 0x43)
    head = struct.pack(">HHI", 1, 0x0B, 0x000300B2) + tpm2b(bytes(32)) + symmetric + struct.pack(">H", NULL)
    area = parse_tpm2b_public(tpm2b(head + struct.pack(">HI", 2048, 0) + tpm2b(b"\xff" * 256)))
    assert area.scheme is None
    assert area.attributes & Attribute.DECRYPT


def test_a_public_area_of_another_size_than_it_says_is_refused() -> None:
    area = Forge.rsa().area
    for wrong in (len(area) - 3, len(area) - 1, 0, 0xFFFF):
        with pytest.raises(FormatError, match="claims") as refusal:
            parse_tpm2b_public(struct.pack(">H", wrong) + area[2:])
        assert refusal.value.offset == 0


def test_a_modulus_of_another_length_than_its_key_is_refused() -> None:
    area = Forge.rsa().area
    bits = area.index(struct.pack(">HI", 2048, 0))
    with pytest.raises(FormatError, match="2048 bits for a key of 3072"):
        parse_tpm2b_public(area[:bits] + struct.pack(">H", 3072) + area[bits + 2 :])


def test_a_composite_is_read() -> None:
    assert parse_tpm12_composite(COMPOSITE) == {0: bytes(20), 17: bytes(20)}


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x01\x00\x00QUOT" + bytes(41),
        b"\x01\x01\x00\x00QUOT" + bytes(39),
        b"\x01\x02\x00\x00QUOT" + bytes(40),
        b"\x00\x36QUT2" + bytes(42),
    ],
)
def test_only_the_48_bytes_of_a_tpm12_quote_are_read(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_tpm12_quote_info(data)


@pytest.mark.parametrize("size", [0, 20, 39, 41, 0xFFFFFFFF])
def test_a_composite_whose_values_don_t_fill_its_bitmap_is_refused(size: int) -> None:
    with pytest.raises(FormatError):
        parse_tpm12_composite(b"\x00\x03" + bitmap((0, 17)) + struct.pack(">I", size) + bytes(40))


WHOLE = {
    "quote": (parse_attest, Forge.rsa().message),
    "RSA signature": (parse_signature, Forge.rsa().quote().signature),
    "ECDSA signature": (parse_signature, Forge.p256().quote().signature),
    "RSA key": (parse_tpm2b_public, Forge.rsa().area),
    "P-256 key": (parse_tpm2b_public, Forge.p256().area),
    "TPM 1.2 quote": (parse_tpm12_quote_info, b"\x01\x01\x00\x00QUOT" + bytes(40)),
    "composite": (parse_tpm12_composite, COMPOSITE),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_structure_cut_anywhere_is_refused_with_the_place(name: str) -> None:
    parse, data = WHOLE[name]
    parse(data)
    for size in range(len(data)):
        with pytest.raises(FormatError) as refusal:
            parse(data[:size])
        assert refusal.value.offset is not None
        assert 0 <= refusal.value.offset <= size


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "quote"])
def test_a_byte_behind_a_structure_is_refused(name: str) -> None:
    parse, data = WHOLE[name]
    with pytest.raises(FormatError):
        parse(data + b"\x00")


def test_bytes_behind_a_quote_are_counted_for_the_verification() -> None:
    assert parse_attest(Forge.rsa().message + b"abc").trailing == 3


def offset_of_refusal(parse: Callable[[bytes], object], data: bytes) -> int | None:
    """Where the bytes were refused; 0 where they were read."""
    try:
        parse(data)
    except FormatError as error:
        return error.offset
    return 0


@pytest.mark.parametrize("parse", PARSERS)
@given(data=st.binary(max_size=600))
@example(data=b"")
def test_any_bytes_are_read_or_refused_by_our_own_error(parse: Callable[[bytes], object], data: bytes) -> None:
    offset = offset_of_refusal(parse, data)
    assert offset is not None
    assert 0 <= offset <= len(data)


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_any_change_of_a_good_structure_is_read_or_refused(name: str, data: st.DataObject) -> None:
    parse, whole = WHOLE[name]
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + data.draw(st.integers(0, 6)) :]
    offset = offset_of_refusal(parse, changed)
    assert offset is not None
    assert 0 <= offset <= len(changed)


USUAL = {
    name: (parse_attest, tpm_types._attest, forge.message)
    for name, forge in {
        "sha256": Forge.rsa(),
        "sha384": Forge.rsa().but(hash="sha384"),
        "no nonce": Forge.rsa().but(nonce=b""),
        "a long nonce": Forge.rsa().but(nonce=bytes(66)),
        "two banks": Forge.rsa().but(selection={"sha256": (0, 1), "sha1": (4,)}),
        "another type": Forge.rsa().but(kind=0x8017),
        "bytes behind": Forge.rsa().but(trailing=b"\0\x02"),
    }.items()
} | {
    f"{name} signature": (parse_signature, tpm_types._signature, forge.quote().signature)
    for name, forge in {"RSA": Forge.rsa(), "PSS": Forge.rsa().but(scheme=0x16), "ECDSA": Forge.p256()}.items()
}


def outcome(parse: Callable[[bytes], object], data: bytes) -> object:
    """What was read, or the refusal."""
    try:
        return parse(data)
    except FormatError as error:
        return str(error)


@pytest.mark.parametrize("name", USUAL)
@given(data=st.data())
def test_what_is_read_at_once_is_what_is_read_field_by_field(name: str, data: st.DataObject) -> None:
    at_once, by_field, whole = USUAL[name]
    assert outcome(at_once, whole) == outcome(by_field, whole)
    at = data.draw(st.integers(0, len(whole)))
    changed = whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 4)) :]
    assert outcome(at_once, changed) == outcome(by_field, changed)


@pytest.mark.parametrize("name", USUAL)
def test_each_flipped_bit_is_read_the_same_at_once_and_field_by_field(name: str) -> None:
    at_once, by_field, whole = USUAL[name]
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        assert outcome(at_once, bytes(flipped)) == outcome(by_field, bytes(flipped))
