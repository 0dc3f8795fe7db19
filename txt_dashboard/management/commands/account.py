"""`account`: adds, changes and lists local accounts."""

import sys
from collections.abc import Sequence
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from txt_dashboard.actions.accounts import add_account, set_active, set_password
from txt_dashboard.actions.permissions import COMMAND_LINE, Role
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Passwords are asked for, or read as one line from a pipe; never an argument, which others could see."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb and a name."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="a new account")
        add.add_argument("name")
        add.add_argument(
            "--role", action="append", default=[], choices=[role.value for role in Role], help="may be given again"
        )
        for verb, text in (
            ("set-password", "a new password; its sessions end"),
            ("disable", "may not log in any more; its sessions end"),
            ("enable", "may log in again"),
        ):
            verbs.add_parser(verb, help=text).add_argument("name")
        verbs.add_parser("list", help="all accounts and their roles")

    def handle(self, *_args: Any, verb: str, name: str = "", role: Sequence[str] = (), **_options: Any) -> None:
        """Raises `CommandError` where the account or the password can't be used."""
        now = timezone.now()
        with told_plainly():
            match verb:
                case "add":
                    add_account(COMMAND_LINE, name, [Role(each) for each in role], _password(), now=now)
                case "set-password":
                    set_password(COMMAND_LINE, name, _password(), now=now)
                case "disable" | "enable":
                    set_active(COMMAND_LINE, name, active=verb == "enable", now=now)
                case _:
                    self._list()

    def _list(self) -> None:
        for user in User.objects.order_by("username").prefetch_related("groups"):
            roles = ", ".join(sorted(group.name for group in user.groups.all())) or "no role"
            self.stdout.write(f"{user.username}: {roles}{'' if user.is_active else ' (disabled)'}")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if password != getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    return password
