"""Ed25519 keys that sign what must not change behind our back, and the list of public keys that verify it.

Each signature is over a purpose and a message, so that what was signed for one purpose proves nothing for
another. RFC 8032 (Ed25519).
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

KEY_ID_DIGITS = 16
MOST_KEYS = 1000


class SigningError(ValueError):
    """A key or a signature can't be used; the sentence says why."""


class Purpose(StrEnum):
    """What is signed."""

    SIGNED_SET = "txt-dashboard signed set 1"
    AUDIT_HEAD = "txt-dashboard audit head 1"
    HEARTBEAT = "txt-dashboard heartbeat 1"


class Standing(StrEnum):
    """Whether signatures of a key count."""

    VALID = "valid"
    VOID = "void"  # the key is compromised: nothing that it ever signed counts


@dataclass(frozen=True, slots=True)
class Signature:
    """Which key signed, and its 64 bytes."""

    key_id: str
    value: bytes


class SigningKey:
    """The private key. Only workers hold one."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id(self.public)

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """The key in a PKCS #8 PEM file; raises `SigningError`."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SigningError("it holds no unencrypted private key in PEM form") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningError("its key is not of the kind Ed25519")
        return cls(key)

    def pem(self) -> bytes:
        """The key as PKCS #8 PEM, unencrypted: the file's mode guards it."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, purpose: Purpose, message: bytes) -> Signature:
        """A signature over the message for this purpose."""
        return Signature(self.key_id, self._key.sign(_framed(purpose, message)))


@dataclass(frozen=True, eq=False)  # equal to itself only, so that what was verified with it can be remembered
class PublicKeys:
    """The public keys that this process trusts, by their id, and which of them are void."""

    keys: Mapping[str, tuple[bytes, Standing]]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Lines of `<id> <base64> valid|void`; blank ones and those with # are skipped. Raises `SigningError`."""
        keys: dict[str, tuple[bytes, Standing]] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                named, raw, standing = _line(line, number)
                # Void wins, wherever it stands: a line too many must not bring a key back.
                known = keys.get(named, (raw, standing))[1]
                keys[named] = raw, Standing.VOID if Standing.VOID in (known, standing) else standing
        if len(keys) > MOST_KEYS:
            raise SigningError(f"there are more than {MOST_KEYS} keys")
        return cls(keys)

    def text(self) -> str:
        """What `parse` reads."""
        return "".join(
            f"{named} {base64.b64encode(raw).decode()} {standing.value}\n"
            for named, (raw, standing) in self.keys.items()
        )

    def with_key(self, public: bytes) -> "PublicKeys":
        """These, and one that is valid; raises `SigningError` where it was declared void."""
        named = key_id(public)
        if self.keys.get(named, (b"", Standing.VALID))[1] is Standing.VOID:
            raise SigningError(f"key {named} was declared compromised")
        return PublicKeys({**self.keys, named: (public, Standing.VALID)})

    def with_all_void(self) -> "PublicKeys":
        """These, and no signature of any of them counts."""
        return PublicKeys({named: (raw, Standing.VOID) for named, (raw, _) in self.keys.items()})

    def verify(self, purpose: Purpose, message: bytes, signature: Signature) -> None:
        """Raises `SigningError` unless a valid key of these signed this message for this purpose."""
        known = self.keys.get(signature.key_id)
        if known is None:
            raise SigningError(f"key {_shown(signature.key_id)} is not one of the public keys that count here")
        _, standing = known
        if standing is Standing.VOID:
            raise SigningError(f"key {signature.key_id} was declared compromised: what it signed is void")
        try:
            self._loaded[signature.key_id].verify(signature.value, _framed(purpose, message))
        except InvalidSignature:
            raise SigningError(f"the signature is not key {signature.key_id}'s over this content") from None

    @cached_property
    def _loaded(self) -> Mapping[str, Ed25519PublicKey]:
        return {named: Ed25519PublicKey.from_public_bytes(raw) for named, (raw, _) in self.keys.items()}


def key_id(public: bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the raw public key."""
    return hashlib.sha256(public).hexdigest()[:KEY_ID_DIGITS]


def _line(line: str, number: int) -> tuple[str, bytes, Standing]:
    try:
        named, encoded, standing = line.split()
        raw = base64.b64decode(encoded, validate=True)
        read = named, raw, Standing(standing)
    except ValueError:
        raise SigningError(f"line {number} is not `<id> <base64> valid|void`") from None
    if len(raw) != 32 or key_id(raw) != named:
        raise SigningError(f"line {number} holds another key than its id names")
    return read


def _framed(purpose: Purpose, message: bytes) -> bytes:
    return purpose.encode() + b"\0" + message


def _shown(text: str) -> str:
    return text[:KEY_ID_DIGITS] if text.isalnum() and text.isascii() else "of an unreadable name"
