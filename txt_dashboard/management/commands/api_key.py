"""`api_key`: makes, lists and revokes the keys by which programs use the API."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from txt_dashboard.actions.api_keys import create_key, revoke_key
from txt_dashboard.actions.permissions import COMMAND_LINE, Role
from txt_dashboard.management.errors import told_plainly
from txt_dashboard.models import ApiKey


class Command(BaseCommand):
    """A key is printed once, when it is made, and alone on stdout, so that it can go into a file."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="a new key that acts for an account")
        create.add_argument("owner")
        create.add_argument("--name", required=True, help="what it is for")
        create.add_argument(
            "--role", action="append", default=[], choices=[role.value for role in Role], help="may be given again"
        )
        create.add_argument("--days", type=int, default=90, help="how long it is good (90)")
        verbs.add_parser("list", help="all keys, without their secrets")
        verbs.add_parser("revoke", help="a key is refused from now on").add_argument("number")

    def handle(self, *_args: Any, verb: str, **options: Any) -> None:
        """Raises `CommandError` where the key can't be made or is not there."""
        now = timezone.now()
        with told_plainly():
            match verb:
                case "create":
                    roles = {Role(each) for each in options["role"]} or {Role.VIEWER}
                    lifetime = timedelta(days=min(max(options["days"], 0), 10_000))
                    key, text = create_key(
                        COMMAND_LINE, options["owner"], name=options["name"], roles=roles, lifetime=lifetime, now=now
                    )
                    self.stderr.write(f"Key {key.number} is good until {key.expires_at:%Y-%m-%d}; it is shown once:")
                    self.stdout.write(text)
                case "revoke":
                    revoke_key(COMMAND_LINE, options["number"], now=now)
                case _:
                    self._list()

    def _list(self) -> None:
        now = timezone.now()
        for key in ApiKey.objects.select_related("owner__user"):
            used = f"used {key.used_at:%Y-%m-%d %H:%M}" if key.used_at else "never used"
            until = f"until {key.expires_at:%Y-%m-%d}" if key.is_good(now) else "no good any more"
            roles = ", ".join(key.roles)
            self.stdout.write(f"{key.number}: {key.owner}, {key.name}: {roles}; {until}; {used}")
