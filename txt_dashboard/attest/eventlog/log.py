"""The four formats of event logs.

SHA-1 format: TCG EFI Platform Specification 1.22, section 7.2 (TCG_PCR_EVENT). Crypto-agile: TCG PC Client
Platform Firmware Profile 1.06, sections 10.2.2 (TCG_PCR_EVENT2) and 10.4.5.1 (the Spec ID event). TXT event
container of TPM 1.2: Intel TXT Software Development Guide, appendix F; TXT logs of TPM 2.0 are crypto-agile.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from txt_dashboard.attest.eventlog.cursor import Cursor, LogError
from txt_dashboard.attest.eventlog.kinds import Kind
from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank

MAX_SIZE = 16 * 1024 * 1024  # bytes; the largest real logs have a few hundred KiB
NO_REGISTER = 0xFFFFFFFF  # Windows logs its signed summary with this index
_MAX_ALGORITHMS = 16

SPEC_ID = b"Spec ID Event03\0"
_CONTAINER = b"TXT Event Container\0"
STARTUP = b"StartupLocality\0"
_NO_ACTION = int(Kind.EV_NO_ACTION)
_PADDING = (b"\x00", b"\xff")

_ALGORITHMS = {0x04: Bank.SHA1, 0x0B: Bank.SHA256, 0x0C: Bank.SHA384, 0x0D: Bank.SHA512}  # TPM_ALG_ID
_SHA1_HEAD = struct.Struct("<II20sI")  # register, type, digest, size of the data
_AGILE_HEAD = struct.Struct("<III")  # register, type, count of digests
_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")


class Event(NamedTuple):
    """One record. Only `register` and `digests` can be authenticated, by replay; the rest is what the log says.

    `offset` and `data_offset` count bytes from the start of the log to the record and to its data.
    """

    offset: int
    register: int
    kind: int
    digests: Mapping[Bank, bytes]
    data: bytes
    data_offset: int

    @property
    def extends(self) -> bool:
        """Whether the event went into its register: all do but EV_NO_ACTION (profile, section 10.4.5)."""
        return self.kind != _NO_ACTION


class Log(NamedTuple):
    """A log read to its end.

    `banks` are the banks it has digests of, `unknown` the TPM_ALG_IDs of others that it declares. `extended`
    holds, by register, the events that went into it, in order. `startup_locality` is what register 0 starts at.
    """

    banks: tuple[Bank, ...]
    events: tuple[Event, ...]
    extended: Mapping[int, tuple[Event, ...]]
    startup_locality: int
    unknown: tuple[int, ...]


class Partial(NamedTuple):
    """What could be read of a log, and the error that ended it; for display only."""

    log: Log
    error: LogError | None


class _Format(NamedTuple):
    banks: tuple[Bank, ...]
    unknown: tuple[int, ...]
    events: Iterator[Event]


def parse(data: bytes) -> Log:
    """A whole log of any of the four formats; raises `LogError` at the first field that can't be read."""
    log, error = parse_partially(data)
    if error is not None:
        raise error
    return log


def parse_partially(data: bytes) -> Partial:
    """What can be read up to the first error, to be shown to people. Never replay or compare it."""
    events: list[Event] = []
    banks: tuple[Bank, ...] = ()
    unknown: tuple[int, ...] = ()
    try:
        banks, unknown, records = _format_of(data)
        events.extend(records)  # keeps what came before an error
        return Partial(Log(banks, tuple(events), _extended(events), _startup_locality(events), unknown), None)
    except LogError as error:
        return Partial(Log(banks, tuple(events), {}, 0, unknown), error)


def only(data: bytes, log: Log, register: int) -> bytes:
    """The bytes of a crypto-agile log with the events of one register alone; `log` is what was read of the data."""
    header = log.events[:1]
    return b"".join(
        data[each.offset : each.data_offset + len(each.data)] for each in (*header, *log.extended[register])
    )


