"""`signed_set`: what is in force, whether it is sound, and the way back when it is lost."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from txt_dashboard import conf
from txt_dashboard.actions.governance.restore import propose_restoring, put_back
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.attest.signed_set import InvalidSet, SignedSet, read_document
from txt_dashboard.attest.signing import Signature
from txt_dashboard.management.errors import told_plainly
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.integrity import altered

LARGEST = 128 * 1024 * 1024


class Command(BaseCommand):
    """Shows, verifies and restores the signed set."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("show", help="the set in force, as JSON")
        verbs.add_parser("verify", help="names every set and proposal that is not what it was")
        restore = verbs.add_parser("restore", help="after a loss; see docs/recovery.md")
        restore.add_argument("--from", dest="file", type=Path, help="by default the newest copy in TXT_SETS_DIR")
        restore.add_argument("--reason", default="", help="where it must be approved anew: who decides will read it")

    def handle(self, *_args: Any, verb: str, **options: Any) -> None:
        """Raises `CommandError` where something is altered, or can't be restored."""
        with told_plainly():
            match verb:
                case "show":
                    self._show()
                case "verify":
                    self._verify()
                case _:
                    self._restore(options["file"] or _newest(conf.sets_dir()), options["reason"])

    def _show(self) -> None:
        found = in_force()
        if found.refused:
            raise CommandError(found.refused)
        self.stdout.write(json.dumps(json.loads(found.set.document), indent=2))

    def _verify(self) -> None:
        sentences = list(altered())
        for sentence in sentences:
            self.stdout.write(sentence)
        if sentences:
            raise CommandError(f"{len(sentences)} findings.")
        self.stdout.write(f"Set {in_force().set.number} is in force. All sets and proposals are what they were.")

    def _restore(self, file: Path, reason: str) -> None:
        document, signature = _read(file)
        now = timezone.now()
        if not reason:
            put = put_back(COMMAND_LINE, document, signature, now=now)
            self.stdout.write(f"Set {put.number} is in force again, as it was signed.")
            return
        copy = _parse(document, file)
        proposal = propose_restoring(COMMAND_LINE, copy.entries, reason=reason, now=now)
        self.stdout.write(f"Proposal {proposal.pk} would restore set {copy.number}. It waits for approval.")


def _newest(folder: Path) -> Path:
    copies = sorted(folder.glob("*.json"))
    if not copies:
        raise CommandError(f"{folder} holds no copy of a set. Name one with --from.")
    return copies[-1]


def _read(file: Path) -> tuple[bytes, Signature]:
    if file.stat().st_size > LARGEST:
        raise CommandError(f"{file} is too large for a signed set.")
    try:
        copy = json.loads(file.read_bytes())
        return copy["document"].encode(), Signature(str(copy["key_id"]), bytes.fromhex(copy["signature"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CommandError(f"{file} is no copy of a signed set.") from None


def _parse(document: bytes, file: Path) -> SignedSet:
    try:
        return read_document(document)
    except InvalidSet as error:
        raise CommandError(f"{file} can't be used: {error}.") from None
