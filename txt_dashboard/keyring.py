"""The files of the keys that sign: the private key for workers only, the public ones for every process."""

import os
from functools import lru_cache
from pathlib import Path

from txt_dashboard.attest.signing import PublicKeys, SigningError, SigningKey


class KeyringError(Exception):
    """A key file is missing or can't be used; the sentence says what to do."""


def signing_key(path: Path) -> SigningKey:
    """The private key; raises `KeyringError`. Read anew each time: it is used rarely, and may be rotated."""
    try:
        if path.stat().st_mode & 0o077:
            raise KeyringError(f"Others can read {path}. `chmod 600 {path}`, and ask who read it.")
        return SigningKey.from_pem(path.read_bytes())
    except FileNotFoundError:
        raise KeyringError(f"{path} does not exist. `signing_key create` makes it.") from None
    except SigningError as error:
        raise KeyringError(f"{path} can't be used: {error}.") from None
    except OSError as error:
        raise KeyringError(f"{path} can't be read: {error.strerror}.") from None


def public_keys(path: Path) -> PublicKeys:
    """The public keys that count here; raises `KeyringError`."""
    try:
        found = path.stat()
        return _public_keys(path, found.st_mtime_ns, found.st_size, found.st_ino)
    except FileNotFoundError:
        raise KeyringError(f"{path} does not exist. Copy it from the worker's machine.") from None
    except OSError as error:
        raise KeyringError(f"{path} can't be read: {error.strerror}.") from None


def write_signing_key(path: Path, key: SigningKey) -> None:
    """The private key, for its owner only."""
    _replace(path, key.pem(), 0o600)


def write_public_keys(path: Path, keys: PublicKeys) -> None:
    """The public keys, for everybody to read."""
    _replace(path, keys.text().encode(), 0o644)


@lru_cache(maxsize=4)
def _public_keys(path: Path, *_version: int) -> PublicKeys:
    try:
        return PublicKeys.parse(path.read_text())
    except (SigningError, UnicodeDecodeError) as error:
        raise KeyringError(f"{path} can't be used: {error}.") from None


def _replace(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(mode)
    new.replace(path)
