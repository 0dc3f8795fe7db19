"""What goes wrong for a known reason ends a command with a sentence and no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from txt_dashboard.actions.permissions import ActionError
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.demo_options import DemoError
from txt_dashboard.floor import FloorError
from txt_dashboard.keyring import KeyringError
from txt_dashboard.supervisor import CannotKeepRunning
from txt_dashboard.vault import VaultError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Raises `CommandError` with the sentence of whatever known error came."""
    try:
        yield
    except (ActionError, CloudError, VaultError, KeyringError, FloorError, DemoError, CannotKeepRunning) as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(f"The database can't be used: {error}.") from error
    except OSError as error:
        raise CommandError(f"{error.filename or 'A file'} can't be used: {error.strerror or error}.") from error
