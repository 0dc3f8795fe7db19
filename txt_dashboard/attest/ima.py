"""IMA's measurement lists: parsed, and replayed to register 10.

The list may be ahead of the quote, so a beginning of it that leads to the register's value is enough. Source:
Linux, Documentation/security/IMA-templates.rst and security/integrity/ima/ima_template_lib.c (fields and their
digest), ima_queue.c (a violation is logged with a zero digest and extends ff).
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from txt_dashboard.attest.eventlog.cursor import Cursor, LogError
from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank, bank_of
from txt_dashboard.attest.text import shown

REGISTER = 10
MAX_SIZE = 64 * 1024 * 1024  # bytes
_TWO_FIELDS = frozenset({b"ima-ng", b"ima-ngv2"})
_THREE_FIELDS = frozenset({b"ima-sig", b"ima-sigv2", b"ima-buf"})
_TEMPLATES = _TWO_FIELDS | _THREE_FIELDS | {b"ima"}
_MAX_TEMPLATE_NAME = 16
_PADDED_NAME = 256  # IMA_EVENT_NAME_LEN_MAX + 1: template ima hashes the name padded to this
_TEXT_DIGITS = b"0123456789 "


class Entry(NamedTuple):
    """One measured file. `digest` is the template's digest as logged, `data` what it covers.

    `file_digest`, `path` and `appended` (the signature of ima-sig, the buffer of ima-buf, else empty) are
    decoded from `data`, and are authenticated with it; but nothing of a violation is, for its digest is zero.
    """

    offset: int
    register: int
    template: str
    digest: bytes
    data: bytes
    algorithm: str
    file_digest: bytes
    path: bytes
    appended: bytes

    @property
    def is_violation(self) -> bool:
        """Whether the kernel could not measure: the file was open for writing, or changed meanwhile."""
        return not any(self.digest)

    @property
    def name(self) -> str:
        """The path, safe to show."""
        return shown(self.path.decode("utf-8", "backslashreplace"), 256)


class Outcome(NamedTuple):
    """How a list stands with register 10: the number of entries that lead to its value, or None.

    `violations` and `problems` are of the whole list.
    """

    matched: int | None
    entries: int
    violations: tuple[Entry, ...]
    problems: tuple[str, ...]


def parse(data: bytes) -> tuple[Entry, ...]:
    """A binary or ASCII list of the templates ima, ima-ng, ima-sig (and their v2) and ima-buf; raises `LogError`."""
    if len(data) > MAX_SIZE:
        raise LogError(MAX_SIZE, f"the list has {len(data)} bytes, more than the {MAX_SIZE} that are read")
    if data[:1] and data[0] in _TEXT_DIGITS:
        return tuple(_ascii(data))
    return tuple(_binary(data))


def replay(entries: tuple[Entry, ...], value: bytes) -> Outcome:
    """Looks for the beginning of the list that leads to `value`, the verified register 10 of any bank.

    A register that was never extended goes with an empty list only: a beginning of no entries would prove nothing
    of those that follow, and IMA extends the register before anybody can read its list.

    Kernels from 5.8 extend each bank with its own digest of the entry, older ones extend the SHA-1 digest padded
    with zeros: both are tried. Raises `PcrError` for a value of no bank's length.
    """
    bank = bank_of(value)
    mine = [entry for entry in entries if entry.register == REGISTER]
    ways: list[Callable[[Entry], bytes]] = [lambda entry: _digest(bank, entry)]
    if bank is not Bank.SHA1:
        ways.append(lambda entry: _digest(Bank.SHA1, entry).ljust(bank.size, b"\0"))
    matches = (_prefix(bank, mine, value, way) for way in ways)
    matched = next((match for match in matches if match is not None), None)
    violations = tuple(entry for entry in mine if entry.is_violation)
    return Outcome(matched, len(mine), violations, tuple(_problems(entries)))


def _prefix(bank: Bank, entries: list[Entry], value: bytes, digest_of: Callable[[Entry], bytes]) -> int | None:
    register = bytes(bank.size)
    for count, entry in enumerate(entries, 1):
        extended = b"\xff" * bank.size if entry.is_violation else digest_of(entry)
        register = hashlib.new(bank, register + extended, usedforsecurity=bank is not Bank.SHA1).digest()
        if register == value:
            return count
    return 0 if not entries and register == value else None


def _digest(bank: Bank, entry: Entry) -> bytes:
    return hashlib.new(bank, entry.data, usedforsecurity=bank is not Bank.SHA1).digest()


def _problems(entries: tuple[Entry, ...]) -> Iterator[str]:
    for entry in entries:
        if entry.register != REGISTER:
            yield f"byte {entry.offset}: the entry is of register {entry.register}, not {REGISTER}"
        elif not entry.is_violation and entry.digest != _digest(bank_of(entry.digest), entry):
            yield f"byte {entry.offset}: the logged digest is not that of the entry {entry.name}"


def _binary(data: bytes) -> Iterator[Entry]:
    if not data:
        return
    size = _digest_size(data)
    cursor = Cursor(data)
    while cursor.left:
        start = cursor.offset
        register = _register(cursor.u32(), start)
        digest = cursor.take(size, "template digest")
        name_size = cursor.u32()
        if name_size > _MAX_TEMPLATE_NAME:
            cursor.fail(f"a template's name of {name_size} bytes is not known")
        template = cursor.take(name_size, "template's name")
        if template == b"ima":
            file_digest = cursor.take(20, "file digest")
            path = cursor.take(cursor.u32(), "path")
            yield _plain_entry(start, register, digest, file_digest, path)
        else:
            at = cursor.offset + 4
            fields = cursor.take(cursor.u32(), "template data")
            yield _fields_entry(start, register, template, digest, Cursor(fields, at), fields)


def _digest_size(data: bytes) -> int:
    """The length of the template digests, which the list does not say: the one that puts a name behind the first."""
    for bank in Bank:
        at = 4 + bank.size
        size = int.from_bytes(data[at : at + 4], "little")
        if data[at + 4 : at + 4 + min(size, _MAX_TEMPLATE_NAME)] in _TEMPLATES:
            return bank.size
    raise LogError(0, "no template that is known (ima, ima-ng, ima-sig …) follows a digest of any bank")


def _plain_entry(start: int, register: int, digest: bytes, file_digest: bytes, path: bytes) -> Entry:
    if len(path) > _PADDED_NAME:
        raise LogError(start, f"a path of {len(path)} bytes is longer than template ima allows")
    path = path.rstrip(b"\0")
    data = file_digest + path.ljust(_PADDED_NAME, b"\0")
    return Entry(start, register, "ima", digest, data, "sha1", file_digest, path, b"")


def _fields_entry(start: int, register: int, template: bytes, digest: bytes, cursor: Cursor, data: bytes) -> Entry:
    if template not in _TEMPLATES:
        raise LogError(start, f"template {shown(template.decode('ascii', 'backslashreplace'))} is not known")
    algorithm, colon, file_digest = cursor.take(cursor.u32(), "file digest").partition(b":\0")
    if not colon or not algorithm.isascii():
        cursor.fail("the file digest has no algorithm in front")
    path = cursor.take(cursor.u32(), "path")
    appended = cursor.take(cursor.u32(), "signature or buffer") if template in _THREE_FIELDS else b""
    cursor.end("template data")
    hash_name = shown(algorithm.decode("ascii"), 20)
    name = path.rstrip(b"\0")
    return Entry(start, register, template.decode(), digest, data, hash_name, file_digest, name, appended)


def _ascii(data: bytes) -> Iterator[Entry]:
    at = 0
    for line in data.split(b"\n"):
        if line:
            yield _line(line, at)
        at += len(line) + 1


def _line(line: bytes, at: int) -> Entry:
    """`10 digest template algorithm:digest path [signature]`; the kernel writes spaces in a path as underscores."""
    words = line.removesuffix(b" ").lstrip(b" ").split(b" ")
    if not 5 <= len(words) <= 6:
        raise LogError(at, f"a line of {len(words)} words is no entry of an IMA list")
    register = _register(int(words[0]) if words[0].isdigit() and len(words[0]) < 4 else REGISTER_COUNT, at)
    digest, template = _hex(words[1], at), words[2]
    if len(digest) not in {bank.size for bank in Bank}:
        raise LogError(at, f"a template digest of {len(digest)} bytes belongs to no bank")
    algorithm, _, file_digest = words[3].rpartition(b":")
    if template == b"ima":
        if len(words) != 5 or len(words[3]) != 40:
            raise LogError(at, "the line is no entry of template ima")
        return _plain_entry(at, register, digest, _hex(file_digest, at), words[4])
    if len(words) == 6 and template not in _THREE_FIELDS:
        raise LogError(at, "a signature stands behind an entry without one")
    fields = [algorithm + b":\0" + _hex(file_digest, at), words[4] + b"\0"]
    if template in _THREE_FIELDS:
        fields.append(_hex(words[5], at) if len(words) == 6 else b"")
    body = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
    return _fields_entry(at, register, template, digest, Cursor(body, at), body)


def _hex(word: bytes, at: int) -> bytes:
    try:
        return bytes.fromhex(word.decode("ascii"))
    except ValueError:
        raise LogError(at, f"{shown(word.decode('ascii', 'backslashreplace'), 20)} is not hexadecimal") from None


def _register(number: int, at: int) -> int:
    if number >= REGISTER_COUNT:
        raise LogError(at, f"the entry's register does not exist: a TPM has 0 to {REGISTER_COUNT - 1}")
    return number
