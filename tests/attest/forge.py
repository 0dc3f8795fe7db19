"""A TPM that does what a test says: quotes of any content, really signed, by keys made in the test.

Written from the specification's layouts apart from the code under test: it shares no parser and no constant with it.
"""

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from txt_dashboard.attest.keys import AttestationKey, load_key
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, Quote
from txt_dashboard.attest.tpm_types import Signature, parse_signature

NONCE = bytes(range(20))
RSASSA, RSAPSS, ECDSA, NULL = 0x14, 0x16, 0x18, 0x10
SOUND = 0x00050072  # fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign
ALGORITHMS = {"sha1": 4, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}
HASHES = {
    "sha1": hashes.SHA1(),  # noqa: S303 - what must be refused
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


_rsa_key = cache(rsa.generate_private_key)
_ec_key = cache(lambda curve: ec.generate_private_key(curve()))


def rsa_key(bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """One key for each size: making them takes longest."""
    return _rsa_key(exponent, bits)


def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return _ec_key(curve)


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def tpm2b(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def bitmap(registers: Iterable[int], size: int = 3) -> bytes:
    return sum(1 << index for index in registers).to_bytes(size, "little")


def value(bank: str, index: int) -> bytes:
    """A register's value, different for each."""
    return hashlib.new(bank, f"{bank} {index}".encode()).digest()


def values(selection: Mapping[str, Iterable[int]]) -> dict[Bank, dict[int, bytes]]:
    return {Bank(bank): {index: value(bank, index) for index in indexes} for bank, indexes in selection.items()}


@dataclass(frozen=True)
class Forge:
    """A quote in the making; `replace` any part of it to break it."""

    private: Private
    scheme: int
    hash: str = "sha256"
    selection: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"sha256": tuple(range(8))})
    nonce: bytes = NONCE
    magic: int = 0xFF544347
    kind: int = 0x8018
    counters: tuple[int, int, int] = (5, 1, 1000)  # reset, restart, clock
    safe: int = 1
    digest: bytes | None = None
    trailing: bytes = b""
    attributes: int = SOUND

    @classmethod
    def rsa(cls, bits: int = 2048, *, registers: Iterable[int] = range(8)) -> "Forge":
        return cls(rsa_key(bits), RSASSA, selection={"sha256": tuple(registers)})

    @classmethod
    def p256(cls, *, registers: Iterable[int] = range(8)) -> "Forge":
        return cls(ec_key(), ECDSA, selection={"sha256": tuple(registers)})

    @classmethod
    def of(cls, private: bytes) -> "Forge":
        """The RSA forge of another process."""
        return cls(load_der_private_key(private, None), RSASSA)

    @property
    def private_bytes(self) -> bytes:
        return self.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def but(self, **changes: object) -> "Forge":
        return replace(self, **changes)

    @property
    def pcr_digest(self) -> bytes:
        ordered = [value(bank, index) for bank, indexes in self.selection.items() for index in sorted(indexes)]
        return hashlib.new(self.hash, b"".join(ordered)).digest()

    @property
    def message(self) -> bytes:
        reset, restart, clock = self.counters
        body = struct.pack(">I", len(self.selection)) + b"".join(
            struct.pack(">HB", ALGORITHMS[bank], 3) + bitmap(indexes) for bank, indexes in self.selection.items()
        )
        return (
            struct.pack(">IH", self.magic, self.kind)
            + tpm2b(b"\x00\x0b" + bytes(32))
            + tpm2b(self.nonce)
            + struct.pack(">QIIBQ", clock, reset, restart, self.safe, 0x20191023)
            + body
            + tpm2b(self.pcr_digest if self.digest is None else self.digest)
            + self.trailing
        )

    def sign(self, message: bytes) -> bytes:
        head = struct.pack(">HH", self.scheme, ALGORITHMS[self.hash])
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(HASHES[self.hash])))
            return head + b"".join(tpm2b(n.to_bytes((n.bit_length() + 7) // 8, "big")) for n in (r, s))
        pss = padding.PSS(padding.MGF1(HASHES[self.hash]), padding.PSS.MAX_LENGTH)
        scheme = pss if self.scheme == RSAPSS else padding.PKCS1v15()
        return head + tpm2b(self.private.sign(message, scheme, HASHES[self.hash]))

    def quote(self) -> Quote:
        return Quote(self.message, self.sign(self.message), values(self.selection))

    def parsed_signature(self) -> Signature:
        return parse_signature(self.quote().signature)

    def demand(self) -> Demand:
        return Demand(self.nonce, {Bank(bank): frozenset(indexes) for bank, indexes in self.selection.items()})

    @property
    def area(self) -> bytes:
        """TPM2B_PUBLIC."""
        public = self.private.public_key()
        head = struct.pack(">HI", 0x0B, self.attributes) + tpm2b(b"") + struct.pack(">H", NULL)
        scheme = struct.pack(">HH", self.scheme, ALGORITHMS[self.hash])
        if isinstance(public, rsa.RSAPublicKey):
            modulus = public.public_numbers().n.to_bytes(public.key_size // 8, "big")
            return tpm2b(b"\x00\x01" + head + scheme + struct.pack(">HI", public.key_size, 0) + tpm2b(modulus))
        numbers, size = public.public_numbers(), public.key_size // 8
        point = tpm2b(numbers.x.to_bytes(size, "big")) + tpm2b(numbers.y.to_bytes(size, "big"))
        return tpm2b(b"\x00\x23" + head + scheme + struct.pack(">HH", {32: 3, 48: 4}[size], NULL) + point)

    def key(self) -> AttestationKey:
        return load_key(self.area)
