"""The public keys that heads are verified with: PEM blocks in one file, old ones too."""

import hashlib
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from txt_dashboard.audit.heads import HeadsUnusable, Verify

_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----")


def key_id(public: Ed25519PublicKey) -> str:
    """A key's name: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def verifier(path: Path) -> Verify:
    """Verifies by the keys in this file. Raises `OSError`, and `HeadsUnusable` where it holds no Ed25519 key."""
    keys: dict[str, Ed25519PublicKey] = {}
    for block in _BLOCK.findall(path.read_bytes()):
        try:
            key = load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, Ed25519PublicKey):
            keys[key_id(key)] = key
    if not keys:
        raise HeadsUnusable(f"{path} holds no public Ed25519 key.")

    def verify(name: str, message: bytes, signature: bytes) -> bool:
        try:
            keys[name].verify(signature, message)
        except (KeyError, InvalidSignature):
            return False
        return True

    return verify
