"""What a TPM signs, read from bytes: bounded, big-endian, nothing guessed.

Parsed is not verified: every value here is what the sender wrote. Values are named tuples, which are made several
times faster than frozen dataclasses: a quote is verified at the speed of its signature.

Sources: TPM 2.0 Library part 2, revision 1.38: TPMS_ATTEST (10.12.8), TPMS_CLOCK_INFO (10.11.1), TPMS_QUOTE_INFO
(10.12.4), TPML_PCR_SELECTION (10.9.7), TPMT_SIGNATURE (11.3.4), TPM_ALG_ID (6.3).
"""

from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import NamedTuple, NoReturn

from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank

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
_BANKS_LIMIT = 16  # TPML_PCR_SELECTION holds no more
_BITMAP_LIMIT = 4  # bytes for 32 registers, as the TSS defines it; the PC Client profile uses 3

HASH_ALGORITHMS = {0x0004: Bank.SHA1, 0x000B: Bank.SHA256, 0x000C: Bank.SHA384, 0x000D: Bank.SHA512}


class SigningAlgorithm(IntEnum):
    """A signing algorithm that we verify, by its TPM_ALG_ID."""

    RSASSA = 0x0014
    RSAPSS = 0x0016
    ECDSA = 0x0018


class FormatError(ValueError):
    """Bytes are not what they should be. `offset` is where, in bytes; `None` where no place can be named."""

    def __init__(self, sentence: str, offset: int | None = None) -> None:
        super().__init__(sentence if offset is None else f"{sentence}, at offset {offset}")
        self.offset = offset


class Reader:
    """Takes fields off the front of `data`; every length is bounded by what is left and by the field's own limit.

    Slices beyond the end come out short and are refused right after: nothing is allocated by a claimed length.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been taken."""
        return len(self._data) - self._at

    def take(self, size: int, what: str) -> bytes:
        """The next `size` bytes; raises `FormatError` where fewer are left."""
        value = self._data[self._at : self._at + size]
        if len(value) != size:
            self._refuse_short(size, what)
        self._at += size
        return value

    def number(self, size: int, what: str) -> int:
        """An unsigned number of `size` bytes; raises `FormatError`."""
        return int.from_bytes(self.take(size, what), "big")

    def numbers(self, layout: Struct, what: str) -> tuple[int, ...]:
        """Several numbers that stand side by side; raises `FormatError`."""
        start = self._at
        if start + layout.size > len(self._data):
            self._refuse_short(layout.size, what)
        self._at = start + layout.size
        return layout.unpack_from(self._data, start)

    def sized(self, limit: int, what: str) -> bytes:
        """A TPM2B: two bytes of length, then as many bytes; raises `FormatError` beyond `limit`."""
        start = self._at + 2
        size = int.from_bytes(self._data[self._at : start], "big")
        value = self._data[start : start + size]
        if size > limit or len(value) != size or start > len(self._data):
            self.refuse(f"{what} does not fit: {size} bytes claimed, {max(self.left - 2, 0)} left, {limit} allowed")
        self._at = start + size
        return value

    def skip(self, mark: bytes) -> bool:
        """Takes these bytes if they are the next ones, and says whether they were."""
        found = self._data.startswith(mark, self._at)
        self._at += len(mark) if found else 0
        return found

    def hash_algorithm(self, what: str) -> Bank:
        """A TPMI_ALG_HASH; raises `FormatError` for one we don't know."""
        number = self.number(2, what)
        bank = HASH_ALGORITHMS.get(number)
        if bank is None:
            self.refuse(f"{what} is {number:#06x}, no hash algorithm we know", back=2)
        return bank

    def refuse(self, sentence: str, back: int = 0) -> NoReturn:
        """Raises `FormatError` for the field that began `back` bytes ago."""
        raise FormatError(sentence, self._at - back)

    def end(self, what: str) -> None:
        """Raises `FormatError` where bytes follow the structure `what`."""
        if self._at != len(self._data):
            self.refuse(f"{self.left} bytes follow the {what}")

    def _refuse_short(self, size: int, what: str) -> NoReturn:
        self.refuse(f"{what} needs {size} bytes, {self.left} are left")


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
    """
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


def parse_signature(data: bytes) -> Signature:
    """A TPMT_SIGNATURE (RSASSA, RSAPSS, ECDSA) and nothing behind it; raises `FormatError`."""
    reader = Reader(data)
    scheme = _signing_scheme(reader)
    values: tuple[bytes, ...]
    if scheme.algorithm is SigningAlgorithm.ECDSA:
        values = reader.sized(COORDINATE_LIMIT, "signatureR"), reader.sized(COORDINATE_LIMIT, "signatureS")
    else:
        values = (reader.sized(RSA_LIMIT, "the RSA signature"),)
    reader.end("signature")
    return Signature(scheme, values)


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