def _format_of(data: bytes) -> _Format:
    if len(data) > MAX_SIZE:
        raise LogError(MAX_SIZE, f"the log has {len(data)} bytes, more than the {MAX_SIZE} that are read")
    if data.startswith(_CONTAINER):
        start, end = _container(data)
        return _Format((Bank.SHA1,), (), _sha1_records(data[:end], start, end))
    end = _content_end(data)
    if end == 0:
        raise LogError(0, "the log is empty")
    first = _sha1_record(data, 0)
    if first.kind == _NO_ACTION and first.register == 0 and first.data.startswith(SPEC_ID):
        sizes = _spec_id(first)
        banks = tuple(bank for algorithm, bank in _ALGORITHMS.items() if algorithm in sizes)
        unknown = tuple(algorithm for algorithm in sizes if algorithm not in _ALGORITHMS)
        return _Format(banks, unknown, _agile_records(data, first, end, sizes))
    return _Format((Bank.SHA1,), (), _sha1_records(data, 0, end))


def _content_end(data: bytes) -> int:
    """Where trailing padding may begin: a record at or behind it holds nothing but 00 or ff."""
    return min(len(data.rstrip(byte)) for byte in _PADDING)


def _container(data: bytes) -> tuple[int, int]:
    """First and last offset of the records in a TXT event container."""
    cursor = Cursor(data)
    cursor.take(32, "container's signature")
    if (version := (cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8()))[::2] != (1, 1):
        raise LogError(32, f"version {version} of the TXT event container is not known")
    size, first, end = cursor.u32(), cursor.u32(), cursor.u32()
    if not cursor.offset <= first <= end <= min(size, len(data)):
        raise LogError(36, f"records from {first} to {end} do not lie inside the container")
    return first, end


def _spec_id(event: Event) -> dict[int, int]:
    """The algorithms that the header declares: TPM_ALG_ID -> size of a digest in bytes."""
    cursor = Cursor(event.data, event.data_offset)
    cursor.take(len(SPEC_ID) + 8)
    count = cursor.u32()
    if not 0 < count <= _MAX_ALGORITHMS:
        cursor.fail(f"{count} digest algorithms are declared; 1 to {_MAX_ALGORITHMS} are read")
    sizes: dict[int, int] = {}
    for _ in range(count):
        algorithm, size = cursor.u16(), cursor.u16()
        if algorithm in sizes:
            cursor.fail(f"digest algorithm 0x{algorithm:x} is declared twice")
        if algorithm in _ALGORITHMS and size != _ALGORITHMS[algorithm].size:
            cursor.fail(f"{_ALGORITHMS[algorithm]} digests are declared with {size} bytes")
        sizes[algorithm] = size
    cursor.take(cursor.u8(), "vendor information")
    cursor.end("Spec ID event")
    return sizes


def _sha1_records(data: bytes, at: int, end: int) -> Iterator[Event]:
    while at < end:
        event = _sha1_record(data, at)
        yield event
        at = event.data_offset + len(event.data)


def _sha1_record(data: bytes, at: int) -> Event:
    if len(data) - at < _SHA1_HEAD.size:
        raise LogError(at, f"a record needs {_SHA1_HEAD.size} bytes, but only {len(data) - at} are left")
    register, kind, digest, size = _SHA1_HEAD.unpack_from(data, at)
    _check_register(register, kind, at)
    start = at + _SHA1_HEAD.size
    if size > len(data) - start:
        raise LogError(start - 4, f"the event's data has {size} bytes, but only {len(data) - start} are left")
    return Event(at, register, kind, {Bank.SHA1: digest}, data[start : start + size], start)


class _Layout:
    """The record that nearly every event of a crypto-agile log has: all declared digests, in the declared order.

    It is unpacked at once, for speed; any other record is read digest by digest.
    """

    def __init__(self, sizes: Mapping[int, int]) -> None:
        record = struct.Struct("<III" + "".join(f"H{size}s" for size in sizes.values()) + "I")
        self.size = record.size
        self.unpack = record.unpack_from
        self.count = len(sizes)
        self.algorithms = tuple(sizes)
        self.banks = tuple(_ALGORITHMS.get(algorithm) for algorithm in sizes)


def _agile_records(data: bytes, first: Event, end: int, sizes: Mapping[int, int]) -> Iterator[Event]:
    yield first
    layout = _Layout(sizes)
    at = first.data_offset + len(first.data)
    while at < end:
        event = _usual_record(data, at, layout) or _unusual_record(data, at, sizes)
        yield event
        at = event.data_offset + len(event.data)


