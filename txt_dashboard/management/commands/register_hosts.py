"""`register_hosts FILE.csv --server NAME`: hosts that a server does not know yet, with all that it must know."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.publish.register_hosts import register_hosts
from txt_dashboard.management.errors import told_plainly
from txt_dashboard.servers.registrations import HEADER


class Command(BaseCommand):
    """Takes in hosts, all or none; workers register them with the server."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """A file and a server."""
        parser.add_argument("file", type=Path, help=f"CSV with the header {','.join(HEADER)}")
        parser.add_argument("--server", required=True, help="the attestation server to register them with")

    def handle(self, *_args: Any, file: Path, server: str, **_options: Any) -> None:
        """Raises `CommandError` with a sentence for each line that can't be used."""
        with told_plainly():
            try:
                text = file.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise CommandError(f"{file} is no text in UTF-8.") from error
            count = register_hosts(COMMAND_LINE, text, server=server, now=timezone.now())
        self.stdout.write(f"{count} hosts will be registered with {server} by the workers.")
