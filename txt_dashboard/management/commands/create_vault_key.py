"""`create_vault_key`: the key that seals secrets in the database."""

from typing import Any

from django.core.management.base import BaseCommand

from txt_dashboard import conf, vault
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Makes the file that TXT_VAULT_KEY_FILE names, for its owner only. A key that is there stays."""

    help = __doc__
    requires_system_checks = ()  # one of them asks for this key

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Raises `CommandError` where the file can't be written."""
        path = conf.vault_key_file()
        if path.exists():
            self.stdout.write(f"{path} is there already and stays as it is.")
            return
        with told_plainly():
            vault.create_key(path)
        self.stdout.write(f"Made {path}. Keep a copy apart from the database: without it no secret opens.")
