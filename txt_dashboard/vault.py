"""Secrets at rest: sealed with keys from a file, apart from the database and from SECRET_KEY.

The file holds one Fernet key a line (base64, 32 bytes); the first seals, all unseal, so a key is
rotated by putting a new one before it.
"""

from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from txt_dashboard import conf


class VaultError(Exception):
    """The keys are missing or do not open this secret; the sentence says what to do."""


def seal(secret: str, bound_to: str) -> str:
    """The secret, sealed so that it opens only for the same `bound_to` (no line ends); an empty one stays empty."""
    return _vault(conf.vault_key_file()).encrypt(f"{bound_to}\n{secret}".encode()).decode() if secret else ""


def unseal(sealed: str, bound_to: str) -> str:
    """The secret; raises `VaultError`, also where it was sealed for something else."""
    if not sealed:
        return ""
    path = conf.vault_key_file()
    try:
        bound, _, secret = _vault(path).decrypt(sealed.encode()).decode().partition("\n")
    except InvalidToken:
        raise VaultError(f"No key in {path} opens this secret. Enter it again, or restore the key.") from None
    if bound != bound_to:
        raise VaultError("This secret was entered for another address. Enter it again.")
    return secret


def create_key(path: Path) -> None:
    """A new key file that only its owner may read; does nothing where there is one."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(Fernet.generate_key().decode() + "\n")


@lru_cache(maxsize=4)
def _vault(path: Path) -> MultiFernet:
    try:
        lines = path.read_text().split()
        return MultiFernet([Fernet(line) for line in lines])
    except FileNotFoundError:
        raise VaultError(f"{path} does not exist. `create_vault_key` makes it.") from None
    except (OSError, ValueError) as error:
        raise VaultError(f"{path} can't be used: {error}.") from None
