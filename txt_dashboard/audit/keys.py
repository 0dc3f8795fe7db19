"""Heads are signed with the key that signs the set, for a purpose of their own, and verified with its public keys."""

from pathlib import Path

from txt_dashboard import conf
from txt_dashboard.attest.signing import Purpose, Signature, SigningError
from txt_dashboard.audit.heads import Verify
from txt_dashboard.keyring import public_keys, signing_key


def sign(message: bytes) -> tuple[str, bytes]:
    """The worker's key's id, and its signature. Raises `KeyringError`."""
    signature = signing_key(conf.signing_key_file()).sign(Purpose.AUDIT_HEAD, message)
    return signature.key_id, signature.value


def verifier(path: Path) -> Verify:
    """Verifies by the public keys in this file; what a void one signed proves nothing. Raises `KeyringError`."""
    keys = public_keys(path)

    def verify(key_id: str, message: bytes, signature: bytes) -> bool:
        try:
            keys.verify(Purpose.AUDIT_HEAD, message, Signature(key_id, signature))
        except SigningError:
            return False
        return True

    return verify
