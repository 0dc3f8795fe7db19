"""`prune_history`: removes changes older than the settings keep."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from txt_dashboard import conf
from txt_dashboard.actions.retention import prune
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Meant for cron, once a day. Each host's latest change stays however old it is."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """An age."""
        parser.add_argument("--days", type=int, help="instead of TXT_HISTORY_DAYS")

    def handle(self, *_args: Any, days: int | None, **_options: Any) -> None:
        """Raises `CommandError` for an age below a day."""
        if days is not None and not 1 <= days <= 36500:
            raise CommandError("--days must be from 1 to 36500.")
        age = conf.history() if days is None else timedelta(days=days)
        with told_plainly():
            removed = prune(now=timezone.now(), older_than=age)
        self.stdout.write(f"Removed {removed} changes older than {age.days} days.")
