"""Offline commands for logs: replay, explain, ima. The one place of this room that reads files.

Exit codes: 0 read, equal or accepted; 1 different or rejected; 2 unusable input.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from txt_dashboard.attest import ima
from txt_dashboard.attest.eventlog import why
from txt_dashboard.attest.eventlog.checks import problems
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import MAX_SIZE, Log, parse, parse_partially
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.pcr import Bank, PcrError, parse_value

OK, DIFFERENT, UNUSABLE = 0, 1, 2

Report = Mapping[str, object]


class _InputError(ValueError):
    """What was given can't be used; the sentence says why."""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands; each parsed result has `run`, which takes it and returns the exit code."""
    one = subparsers.add_parser("replay", help="the register values that an event log leads to")
    one.add_argument("log", type=Path, metavar="LOG")
    one.add_argument("--bank", type=Bank, choices=list(Bank), help="this bank only")
    two = subparsers.add_parser("explain", help="what differs between two event logs, for each register")
    two.add_argument("old", type=Path, metavar="OLD")
    two.add_argument("new", type=Path, metavar="NEW")
    two.add_argument(
        "--bank", type=Bank, choices=list(Bank), help="in this bank; else in the strongest that both have"
    )
    three = subparsers.add_parser("ima", help="whether an IMA list leads to register 10")
    three.add_argument("log", type=Path, metavar="LOG")
    three.add_argument("--pcr10", required=True, metavar="HEX", help="the register's value, of any bank")
    for parser, command in ((one, _replay), (two, _explain), (three, _ima)):
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
        parser.set_defaults(run=_runner(command))


def _runner(command: Callable[[argparse.Namespace], tuple[Report, int]]) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        try:
            report, code = command(args)
        except (_InputError, LogError, PcrError, why.NoCommonBank, OSError) as error:
            if not args.json:
                raise  # the command line says it on standard error
            report, code = {"problems": [str(error)]}, UNUSABLE
        sys.stdout.write(json.dumps(report, indent=2) + "\n" if args.json else _text(report))
        return code

    return run


def _replay(args: argparse.Namespace) -> tuple[Report, int]:
    log, error = parse_partially(_read(args.log, MAX_SIZE))
    if error is not None:
        return {"banks": {}, "events": len(log.events), "problems": [str(error)]}, UNUSABLE
    if args.bank is not None and args.bank not in log.banks:
        raise _InputError(f"the log has no {args.bank} digests, only {', '.join(log.banks)}")
    banks = log.banks if args.bank is None else (args.bank,)
    values = {str(bank): {str(index): value.hex() for index, value in replay(log, bank).items()} for bank in banks}
    return {"banks": values, "events": len(log.events), "problems": [str(each) for each in problems(log)]}, OK


def _explain(args: argparse.Namespace) -> tuple[Report, int]:
    found = why.explain(_log(args.old), _log(args.new), args.bank)
    registers = {str(index): _change(change) for index, change in found.registers.items()}
    report = {"registers": registers, "bank": str(found.bank), "sentence": found.sentence}
    return report, DIFFERENT if registers else OK


def _change(change: why.Change) -> Report:
    def pairs(of: Sequence[tuple[why.Told, why.Told]]) -> list[Report]:
        return [{"old": _event(old), "new": _event(new)} for old, new in of]

    return {
        "removed": [_event(told) for told in change.removed],
        "added": [_event(told) for told in change.added],
        "changed": pairs(change.changed),
        "moved": pairs(change.moved),
        "sentence": change.sentence,
    }


def _event(told: why.Told) -> Report:
    return {
        "offset": told.event.offset,
        "type": told.kind,
        "digest": told.digest.hex(),
        "text": told.story.text,
        "details": list(told.story.details),
    }


def _ima(args: argparse.Namespace) -> tuple[Report, int]:
    value = parse_value(args.pcr10)
    outcome = ima.replay(ima.parse(_read(args.log, ima.MAX_SIZE)), value)
    report = {
        "accepted": outcome.matched is not None,
        "matched": outcome.matched,
        "entries": outcome.entries,
        "violations": [{"offset": entry.offset, "path": entry.name} for entry in outcome.violations],
        "problems": list(outcome.problems),
    }
    return report, DIFFERENT if outcome.matched is None else OK


def _log(path: Path) -> Log:
    try:
        return parse(_read(path, MAX_SIZE))
    except LogError as error:
        raise _InputError(f"{path.name}: {error}") from None


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _InputError(f"{path.name} has more than {limit} bytes")
    return data


def _text(report: Report, indent: str = "") -> str:
    """The report for people: one line a value, nested values indented."""
    return "".join(_line(name, value, indent) for name, value in report.items())


def _line(name: str, value: object, indent: str) -> str:
    if isinstance(value, Mapping):
        return f"{indent}{name}:\n{_text(value, indent + '  ')}"
    if isinstance(value, list):
        items = {f"{name} {number}": item for number, item in enumerate(value, 1)}
        return _text(items, indent) if items else f"{indent}{name}: none\n"
    return f"{indent}{name}: {value}\n"