def _usual_record(data: bytes, at: int, layout: _Layout) -> Event | None:
    """The record at `at`, or None where it has another layout or can't be read."""
    start = at + layout.size
    if start > len(data):
        return None
    register, kind, count, *rest, size = layout.unpack(data, at)
    if count != layout.count or tuple(rest[::2]) != layout.algorithms or size > len(data) - start:
        return None
    _check_register(register, kind, at)
    digests = {bank: digest for bank, digest in zip(layout.banks, rest[1::2], strict=True) if bank}
    return Event(at, register, kind, digests, data[start : start + size], start)


def _unusual_record(data: bytes, at: int, sizes: Mapping[int, int]) -> Event:
    try:
        register, kind, count = _AGILE_HEAD.unpack_from(data, at)
        _check_register(register, kind, at)
        if not 0 < count <= len(sizes):
            raise LogError(at + 8, f"the event has {count} digests, the log's header declares {len(sizes)}")
        digests, start = _digests(data, at + _AGILE_HEAD.size, count, sizes)
        (size,) = _U32.unpack_from(data, start)
    except struct.error:
        raise LogError(at, f"the record is longer than the {len(data) - at} bytes that are left") from None
    start += 4
    if size > len(data) - start:
        raise LogError(start - 4, f"the event's data has {size} bytes, but only {len(data) - start} are left")
    return Event(at, register, kind, digests, data[start : start + size], start)


def _digests(data: bytes, at: int, count: int, sizes: Mapping[int, int]) -> tuple[dict[Bank, bytes], int]:
    """Digests in any order, each algorithm at most once; and where they end."""
    found: dict[int, bytes] = {}
    for _ in range(count):
        (algorithm,) = _U16.unpack_from(data, at)
        if algorithm not in sizes:
            raise LogError(at, f"digest algorithm 0x{algorithm:x} is not declared in the log's header")
        if algorithm in found:
            raise LogError(at, f"digest algorithm 0x{algorithm:x} occurs twice in one event")
        start = at + 2
        at = start + sizes[algorithm]
        found[algorithm] = data[start:at]
    return {bank: found[algorithm] for algorithm, bank in _ALGORITHMS.items() if algorithm in found}, at


def _check_register(register: int, kind: int, at: int) -> None:
    if register >= REGISTER_COUNT and kind != _NO_ACTION and register != NO_REGISTER:
        raise LogError(at, f"register {register} does not exist: a TPM has 0 to {REGISTER_COUNT - 1}")


def _extended(events: list[Event]) -> dict[int, tuple[Event, ...]]:
    found: dict[int, list[Event]] = {}
    for event in events:
        if event.kind != _NO_ACTION and event.register != NO_REGISTER:
            found.setdefault(event.register, []).append(event)
    return {register: tuple(found[register]) for register in sorted(found)}


def _startup_locality(events: list[Event]) -> int:
    """What register 0 starts at: the locality that the log declares, or 4 with an H-CRTM, else 0.

    Profile, section 10.4.5.3: 0 or 3, or 4 where an H-CRTM was measured before TPM2_Startup.
    """
    found = None
    extended = hcrtm = False
    for event in events:
        if event.register != 0:
            continue
        if event.kind == Kind.EV_EFI_HCRTM_EVENT:
            hcrtm = True
        elif event.extends:
            extended = True
        elif event.data.startswith(STARTUP):
            found = _locality(event, late=extended, again=found is not None)
    return found if found is not None else 4 * hcrtm


def _locality(event: Event, *, late: bool, again: bool) -> int:
    at = event.data_offset
    if len(event.data) != len(STARTUP) + 1:
        raise LogError(at, f"the startup locality has {len(event.data) - len(STARTUP)} bytes instead of one")
    if again:
        raise LogError(at, "the startup locality is declared twice")
    if late:
        raise LogError(at, "the startup locality is declared after register 0 was extended")
    locality = event.data[-1]
    if locality not in {0, 3, 4}:
        raise LogError(at + len(STARTUP), f"a TPM does not start at locality {locality}")
    return locality
