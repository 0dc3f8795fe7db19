"""`load_keys FILE --server NAME`: proposes the TPM keys of a server's hosts from a list."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from txt_dashboard.actions.attestation_keys import propose_key_list
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Proposes a list of keys, all or none. They are in force once enough persons approved them."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """One file, whose hosts they are, and why."""
        parser.add_argument("file", type=Path, help="CSV with the head host,key; see docs/quotes.md")
        parser.add_argument("--server", required=True, help="the attestation server that these hosts are asked by")
        parser.add_argument("--reason", required=True, help="who decides will read it")
        parser.add_argument("--title", default="", help="by default the name of the file")

    def handle(self, *_args: Any, file: Path, server: str, reason: str, title: str, **_options: Any) -> None:
        """Raises `CommandError` with a sentence for each line that can't be used."""
        with told_plainly():
            proposal = propose_key_list(
                COMMAND_LINE,
                server,
                file.read_bytes(),
                title=title or f"TPM keys from {file.name}",
                reason=reason,
                now=timezone.now(),
            )
        self.stdout.write(f"Proposal {proposal.pk} waits for approval: {len(proposal.patch['changes'])} keys.")
