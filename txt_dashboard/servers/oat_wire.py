"""OpenAttestation's answers, made typed values: what is malformed costs its own row and says why.

The wire forms are told in `txt_dashboard.servers.oat`. Nothing here does I/O.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Raw, Struct, field
from msgspec.json import Decoder

from txt_dashboard.attest.evidence import Answer, Evidence, NoEvidence, Verdict
from txt_dashboard.attest.pcr import PcrError, Registers
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.servers.base import AnswerUnusable
from txt_dashboard.servers.dates import DateError, parse_date
from txt_dashboard.servers.decode import (
    BadRow,
    RegisterRow,
    clean,
    decode_answer,
    decode_row,
    registers_of,
    split_rows,
)

LONGEST_NAME = 255
_MOST_STRANGERS = 1000
_SHOWN_NAMES = 5
_LONGEST_SHOWN_NAME = 60
_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_SILENCES = {"timeout": Reason.HOST_TIMEOUT, "pending": Reason.ATTESTATION_PENDING}
_NO_REGISTERS = Finding(Reason.REPORT_UNAVAILABLE, {"detail": "the answer holds no values of registers"})
# 24 registers in four banks; a 2.x report names a register once for each MLE that does.
_Few = Meta(max_length=2 * 4 * 24)


class _Named(Struct):
    host_name: str


class _JudgedRow(_Named):
    trust_lvl: str
    vtime: int | str


class _HostRow(_JudgedRow):
    pcr_values: Annotated[list[RegisterRow], _Few] | None = None


class _Poll(Struct):
    hosts: list[Raw]


class _ReportRow(RegisterRow, frozen=True, kw_only=True, gc=False):
    number: int | str = field(name="Name")
    value: str | None = field(name="Value", default=None)
    verified_on: int | str = field(name="Verified_On")


class _Report(Struct):
    rows: Annotated[list[_ReportRow], _Few] = field(name="PcrLogReport")


class _Listed(Struct):
    name: str = field(name="HostName")
    address: str | None = field(name="IPAddress", default=None)


class _Beans(Struct):
    """How Jersey 1 wraps a list of beans: one alone is no list, none at all is null."""

    beans: list[_Listed] | _Listed = field(name="hostBean")


_POLL = Decoder(_Poll)
_HOST_ROW = Decoder(_HostRow)
_JUDGED_ROW = Decoder(_JudgedRow)
_NAMED = Decoder(_Named)
_NAME = re.compile(rb'"host_name"\s*:\s*"([A-Za-z0-9._-]{1,255})"')
_REPORT = Decoder(_Report)
_LISTING: Decoder[list[_Listed] | _Beans | None] = Decoder(list[_Listed] | _Beans | None)


@dataclass(frozen=True, slots=True)
class Polled:
    """One answer for each host that was asked for, and what else there was."""

    answers: dict[str, Answer]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The registers of a host's last attestation, and when the first of them was written down."""

    registers: Registers
    verified_on: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """The hosts registered with a server, by name, and all names and addresses in lower case."""

    names: tuple[str, ...]
    identities: frozenset[str]


def read_poll(body: bytes, asked: Sequence[str]) -> Polled:
    """The answer of PollHosts; raises `AnswerUnusable` where it is none as a whole."""
    answers: dict[str, Answer] = {}
    wanted = frozenset(asked)
    strangers: list[str] = []
    nameless = 0
    rows = _rows(body)
    if len(rows) > 2 * len(asked) + _MOST_STRANGERS:
        raise AnswerUnusable(f"the answer holds {len(rows)} rows for {len(asked)} hosts")
    for row in rows:
        name, answer = _read_row(row)
        if name is None:
            nameless += 1
        elif name not in wanted:
            strangers.append(name)
        elif name in answers:
            answers[name] = _malformed("it holds more than one row for this host")
        else:
            answers[name] = answer
    for name in asked:
        answers.setdefault(name, NoEvidence(Finding(Reason.ANSWER_MISSING)))
    return Polled(answers, _remarks(strangers, nameless))


