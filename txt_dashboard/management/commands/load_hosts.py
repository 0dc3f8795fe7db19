"""`load_hosts FILE.csv --server NAME`: hosts and their pools from a list."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from txt_dashboard.actions.hosts import load_hosts
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.management.errors import told_plainly
from txt_dashboard.management.inventory import read_inventory


class Command(BaseCommand):
    """Takes in hosts, all or none; those that are there already move to the pool named."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """A file and a server."""
        parser.add_argument("file", type=Path, help="CSV with the header host,pool")
        parser.add_argument("--server", required=True, help="the attestation server that knows these hosts")

    def handle(self, *_args: Any, file: Path, server: str, **_options: Any) -> None:
        """Raises `CommandError` with a sentence for each line that can't be used."""
        with told_plainly():
            count = load_hosts(COMMAND_LINE, read_inventory(file), server=server, now=timezone.now())
        self.stdout.write(f"Loaded {count} hosts of {server}.")
