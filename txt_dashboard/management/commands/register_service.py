"""`register_service`: puts the API into Keystone's catalog, where the panels in Horizon look for it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from txt_dashboard import conf
from txt_dashboard.actions.keystone import keystone
from txt_dashboard.cloud.catalog import INTERFACES, TYPE, register
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Run again it does nothing. The account of the settings needs the role admin for it."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the API is."""
        parser.add_argument("url", help="https://trust.example.org/v1")
        parser.add_argument("--region", help="the account's own by default")
        parser.add_argument("--interface", action="append", default=[], choices=INTERFACES, help="public by default")

    def handle(self, *_args: Any, url: str, region: str | None, interface: list[str], **_options: Any) -> None:
        """Raises `CommandError` where Keystone refuses."""
        if not conf.keystone_cloud():
            raise CommandError("TXT_KEYSTONE_CLOUD and TXT_KEYSTONE_CONFIG name the account that registers it.")
        if not url.startswith(("https://", "http://")):
            raise CommandError("The address of the API begins with https://.")
        with told_plainly():
            connection = keystone()
            where = region or connection.login.region
            if not where:
                raise CommandError("Which region? Name it with --region.")
            done = register(connection, url.rstrip("/"), where, tuple(interface) or ("public",))
        for sentence in done or [f"The service {TYPE} is registered like that already."]:
            self.stdout.write(sentence)
