"""The offline command `verify`: a quote checked from files, by anybody, without this product's database.

A contract: `--json` prints `{"accepted": bool, "steps": [{"step", "outcome", "reason"}, ...]}`; exit 0 when accepted,
1 when rejected, 2 when an input can't be used (`accepted` is false then, and `problems` say why). A message or a
signature that can't be parsed is rejected at its step: it is what the host sent, not what the user mistyped.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from txt_dashboard.attest.keys import AttestationKey, load_key
from txt_dashboard.attest.pcr import Bank, PcrError, Registers, Values, parse_index, parse_value
from txt_dashboard.attest.quote import Demand, Quote, Tpm12Quote, Verification, verify, verify_tpm12
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import Counters

ACCEPTED, REJECTED, UNUSABLE = 0, 1, 2

_FILE_LIMIT = 1 << 20  # bytes; the largest honest input, all registers of all banks as JSON, has a few thousand
_COUNTER_LIMITS = (1 << 32, 1 << 32, 1 << 64)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `verify` to the offline commands."""
    parser = subparsers.add_parser("verify", help="check a quote against a key, a nonce and required registers")
    files = parser.add_argument_group("evidence")
    files.add_argument("--ak", type=Path, required=True, help="PEM, DER, TPM2B_PUBLIC or a certificate")
    files.add_argument("--message", type=Path, required=True, help="TPMS_ATTEST (TPM 1.2: TPM_QUOTE_INFO)")
    files.add_argument("--signature", type=Path, required=True, help="TPMT_SIGNATURE (TPM 1.2: the bare signature)")
    files.add_argument("--pcrs", type=Path, help='reported values, {"sha256": {"0": "hex", ...}, ...}')
    files.add_argument("--tpm12", action="store_true", help="the quote is a TPM 1.2's, with --composite")
    files.add_argument("--composite", type=Path, help="TPM_PCR_COMPOSITE")
    demand = parser.add_argument_group("demand")
    demand.add_argument("--nonce", type=_nonce, required=True, metavar="HEX")
    demand.add_argument("--require", type=_selection, required=True, metavar="sha256:0,1,2[+sha1:...]")
    demand.add_argument("--last-seen", type=_counters, metavar="RESET,RESTART,CLOCK")
    demand.add_argument("--allow-sha1", action="store_true", help="permit signatures made with SHA-1")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run)


def parse_registers(data: bytes) -> Registers:
    """Values from JSON, `{"sha256": {"0": "hex", ...}, ...}`; raises `PcrError` for any other shape."""
    try:
        banks = json.loads(data, object_pairs_hook=_object)
    except RecursionError:
        raise PcrError("the register file is nested too deeply") from None
    except PcrError:
        raise
    except ValueError as error:
        raise PcrError(f"the register file is not JSON: {error}") from None
    if not isinstance(banks, dict):
        raise PcrError("the register file holds no banks")
    return {_bank(name): _values(_bank(name), values) for name, values in banks.items()}


def _run(args: argparse.Namespace) -> int:
    try:
        verification = _verify(args)
    except (FormatError, PcrError, OSError) as error:
        if not args.json:
            raise  # the command line says it on standard error
        _answer(json.dumps({"accepted": False, "steps": [], "problems": [str(error)]}))
        return UNUSABLE
    _answer(json.dumps(_as_json(verification)) if args.json else _as_text(verification))
    return ACCEPTED if verification.accepted else REJECTED


def _answer(text: str) -> None:
    sys.stdout.write(text + "\n")


def _verify(args: argparse.Namespace) -> Verification:
    key: AttestationKey = load_key(_read(args.ak))
    demand = Demand(args.nonce, args.require, args.last_seen, args.allow_sha1)
    message, signature = _read(args.message), _read(args.signature)
    reported = parse_registers(_read(args.pcrs)) if args.pcrs else None
    if args.tpm12 != bool(args.composite):
        raise PcrError("--tpm12 and --composite belong together")
    if args.tpm12:
        values = None if reported is None else reported.get(Bank.SHA1, {})
        return verify_tpm12(Tpm12Quote(message, signature, _read(args.composite), values), key, demand)
    if reported is None:
        raise PcrError("--pcrs is missing: the quote proves values that somebody must report")
    return verify(Quote(message, signature, reported), key, demand)


def _as_json(verification: Verification) -> dict[str, object]:
    steps = [
        {"step": result.step.value, "outcome": result.outcome.value, "reason": result.reason}
        for result in verification.steps
    ]
    return {"accepted": verification.accepted, "steps": steps}


def _as_text(verification: Verification) -> str:
    lines = [f"{result.outcome:<12} {result.step:<10} {result.reason}" for result in verification.steps]
    return "\n".join([*lines, "accepted" if verification.accepted else "rejected"])


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_FILE_LIMIT + 1)
    if len(data) > _FILE_LIMIT:
        raise PcrError(f"{path} is larger than {_FILE_LIMIT} bytes")
    return data


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object without a key that comes twice: which of the two counts would be anybody's guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PcrError("the register file names something twice")
    return found


def _bank(name: str) -> Bank:
    try:
        return Bank(name)
    except ValueError:
        raise PcrError(f"{name[:20]!r} is no bank: {', '.join(Bank)}") from None


def _values(bank: Bank, values: object) -> Values:
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise PcrError(f"the bank {bank} must map register numbers to hex digits")
    found = {parse_index(index): parse_value(value, bank) for index, value in values.items()}
    if len(found) != len(values):
        raise PcrError(f"the bank {bank} names a register twice")
    return found


def _nonce(text: str) -> bytes:
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text):
        raise argparse.ArgumentTypeError("the nonce must be hexadecimal digits, two for each byte")
    return bytes.fromhex(text)


def _selection(text: str) -> dict[Bank, frozenset[int]]:
    try:
        return _unique(_bank_selection(part) for part in text.split("+"))
    except PcrError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _bank_selection(text: str) -> tuple[Bank, frozenset[int]]:
    name, colon, indexes = text.partition(":")
    if not colon:
        raise PcrError(f"{text[:20]!r} names no registers: sha256:0,1,2 does")
    return _bank(name), frozenset(parse_index(index) for index in indexes.split(","))


def _unique(parts: Iterable[tuple[Bank, frozenset[int]]]) -> dict[Bank, frozenset[int]]:
    found: dict[Bank, frozenset[int]] = {}
    for bank, indexes in parts:
        if bank in found:
            raise PcrError(f"the bank {bank} is required twice")
        found[bank] = indexes
    return found


def _counters(text: str) -> Counters:
    numbers = text.split(",")
    if len(numbers) != len(_COUNTER_LIMITS) or not all(re.fullmatch(r"[0-9]{1,20}", number) for number in numbers):
        raise argparse.ArgumentTypeError("the last seen counters are three numbers: reset,restart,clock")
    reset, restart, clock = (int(number) for number in numbers)
    if any(number >= limit for number, limit in zip((reset, restart, clock), _COUNTER_LIMITS, strict=True)):
        raise argparse.ArgumentTypeError("a count has 32 bits, the clock 64")
    return Counters(reset, restart, clock)
