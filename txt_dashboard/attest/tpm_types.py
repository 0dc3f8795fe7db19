"""What a TPM signs, read from bytes: bounded, big-endian, nothing guessed.

Parsed is not verified: every value here is what the sender wrote. Values are named tuples, which are made several
times faster than frozen dataclasses: a quote is verified at the speed of its signature.

Sources: TPM 2.0 Library part 2, revision 1.38: TPMS_ATTEST (10.12.8), TPMS_CLOCK_INFO (10.11.1), TPMS_QUOTE_INFO
(10.12.4), TPML_PCR_SELECTION (10.9.7), TPMT_SIGNATURE (11.3.4), TPM_ALG_ID (6.3).
"""

from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank
from txt_dashboard.attest.tpm_reader import HASH_ALGORITHMS, Reader

TPM_GENERATED = 0xFF544347
ATTEST_QUOTE = 0x8018
ALG_NULL = b"\x00\x10"

NAME_LIMIT = 66  # TPM2B_NAME: an algorithm id and the longest digest
NONCE_LIMIT = 66  # TPM2B_DATA: the size of a TPMT_HA
DIGEST_LIMIT = 64
RSA_LIMIT = 512  # bytes of a 4096-bit modulus
COORDINATE_LIMIT = 48  # bytes of a number on P-384
_SELECTION = Struct(">HB")  # hash, size of the bitmap
_SCHEME = Struct(">HH")  # algorithm, hash
_HEAD = Struct(">IH")  # magic, type
_CLOCK = Struct(">QIIBQ")  # clock, resetCount, restartCount, safe, firmwareVersion
_USUAL_SELECTION = Struct(">IHB3sH")  # one bank, its hash, the bitmap's size, the bitmap, the digest's size
_BANKS_LIMIT = 16  # TPML_PCR_SELECTION holds no more
_BITMAP_LIMIT = 4  # bytes for 32 registers, as the TSS defines it; the PC Client profile uses 3


class SigningAlgorithm(IntEnum):
    """A signing algorithm that we verify, by its TPM_ALG_ID."""

    RSASSA = 0x0014
    RSAPSS = 0x0016
    ECDSA = 0x0018


class Counters(NamedTuple):
    """How often the TPM was reset and restarted, and its clock in milliseconds.

    Keys outside the endorsement and platform hierarchies add a constant to both counts: only
    differences modulo 2^32 mean anything.
    """

    reset_count: int
    restart_count: int
    clock: int


class Selection(NamedTuple):
    """Registers chosen from one bank, ascending."""

    bank: Bank
    registers: tuple[int, ...]


class QuoteInfo(NamedTuple):
    """TPMS_QUOTE_INFO: which registers were quoted, in which order of banks, and the digest over their values."""

    selections: tuple[Selection, ...]
    digest: bytes


class Attest(NamedTuple):
    """TPMS_ATTEST as far as its layout could be read, whatever its magic and type say.

    `quoted` is `None` where the type is not a quote. `trailing` counts the bytes behind the structure.
    """

    magic: int
    kind: int
    signer: bytes
    nonce: bytes
    counters: Counters
    safe: bool
    firmware_version: int
    quoted: QuoteInfo | None
    trailing: int


class SigningScheme(NamedTuple):
    """How something is signed: the algorithm and the hash before it."""

    algorithm: SigningAlgorithm
    hash: Bank

    def __str__(self) -> str:
        return f"{self.algorithm.name} with {self.hash}"


_SIGNING_SCHEMES: dict[tuple[int, ...], SigningScheme] = {
    (algorithm.value, number): SigningScheme(algorithm, bank)
    for algorithm in SigningAlgorithm
    for number, bank in HASH_ALGORITHMS.items()
}


class Signature(NamedTuple):
    """TPMT_SIGNATURE: one value for RSA, the two numbers r and s for ECDSA (big-endian)."""

    scheme: SigningScheme
    values: tuple[bytes, ...]


def parse_attest(data: bytes) -> Attest:
    """A TPMS_ATTEST without a size before it; raises `FormatError` where its layout breaks.

    Magic, type and trailing bytes are left to the verification, so that one broken rule hides no other.
    What nearly every TPM gives, a quote of one bank with a bitmap of three bytes, is unpacked at once, for speed;
    all else is read field by field.
    """
    signer_size = int.from_bytes(data[6:8], "big")
    nonce_size = int.from_bytes(data[8 + signer_size : 10 + signer_size], "big")
    digest_size = len(data) - _USUAL_REST - signer_size - nonce_size
    if signer_size > NAME_LIMIT or nonce_size > NONCE_LIMIT or not 0 < digest_size <= DIGEST_LIMIT:
        return _attest(data)
    layout = _usual_layout(signer_size, nonce_size, digest_size)
    magic, kind, signer, nonce, clock, resets, restarts, safe, firmware, chosen, digest = layout.unpack(data)
    selections = _usual_selections(chosen, digest_size)
    if kind != ATTEST_QUOTE or safe > 1 or selections is None:
        return _attest(data)
    counters, quoted = Counters(resets, restarts, clock), QuoteInfo(selections, digest)
    return Attest(magic, kind, signer, nonce, counters, safe == 1, firmware, quoted, 0)


def parse_signature(data: bytes) -> Signature:
    """A TPMT_SIGNATURE (RSASSA, RSAPSS, ECDSA) and nothing behind it; raises `FormatError`.

    Numbers as long as their key are cut out at once, for speed; all else is read field by field.
    """
    usual = _USUAL_SIGNATURES.get(data[:6])
    if usual is None:
        return _signature(data)
    scheme, size, is_pair = usual
    end = 6 + size
    if len(data) == end and not is_pair:
        return Signature(scheme, (data[6:],))
    if len(data) == end + 2 + size and is_pair and data[end : end + 2] == data[4:6]:
        return Signature(scheme, (data[6:end], data[end + 2 :]))
    return _signature(data)


