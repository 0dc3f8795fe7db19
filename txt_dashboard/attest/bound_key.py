"""Attestation keys as people approved them: which key is whose. Bytes are read when a key is used, not before.

The set may hold ten thousand; to load one takes as long as to verify a quote.
"""

import base64
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from txt_dashboard.attest.keys import AttestationKey, load_key
from txt_dashboard.attest.steps import Outcome
from txt_dashboard.attest.tpm_reader import FormatError


class KeySource(StrEnum):
    """Whose word it is that the key is the host's."""

    LIST = "list"  # somebody brought it along
    SERVER = "server"  # the attestation server showed it beside a quote


@dataclass(frozen=True)
class BoundKey:
    """The key that people approved for a host of a server.

    `public` is a TPM2B_PUBLIC or the DER of a public key; `fingerprint` is what the entry says that it is. A key of
    a TPM 1.2 verifies quotes of a TPM 1.2 only, and all others none of these: a TPM 2.0 signs any message that is
    not in its own form, also one in the form of the other.
    """

    server: str
    host: str
    public: bytes
    fingerprint: str
    source: KeySource
    tpm12: bool = False

    @cached_property
    def key(self) -> AttestationKey | None:
        """The key; `None` where its bytes can't be read or are not what the fingerprint says: it proves nothing."""
        try:
            key = load_key(self.public)
        except FormatError:
            return None
        return key if key.fingerprint == self.fingerprint else None

    @property
    def flaw(self) -> str:
        """Why this key must not be approved, as a clause; empty where nothing speaks against it."""
        key = self.key
        if key is None:
            return "the key can't be read, or is not the one that its fingerprint names"
        if self.tpm12 and (key.area is not None or not isinstance(key.public, RSAPublicKey)):
            return "a TPM 1.2 has no such key: its keys are RSA, and come without the description of a TPM 2.0"
        failed = [str(each) for each in key.findings if each.reason.outcome is Outcome.FAIL]
        return " ".join(failed).rstrip(".")


def bind(server: str, host: str, data: bytes, source: KeySource, *, tpm12: bool = False) -> BoundKey:
    """A host's key from whatever `load_key` takes; raises `FormatError`."""
    key = load_key(data)
    spki = key.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return BoundKey(server, host, data if key.area else spki, key.fingerprint, source, tpm12)


def as_text(public: bytes) -> str:
    """The bytes of a key in the one form in which an entry holds them."""
    return base64.b64encode(public).decode()
