"""`audit`: verifies the activity log, and writes it out."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from txt_dashboard import conf
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.audit import guards, record
from txt_dashboard.audit.chain import ChainBroken
from txt_dashboard.audit.export import FORMATS
from txt_dashboard.audit.heads import Head, HeadsUnusable, Verify, lines_of, read_heads
from txt_dashboard.audit.keys import verifier
from txt_dashboard.audit.verify import Report, verify
from txt_dashboard.management.errors import told_plainly
from txt_dashboard.queries.activity import Filter, find, in_order


class Command(BaseCommand):
    """Ends with 1 where anything is wrong with the log, and a sentence that names the first entry concerned."""

    help = __doc__
    requires_system_checks = ()  # one of them asks for the triggers that `guard` puts back

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("verify", help="holds the log against its chain and against its signed heads")
        which = check.add_mutually_exclusive_group()
        which.add_argument("--heads", type=Path, nargs="+", default=[], help="files, instead of TXT_AUDIT_HEADS")
        which.add_argument("--without-heads", action="store_true", help="the chain alone; its end is then not proven")
        check.add_argument("--keys", type=Path, help="public keys, instead of TXT_PUBLIC_KEYS_FILE")
        check.add_argument("--every-signature", action="store_true", help="not only those that decide something")
        export = verbs.add_parser("export", help="writes entries to standard output, the first first")
        export.add_argument("--format", choices=sorted(FORMATS), default="jsonl")
        export.add_argument("--since", type=_moment, help="from this day or moment on; UTC unless it says otherwise")
        export.add_argument("--until", type=_moment, help="before this day or moment")
        export.add_argument("--actor", default="", help="of this person")
        export.add_argument("--host", default="", help="about this host")
        verbs.add_parser("guard", help="puts the database's triggers back that refuse changes of the log")

    def handle(self, *_args: Any, verb: str, **options: Any) -> None:
        """Raises `CommandError` with what is wrong."""
        with told_plainly():
            match verb:
                case "verify":
                    self._verify(options)
                case "export":
                    self._export(options)
                case _:
                    self._guard()

    def _verify(self, options: dict[str, Any]) -> None:
        with ExitStack() as files:
            try:
                heads: Iterator[Head] = iter(())
                signed: Verify = _nobody_signed
                if not options["without_heads"]:
                    heads = _heads(options["heads"], files)
                    signed = verifier(options["keys"] or conf.public_keys_file())
                report = verify(heads, signed, every_signature=options["every_signature"])
            except (ChainBroken, HeadsUnusable) as wrong:
                raise CommandError(str(wrong)) from None
        if report.last is None and report.entries and not options["without_heads"]:
            raise CommandError(f"The chain of {report.entries} entries holds, but no signed head proves its end.")
        self.stdout.write(_sentence(report))

    def _export(self, options: dict[str, Any]) -> None:
        chosen = Filter(**{name: options[name] for name in ("since", "until", "actor", "host")})
        for line in FORMATS[options["format"]](in_order(find(chosen))):
            self.stdout.write(line, ending="")

    def _guard(self) -> None:
        gone = guards.missing(connection)
        if not gone:
            self.stdout.write("All triggers are there.")
            return
        with transaction.atomic():
            guards.install(connection)
            record(at=timezone.now(), actor=COMMAND_LINE.name, verb="guard log", detail={"missing": gone})
        self.stdout.write(f"Put back: {', '.join(gone)}. What happened meanwhile, `audit verify` tells.")


def _heads(named: Sequence[Path], files: ExitStack) -> Iterator[Head]:
    """The heads of all files, in the order of their counts."""
    own = conf.audit_heads()
    paths = list(named) or ([own] if own else [])
    if not paths:
        raise HeadsUnusable("Heads go to syslog: name the file that it writes with --heads.")
    opened = [(path, files.enter_context(path.open("rb"))) for path in paths]
    return heapq.merge(*(read_heads(lines_of(file), str(path)) for path, file in opened), key=lambda head: head.count)


def _nobody_signed(_key: str, _message: bytes, _signature: bytes) -> bool:
    return False


def _sentence(report: Report) -> str:
    said = f"The chain of {report.entries} entries holds."
    if report.last is None:
        return f"{said} Nothing was said about its end: no heads were asked."
    when = f"{report.last.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{said} {report.heads} signed heads agree; the last, of {when}, proves the first {report.last.count}."


def _moment(text: str) -> datetime:
    """A day or a moment. Raises `ValueError`, which the parser tells."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
