"""`signing_key`: the key that signs what is in force."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from txt_dashboard import conf
from txt_dashboard.actions.governance import keys
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.keyring import public_keys
from txt_dashboard.management.errors import told_plainly


class Command(BaseCommand):
    """Makes, rotates and voids the key. To be run on the worker's machine, as the worker's account."""

    help = __doc__
    requires_system_checks = ()  # one of them asks for this key

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("create", help="a first key, unless there is one")
        verbs.add_parser("rotate", help="a new key signs from now on; what the old one signed still counts")
        verbs.add_parser("compromised", help="nothing that the keys up to now signed counts any more")
        verbs.add_parser("list", help="the public keys that count here")

    def handle(self, *_args: Any, verb: str, **_options: Any) -> None:
        """Raises `CommandError` where the files or the set can't be used."""
        now = timezone.now()
        with told_plainly():
            match verb:
                case "create":
                    self._create()
                case "rotate":
                    key_id = keys.rotate(COMMAND_LINE, now=now)
                    self.stdout.write(f"Key {key_id} signs from now on. {_COPY}")
                case "compromised":
                    key_id = keys.declare_compromised(COMMAND_LINE, now=now)
                    self.stdout.write(
                        f"Nothing is in force now, and no host is trusted. Key {key_id} is new. {_COPY}"
                    )
                    self.stdout.write("`signed_set restore` proposes what was in force, for the approvers to decide.")
                case _:
                    self.stdout.write(public_keys(conf.public_keys_file()).text(), ending="")

    def _create(self) -> None:
        if keys.create():
            self.stdout.write(f"Made {conf.signing_key_file()} and {conf.public_keys_file()}. {_COPY}")
        else:
            self.stdout.write(f"{conf.signing_key_file()} is there already and stays as it is.")


_COPY = "Copy the file of public keys to every machine that serves pages, and never the other one."
