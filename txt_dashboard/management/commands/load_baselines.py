"""`load_baselines FILE`: golden values and policies from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.reference import load_reference
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Puts a file's baselines and policies in force, all or none."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """One file."""
        parser.add_argument("file", type=Path, help="JSON, see docs/baselines.md")

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        """Raises `CommandError` with a sentence for each entry that can't be used."""
        with told_plainly():
            loaded = load_reference(COMMAND_LINE, file.read_bytes(), now=timezone.now())
        self.stdout.write(f"Loaded {loaded.baselines} new baselines and {loaded.policies} policies.")
