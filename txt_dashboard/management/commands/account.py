"""`account`: adds, changes and lists local accounts."""

import sys
from collections import Counter
from collections.abc import Sequence
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from txt_dashboard.actions.accounts import add_account, set_active, set_password, set_roles
from txt_dashboard.actions.governance.accounts import link_accounts, name_first_approvers, unlink_account
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
        roles = verbs.add_parser("set-roles", help="these roles and no others; a new approver waits before it counts")
        roles.add_argument("name")
        roles.add_argument("--role", action="append", default=[], choices=[role.value for role in Role])
        first = verbs.add_parser(
            "first-approvers", help="these approvers count at once; only until something is in force"
        )
        first.add_argument("names", nargs="+")
        link = verbs.add_parser("link", help="two accounts are one person's, and count once")
        link.add_argument("name")
        link.add_argument("other")
        for verb, text in (
            ("unlink", "the account is a person's of its own, who waits as a new approver does"),
            ("set-password", "a new password; its sessions end"),
            ("disable", "may not log in any more; its sessions end"),
            ("enable", "may log in again"),
        ):
            verbs.add_parser(verb, help=text).add_argument("name")
        verbs.add_parser("list", help="all accounts and their roles")

    def handle(self, *_args: Any, verb: str, name: str = "", role: Sequence[str] = (), **options: Any) -> None:
        """Raises `CommandError` where the account or the password can't be used."""
        now = timezone.now()
        with told_plainly():
            match verb:
                case "set-roles":
                    set_roles(COMMAND_LINE, name, [Role(each) for each in role], now=now)
                case "first-approvers":
                    name_first_approvers(COMMAND_LINE, options["names"], now=now)
                case "link":
                    link_accounts(COMMAND_LINE, name, options["other"], now=now)
                case "unlink":
                    unlink_account(COMMAND_LINE, name, now=now)
                case "add":
                    add_account(COMMAND_LINE, name, [Role(each) for each in role], _password(), now=now)
                case "set-password":
                    set_password(COMMAND_LINE, name, _password(), now=now)
                case "disable" | "enable":
                    set_active(COMMAND_LINE, name, active=verb == "enable", now=now)
                case _:
                    self._list()

    def _list(self) -> None:
        users = User.objects.order_by("username").select_related("account").prefetch_related("groups")
        persons = Counter(str(user.account.person) for user in users if hasattr(user, "account"))
        for user in users:
            roles = ", ".join(sorted(group.name for group in user.groups.all())) or "no role"
            linked = hasattr(user, "account") and persons[str(user.account.person)] > 1
            person = f" (person {str(user.account.person)[:8]})" if linked else ""
            self.stdout.write(f"{user.username}: {roles}{'' if user.is_active else ' (disabled)'}{person}")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if password != getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    return password
