"""`load_keys FILE|--shown --server NAME`: proposes the TPM keys of a server's hosts."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from txt_dashboard.actions.attestation_keys import propose_key_list, propose_shown_keys
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Proposes keys, all or none. They are in force once enough persons approved them."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """One file, whose hosts they are, and why."""
        given = parser.add_mutually_exclusive_group(required=True)
        given.add_argument("file", type=Path, nargs="?", help="CSV with the head host,key; a key is PEM or base64")
        given.add_argument("--shown", action="store_true", help="the keys that the server showed, on its word")
        parser.add_argument("--server", required=True, help="the attestation server that these hosts are asked by")
        parser.add_argument("--reason", required=True, help="who decides will read it")
        parser.add_argument("--title", default="", help="by default the name of the file")

    def handle(
        self, *_args: Any, file: Path | None, shown: bool, server: str, reason: str, title: str, **_options: Any
    ) -> None:
        """Raises `CommandError` with a sentence for each line that can't be used."""
        now = timezone.now()
        with told_plainly():
            if file is None:
                words = {"title": title or f"TPM keys that {server} shows", "reason": reason}
                proposal = propose_shown_keys(COMMAND_LINE, server, **words, now=now)
            else:
                words = {"title": title or f"TPM keys from {file.name}", "reason": reason}
                proposal = propose_key_list(COMMAND_LINE, server, file.read_bytes(), **words, now=now)
        self.stdout.write(f"Proposal {proposal.pk} waits for approval: {len(proposal.patch['changes'])} keys.")
