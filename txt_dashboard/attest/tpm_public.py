"""A TPM's own description of a key: TPM2B_PUBLIC, its attributes and its name. Parsed is not verified.

Sources: TPM 2.0 Library part 2, revision 1.38: TPM2B_PUBLIC (12.2.5), TPMT_PUBLIC (12.2.4), TPMS_RSA_PARMS
(12.2.3.5), TPMS_ECC_PARMS (12.2.3.6), TPMA_OBJECT (8.3); part 1, section 16 (names).
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.tpm_reader import HASH_ALGORITHMS, Reader
from txt_dashboard.attest.tpm_types import (
    ALG_NULL,
    COORDINATE_LIMIT,
    DIGEST_LIMIT,
    RSA_LIMIT,
    SigningScheme,
    read_scheme,
)

_TYPE_RSA = 0x0001
_TYPE_ECC = 0x0023
_DEFAULT_EXPONENT = 65537  # what an exponent of 0 stands for


class Attribute(IntFlag):
    """The TPMA_OBJECT bits that tell an attestation key from others."""

    FIXED_TPM = 1 << 1
    SENSITIVE_DATA_ORIGIN = 1 << 5
    RESTRICTED = 1 << 16
    DECRYPT = 1 << 17
    SIGN = 1 << 18


class Curve(IntEnum):
    """A curve that we verify on, by its TPM_ECC_CURVE."""

    P256 = 0x0003
    P384 = 0x0004


@dataclass(frozen=True, slots=True)
class RsaNumbers:
    """Modulus and public exponent."""

    modulus: int
    exponent: int


@dataclass(frozen=True, slots=True)
class EccPoint:
    """A point that may or may not lie on its curve."""

    curve: Curve
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class PublicArea:
    """TPMT_PUBLIC of an RSA or ECC key: its name, all 32 attribute bits, its scheme (`None` where left open)."""

    name: bytes
    attributes: int
    scheme: SigningScheme | None
    public: RsaNumbers | EccPoint


def parse_tpm2b_public(data: bytes) -> PublicArea:
    """A TPM2B_PUBLIC of an RSA or ECC key and nothing behind it; raises `FormatError`."""
    reader = Reader(data)
    size = reader.number(2, "the size of the public area")
    if size != reader.left:
        reader.refuse(f"the public area claims {size} bytes, {reader.left} follow", back=2)
    kind = reader.number(2, "the key's type")
    if kind not in (_TYPE_RSA, _TYPE_ECC):
        reader.refuse(f"the key's type is {kind:#06x}, neither RSA nor ECC", back=2)
    name_algorithm = reader.hash_algorithm("nameAlg")
    attributes = reader.number(4, "objectAttributes")
    reader.sized(DIGEST_LIMIT, "authPolicy")
    _skip_symmetric(reader)
    scheme = read_scheme(reader)
    public = _rsa(reader) if kind == _TYPE_RSA else _ecc(reader)
    reader.end("public area")
    return PublicArea(_name(name_algorithm, data[2:]), attributes, scheme, public)


def _name(algorithm: Bank, area: bytes) -> bytes:
    """NameAlg ‖ H(public area)."""
    identifier = next(number for number, bank in HASH_ALGORITHMS.items() if bank is algorithm)
    return identifier.to_bytes(2, "big") + hashlib.new(algorithm, area, usedforsecurity=True).digest()


def _skip_symmetric(reader: Reader) -> None:
    if not reader.skip(ALG_NULL):
        reader.take(6, "the symmetric algorithm, its bits and its mode")


def _rsa(reader: Reader) -> RsaNumbers:
    bits = reader.number(2, "keyBits")
    exponent = reader.number(4, "exponent") or _DEFAULT_EXPONENT
    modulus = reader.sized(RSA_LIMIT, "the modulus")
    if 8 * len(modulus) != bits:
        reader.refuse(f"a modulus of {8 * len(modulus)} bits for a key of {bits}", back=len(modulus))
    return RsaNumbers(int.from_bytes(modulus, "big"), exponent)


def _ecc(reader: Reader) -> EccPoint:
    number = reader.number(2, "curveID")
    if number not in set(Curve):
        reader.refuse(f"the curve is {number:#06x}, neither P-256 nor P-384", back=2)
    if not reader.skip(ALG_NULL):
        reader.take(4, "the derivation scheme and its hash")
    x = reader.sized(COORDINATE_LIMIT, "the point's x")
    y = reader.sized(COORDINATE_LIMIT, "the point's y")
    return EccPoint(Curve(number), int.from_bytes(x, "big"), int.from_bytes(y, "big"))
