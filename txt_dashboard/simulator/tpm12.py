"""The TPM 1.2 of one simulated host: quotes signed with SHA-1, and a log in the old form.

Sources: TPM Main part 2 (structures), level 2 revision 116: TPM_PCR_SELECTION (8.1), TPM_PCR_COMPOSITE (8.2),
TPM_QUOTE_INFO (11.3); TCG EFI Platform Specification 1.22, section 7.2 (TCG_PCR_EVENT, little-endian).
"""

import hashlib
import struct
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.simulator.machine import Component
from txt_dashboard.simulator.tpm import Key

_MARK = bytes.fromhex("01010000") + b"QUOT"
_NONCE = 20  # bytes of externalData


class Quote(NamedTuple):
    """TPM_QUOTE_INFO, the signature over it, and the TPM_PCR_COMPOSITE that its digest is of."""

    message: bytes
    signature: bytes
    composite: bytes


def quote(key: Key, nonce: bytes, registers: Values) -> Quote:
    """A quote of these registers; a nonce of another length than 20 bytes is answered by its SHA-1."""
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - a TPM 1.2 has no other
    bitmap = sum(1 << index for index in registers).to_bytes(3, "little")
    values = b"".join(registers[index] for index in sorted(registers))
    composite = struct.pack(">H", len(bitmap)) + bitmap + struct.pack(">I", len(values)) + values
    external = nonce if len(nonce) == _NONCE else _sha1(nonce)
    message = _MARK + _sha1(composite) + external
    return Quote(message, key.sign(message, padding.PKCS1v15(), SHA1()), composite)  # noqa: S303 - it has no other


def public_key(key: Key) -> bytes:
    """DER: a TPM 1.2 describes its keys in no form that outlives it."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def event_log(measured: Iterable[Component]) -> bytes:
    """The events in the old form, which knows SHA-1 alone."""
    return b"".join(
        struct.pack("<II", each.register, each.kind)
        + each.digest(Bank.SHA1)
        + struct.pack("<I", len(each.data))
        + each.data
        for each in measured
    )


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()