def _attest(data: bytes) -> Attest:
    reader = Reader(data)
    magic, kind = reader.numbers(_HEAD, "the magic and type")
    signer = reader.sized(NAME_LIMIT, "qualifiedSigner")
    nonce = reader.sized(NONCE_LIMIT, "extraData")
    clock, resets, restarts, safe, firmware = reader.numbers(_CLOCK, "the clock and firmware version")
    if safe > 1:
        reader.refuse(f"safe is {safe}, neither yes nor no", back=9)
    quoted = _quote_info(reader) if kind == ATTEST_QUOTE else None
    trailing = reader.left if quoted else 0
    return Attest(
        magic, kind, signer, nonce, Counters(resets, restarts, clock), safe == 1, firmware, quoted, trailing
    )


@lru_cache(maxsize=64)
def _usual_layout(signer: int, nonce: int, digest: int) -> Struct:
    return Struct(f">IH2x{signer}s2x{nonce}sQIIBQ{_USUAL_SELECTION.size}s{digest}s")


_USUAL_REST = _usual_layout(0, 0, 0).size  # bytes of a usual quote beside signer, nonce and digest


@lru_cache(maxsize=64)  # hosts of one policy all show the same selection
def _usual_selections(chosen: bytes, digest_size: int) -> tuple[Selection, ...] | None:
    count, algorithm, size, bitmap, claimed = _USUAL_SELECTION.unpack(chosen)
    bank = HASH_ALGORITHMS.get(algorithm)
    if bank is None or (count, size, claimed) != (1, 3, digest_size):
        return None
    return (Selection(bank, _indexes(int.from_bytes(bitmap, "little"))),)


def _signature(data: bytes) -> Signature:
    reader = Reader(data)
    scheme = _signing_scheme(reader)
    values: tuple[bytes, ...]
    if scheme.algorithm is SigningAlgorithm.ECDSA:
        values = reader.sized(COORDINATE_LIMIT, "signatureR"), reader.sized(COORDINATE_LIMIT, "signatureS")
    else:
        values = (reader.sized(RSA_LIMIT, "the RSA signature"),)
    reader.end("signature")
    return Signature(scheme, values)


def _usual_heads() -> dict[bytes, tuple[SigningScheme, int, bool]]:
    """Scheme, hash and size of the first number -> scheme, size, whether there are two numbers of this size.

    RSA of 2048, 3072 and 4096 bits; ECDSA on P-256 and P-384.
    """
    heads = {}
    for numbers, scheme in _SIGNING_SCHEMES.items():
        is_pair = scheme.algorithm is SigningAlgorithm.ECDSA
        for size in (32, 48) if is_pair else (256, 384, 512):
            heads[_SCHEME.pack(*numbers) + size.to_bytes(2, "big")] = scheme, size, is_pair
    return heads


_USUAL_SIGNATURES = _usual_heads()


def read_scheme(reader: Reader) -> SigningScheme | None:
    """The scheme of a key, a TPMT_SIG_SCHEME (11.2.1.5); `None` where it is left open; raises `FormatError`."""
    if reader.skip(ALG_NULL):
        return None
    return _signing_scheme(reader)


def _signing_scheme(reader: Reader) -> SigningScheme:
    numbers = reader.numbers(_SCHEME, "a signing scheme and its hash")
    scheme = _SIGNING_SCHEMES.get(numbers)
    if scheme is None:
        algorithm, bank = numbers
        reader.refuse(f"{algorithm:#06x} with {bank:#06x} is no signing scheme and hash we verify", back=_SCHEME.size)
    return scheme


def read_bitmap(reader: Reader, size: int) -> tuple[int, ...]:
    """Register indexes from `size` bytes, register i being bit i % 8 of byte i / 8; raises `FormatError`.

    The layout of TPM 2.0 (10.6.2) and of TPM 1.2 alike.
    """
    if not 1 <= size <= _BITMAP_LIMIT:
        reader.refuse(f"a register bitmap of {size} bytes, 1 to {_BITMAP_LIMIT} are allowed")
    bits = int.from_bytes(reader.take(size, "the register bitmap"), "little")
    if bits >> REGISTER_COUNT:
        reader.refuse(f"the bitmap selects a register above {REGISTER_COUNT - 1}", back=size)
    return _indexes(bits)


@lru_cache(maxsize=64)  # hosts of one policy all show the same bitmap
def _indexes(bits: int) -> tuple[int, ...]:
    return tuple([index for index in range(REGISTER_COUNT) if bits >> index & 1])


def _quote_info(reader: Reader) -> QuoteInfo:
    count = reader.number(4, "the number of banks")
    if count > _BANKS_LIMIT:
        reader.refuse(f"{count} banks are selected, {_BANKS_LIMIT} are allowed", back=4)
    selections = tuple([_selection(reader) for _ in range(count)])
    return QuoteInfo(selections, reader.sized(DIGEST_LIMIT, "pcrDigest"))


def _selection(reader: Reader) -> Selection:
    algorithm, size = reader.numbers(_SELECTION, "a selection of registers")
    bank = HASH_ALGORITHMS.get(algorithm)
    if bank is None:
        reader.refuse(f"the selected bank is {algorithm:#06x}, none that we know", back=_SELECTION.size)
    return Selection(bank, read_bitmap(reader, size))
