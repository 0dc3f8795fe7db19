"""`load_baselines FILE`: proposes golden values and policies from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.reference import propose_file
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Proposes a file's baselines and policies, all or none. They are in force once enough persons approved them."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """One file, and why."""
        parser.add_argument("file", type=Path, help="JSON, see docs/baselines.md")
        parser.add_argument("--reason", required=True, help="who decides will read it")
        parser.add_argument("--title", default="", help="by default the name of the file")

    def handle(self, *_args: Any, file: Path, reason: str, title: str, **_options: Any) -> None:
        """Raises `CommandError` with a sentence for each entry that can't be used."""
        with told_plainly():
            proposal = propose_file(
                COMMAND_LINE,
                file.read_bytes(),
                title=title or f"Golden values from {file.name}",
                reason=reason,
                now=timezone.now(),
            )
        self.stdout.write(
            f"Proposal {proposal.pk} waits for approval: it touches {len(proposal.patch['changes'])} entries."
        )