def read_report(body: bytes) -> Report:
    """The answer of attestationreport; raises `BadRow`."""
    rows = decode_row(_REPORT, Raw(body)).rows
    try:
        registers = registers_of(rows)
        # Rows of one report share one date, so nearly all of the parsing falls away.
        dates = [parse_date(written) for written in {row.verified_on for row in rows}]
    except (PcrError, DateError) as error:
        raise BadRow(str(error)) from None
    if not registers:
        raise BadRow("it holds no register")
    return Report(registers, min(dates))


def read_listing(body: bytes) -> Listing:
    """The answer of GET hosts; raises `AnswerUnusable`, also for a name that no host can have."""
    found = decode_answer(_LISTING, body)
    rows = found.beans if isinstance(found, _Beans) else found or []
    rows = [rows] if isinstance(rows, _Listed) else rows
    if not all(is_name(row.name) for row in rows):
        raise AnswerUnusable("the list of hosts holds names that no host can have")
    identities = frozenset(text.lower() for row in rows for text in (row.name, row.address) if text)
    return Listing(tuple(dict.fromkeys(row.name for row in rows)), identities)


def is_name(text: str) -> bool:
    """Whether a host can be called that: printable ASCII of a sane length."""
    return 0 < len(text) <= LONGEST_NAME and text.isascii() and text.isprintable()


def _rows(body: bytes) -> list[Raw]:
    try:
        return decode_answer(_POLL, body).hosts
    except AnswerUnusable:
        # One row that is no JSON (NaN, nesting without end) makes the whole no JSON; the other rows still are.
        return split_rows(body, b"hosts")


def _read_row(row: Raw) -> tuple[str | None, Answer]:
    try:
        host = decode_row(_HOST_ROW, row)
        return host.host_name, _answer(host)
    except (BadRow, PcrError, DateError) as error:
        return _name_of(row), _judged_untrusted(row, str(error)) or _malformed(str(error))


def _judged_untrusted(row: Raw, detail: str) -> Evidence | None:
    """A row that says untrusted counts whatever else is wrong with it: garbage must not hide a bad verdict."""
    try:
        judged = decode_row(_JUDGED_ROW, row)
        if judged.trust_lvl == Verdict.UNTRUSTED:
            return Evidence(Verdict.UNTRUSTED, parse_date(judged.vtime), finding=_malformed(detail).finding)
    except (BadRow, DateError):
        pass
    return None


def _answer(host: _HostRow) -> Answer:
    if host.trust_lvl in _SILENCES:
        return NoEvidence(Finding(_SILENCES[host.trust_lvl]))
    verdict = _VERDICTS.get(host.trust_lvl)
    if verdict is None:
        raise BadRow(f"it says neither trusted nor untrusted but {host.trust_lvl[:_LONGEST_SHOWN_NAME]!r}")
    registers = registers_of(host.pcr_values or ())
    return Evidence(verdict, parse_date(host.vtime), registers, finding=None if registers else _NO_REGISTERS)


def _name_of(row: Raw) -> str | None:
    try:
        return decode_row(_NAMED, row).host_name
    except BadRow:
        # No JSON, so the name may be found wrongly; all that it can do is leave that host without evidence.
        named = _NAME.search(bytes(row))
        return named[1].decode() if named else None


def _malformed(detail: str) -> NoEvidence:
    return NoEvidence(Finding(Reason.ANSWER_MALFORMED, {"detail": clean(detail)}))


def _remarks(strangers: Sequence[str], nameless: int) -> tuple[str, ...]:
    remarks = []
    if strangers:
        shown = ", ".join(clean(name, _LONGEST_SHOWN_NAME) for name in strangers[:_SHOWN_NAMES])
        more = ", …" if len(strangers) > _SHOWN_NAMES else ""
        remarks.append(f"{len(strangers)} rows for hosts that were not asked for were ignored: {shown}{more}")
    if nameless:
        remarks.append(f"{nameless} rows that name no host were ignored")
    return tuple(remarks)
