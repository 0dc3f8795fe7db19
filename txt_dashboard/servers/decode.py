"""Strict decoding of what servers answer: into typed values, or a bounded sentence on what is wrong."""

import re
from collections.abc import Iterable
from typing import TypeVar

from msgspec import MsgspecError, Raw, Struct
from msgspec.json import Decoder

from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank, Registers, bank_of, parse_index, parse_value
from txt_dashboard.servers.base import AnswerUnusable

Shape = TypeVar("Shape")
_LONGEST_DETAIL = 200
_NO_JSON = "the answer is no JSON of the form that this kind of server gives: is it of the kind that was chosen?"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_CLOSES = {b"]": ord("["), b"}": ord("{")}
_ROW_DEPTH = 3  # inside of the outermost object and the array
_INDEXES: dict[int | str, int] = {form: index for index in range(REGISTER_COUNT) for form in (index, str(index))}
# Nesting beyond the interpreter's own limit ends in RecursionError, and text that is no UTF-8 in UnicodeDecodeError.
_FAILURES = (MsgspecError, RecursionError, UnicodeDecodeError)


class BadRow(ValueError):
    """One row of an answer can't be used; the sentence says why. It costs that row, never the others."""


class RegisterRow(Struct, frozen=True, gc=False):
    """One register: its index as a number or digits, its value in hex, or nothing where it was not quoted."""

    number: int | str
    value: str | None = None


def decode_answer(decoder: Decoder[Shape], body: bytes) -> Shape:
    """An answer as a whole; raises `AnswerUnusable`."""
    try:
        return decoder.decode(body)
    except _FAILURES:
        raise AnswerUnusable(_NO_JSON) from None


def decode_row(decoder: Decoder[Shape], row: Raw) -> Shape:
    """One row of an answer; raises `BadRow`."""
    try:
        return decoder.decode(row)
    except RecursionError:
        raise BadRow("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise BadRow("it holds text that is no UTF-8") from None
    except MsgspecError as error:
        raise BadRow(str(error)) from None


def split_rows(body: bytes, key: bytes) -> list[Raw]:
    """The objects in the array that stands under `key` in an answer's outermost object, each undecoded.

    Follows only strings and brackets, without recursion, so that what is wrong inside a row stays there.
    Raises `AnswerUnusable` where the brackets do not match or no such object is there.
    """
    rows: list[Raw] = []
    open_brackets = bytearray()
    last_string, start = b"", 0
    for token in _TOKEN.finditer(body):
        sign = token[0]
        if sign.startswith(b'"'):
            last_string = sign[1:-1] if len(open_brackets) == 1 else last_string
        elif sign in b"[{":
            if not open_brackets and token.start() != len(body) - len(body.lstrip()):
                raise AnswerUnusable(_NO_JSON)
            open_brackets += sign
            start = token.start() if len(open_brackets) == _ROW_DEPTH else start
        elif not open_brackets or _CLOSES[sign] != open_brackets.pop():
            raise AnswerUnusable(_NO_JSON)
        elif sign == b"}" and open_brackets == b"{[" and last_string == key:
            rows.append(Raw(body[start : token.end()]))
    if open_brackets or not rows:
        raise AnswerUnusable(_NO_JSON)
    return rows


def registers_of(rows: Iterable[RegisterRow]) -> Registers:
    """Values by bank and index; raises `PcrError`, or `BadRow` where a register has two different values."""
    banks: dict[Bank, dict[int, bytes]] = {}
    by_size: dict[int, dict[int, bytes]] = {}  # the same, but looked up cheaply: a poll brings thousands of values
    for row in rows:
        digits = row.value
        if not digits:
            continue
        try:
            index, value = _INDEXES[row.number], bytes.fromhex(digits)
        except (KeyError, ValueError):
            index, value = parse_index(row.number), parse_value(digits)
        size = len(value)
        if 2 * size != len(digits):
            raise BadRow(f"register {index} has spaces between its digits")
        values = by_size.get(size)
        if values is None:
            values = by_size[size] = banks[bank_of(value)] = {}
        if values.setdefault(index, value) != value:
            raise BadRow(f"register {index} has two different values")
    return banks


def clean(text: str, longest: int = _LONGEST_DETAIL) -> str:
    """A server's text made safe to show: printable ASCII, the rest escaped, and cut."""
    return ascii(text[:longest])[1:-1][:longest]
