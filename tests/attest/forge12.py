"""A TPM 1.2 that does what a test says, written from the specification apart from the code under test."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.attest.forge import bitmap, rsa_key, sha1, value
from txt_dashboard.attest.keys import AttestationKey
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, Tpm12Quote

NONCE = bytes(range(20))


@dataclass(frozen=True)
class Forge12:
    """A TPM 1.2 quote in the making."""

    values: Mapping[int, bytes] = field(
        default_factory=lambda: {index: value("sha1", index) for index in (0, 17, 18)}
    )
    nonce: bytes = NONCE
    head: bytes = b"\x01\x01\x00\x00QUOT"
    digest: bytes | None = None

    def but(self, **changes: object) -> "Forge12":
        return replace(self, **changes)

    @property
    def composite(self) -> bytes:
        joined = b"".join(self.values[index] for index in sorted(self.values))
        return b"\x00\x03" + bitmap(self.values) + struct.pack(">I", len(joined)) + joined

    @property
    def message(self) -> bytes:
        return self.head + (self.digest or sha1(self.composite)) + self.nonce

    def quote(self) -> Tpm12Quote:
        signature = rsa_key().sign(self.message, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - it is a TPM 1.2
        return Tpm12Quote(self.message, signature, self.composite)

    def demand(self) -> Demand:
        return Demand(self.nonce, {Bank.SHA1: frozenset(self.values)})

    def key(self) -> AttestationKey:
        return AttestationKey(rsa_key().public_key())
