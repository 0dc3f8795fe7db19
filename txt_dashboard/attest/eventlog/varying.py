"""Baselines by events, for registers whose values legitimately differ from host to host (1, 5 and 8).

A log counts only when it replays exactly to the verified register, so that each digest is authentic. Events
then match the golden ones one by one; only an event that was declared to vary may have another digest, and
only if that digest is recomputed from its data, and the data is wholly the declared structure within limits.
Type and name excuse nothing: they are not authenticated. Nor does a digest in SHA-1: two data of one digest can be
made, and the log could hold the harmless one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from txt_dashboard.attest.eventlog import ipl, measured, uefi
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Event, Log
from txt_dashboard.attest.eventlog.replay import replay_register
from txt_dashboard.attest.pcr import Bank, replay

REGISTERS = frozenset({1, 5, 8})
_BOOT_ORDER = "BootOrder".encode("utf-16-le")
COLLIDING = frozenset({Bank.SHA1})
_UUID = re.compile(rb"(?<![0-9a-fA-F-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F-])")


class Structure(StrEnum):
    """What the data of a varying event must be, wholly."""

    BOOT_ORDER = "boot order"  # a list of the golden order's entries, each once, in any order
    BOOT_ENTRY = "boot entry"  # the golden load option, but for the disk and partition it lies on
    PARTITIONS = "partitions"  # a partition table whose partitions have the golden types, in the golden order
    UUIDS = "command with UUIDs"  # the golden GRUB command, but for the digits of UUIDs in it


class BaselineError(ValueError):
    """A baseline by events can't be made as asked; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One golden event: its digest, and, where it may vary, the structure and the golden data that sets limits."""

    digest: bytes
    structure: Structure | None = None
    golden: bytes = b""

    def check(self, bank: Bank) -> None:
        """Raises `BaselineError` where it sets no limits: its data is not the digest's, or not the structure."""
        if self.structure is None:
            return
        if measured.digest(bank, self.golden) != self.digest:
            raise BaselineError("the data of an event that may vary is not that of its digest")
        try:
            _LIMITS[self.structure](self.golden, self.golden)
        except LogError as error:
            raise BaselineError(f"an event that may vary is no {self.structure}: {error.sentence}") from None


@dataclass(frozen=True, slots=True)
class EventBaseline:
    """The events that one register of one bank must show, in order."""

    register: int
    bank: Bank
    events: tuple[Expected, ...]

    def __post_init__(self) -> None:
        _check_register(self.register, self.bank)
        for event in self.events:
            event.check(self.bank)

    @property
    def value(self) -> bytes:
        """The register's value after exactly these events."""
        return replay(self.bank, [event.digest for event in self.events])


class Mismatch(NamedTuple):
    """Why a log does not match; `offset` is the event's byte in the log, or None where the whole log is at fault."""

    offset: int | None
    sentence: str


def baseline(log: Log, bank: Bank, register: int, vary: Mapping[int, Structure]) -> EventBaseline:
    """The golden events of a register, from a log that was checked against its verified value.

    `vary` declares the structure of events that may vary, by their position among the register's events.
    Raises `BaselineError` for another register, a position without an event, or an event that is not the
    structure already.
    """
    _check_register(register, bank)
    events = log.extended.get(register, ())
    if unknown := sorted(vary.keys() - set(range(len(events)))):
        raise BaselineError(f"register {register} has no event {unknown[0]}")
    expected = []
    for position, event in enumerate(events):
        if bank not in event.digests:
            raise BaselineError(f"event {position} of register {register} has no {bank} digest")
        expected.append(_expect(event, bank, vary.get(position)))
    return EventBaseline(register, bank, tuple(expected))


def compare(golden: EventBaseline, log: Log, verified: bytes) -> Mismatch | None:
    """The first way in which a host's log differs from the baseline, or None where it matches.

    `verified` must be the register's value from a verified quote: nothing else makes a log count.
    """
    if not explains(log, golden.bank, golden.register, verified):
        return Mismatch(None, f"the log does not replay to register {golden.register}, so it proves nothing")
    events = log.extended[golden.register]
    for event, expected in zip(events, golden.events, strict=False):
        if event.digests[golden.bank] != expected.digest and (why := _excess(event, expected, golden.bank)):
            return Mismatch(event.offset, why)
    if len(events) > len(golden.events):
        return Mismatch(events[len(golden.events)].offset, "the event is one more than the baseline has")
    if len(events) < len(golden.events):
        return Mismatch(None, f"the log has {len(events)} events, the baseline {len(golden.events)}")
    return None


def explains(log: Log, bank: Bank, register: int, value: bytes) -> bool:
    """Whether the log's events lead exactly to the register's value: only then it says anything of it."""
    return replay_register(log, bank, register) == value


def possible(event: Event, bank: Bank) -> tuple[Structure, ...]:
    """The structures as which the event could be declared to vary: its digest is of its data, which is wholly one."""
    body = _measured(event, bank) if bank in event.digests else None
    return () if body is None else tuple(each for each in Structure if _is(each, body, event.data))


def measured_body(event: Event, bank: Bank) -> bytes:
    """The data that an event's digest is of; raises `BaselineError` where the log does not hold it."""
    if (body := _measured(event, bank)) is None:
        raise BaselineError("the digest is not that of the event's data")
    return body


def borne_out(log: Log, bank: Bank, register: int) -> int:
    """How many of the register's events hold the data that their digest is of."""
    events = log.extended.get(register, ())
    return sum(bank in event.digests and _measured(event, bank) is not None for event in events)


def _is(structure: Structure, body: bytes, data: bytes) -> bool:
    # Any text is a command with UUIDs, and most bytes are a list of numbers: the name says whether it is meant.
    if structure is Structure.UUIDS:
        return _UUID.search(body) is not None
    if structure is Structure.BOOT_ORDER and _BOOT_ORDER not in data:
        return False
    try:
        return _LIMITS[structure](body, body)
    except LogError:
        return False


def _check_register(register: int, bank: Bank) -> None:
    if register not in REGISTERS:
        raise BaselineError(f"register {register} has one golden value; only {sorted(REGISTERS)} may vary by events")
    if bank in COLLIDING:
        raise BaselineError(f"nothing may vary by events in {bank}: two data can be made that have one digest")


def _expect(event: Event, bank: Bank, structure: Structure | None) -> Expected:
    if structure is None:
        return Expected(event.digests[bank])
    body = _measured(event, bank)
    if body is None:
        raise BaselineError(f"the digest of the event at byte {event.offset} is not that of its data: it can't vary")
    expected = Expected(event.digests[bank], structure, body)
    try:
        expected.check(bank)
    except BaselineError as error:
        raise BaselineError(f"the event at byte {event.offset} can't vary: {error}") from None
    return expected


def _excess(event: Event, expected: Expected, bank: Bank) -> str | None:
    """Why the event's other digest is not excused."""
    if expected.structure is None:
        return "the event's digest is not the golden one, and it may not vary"
    body = _measured(event, bank)
    if body is None:
        return "the event's digest is not that of its data, so the data proves nothing"
    try:
        within = _LIMITS[expected.structure](body, expected.golden)
    except LogError as error:
        return f"the event is no {expected.structure}: {error.sentence}"
    return None if within else f"the {expected.structure} is beyond the limits that the golden one sets"


def _measured(event: Event, bank: Bank) -> bytes | None:
    """The bytes that the event's digest was recomputed from, whatever type and name it claims."""
    command = ipl.command(event.data)
    candidates = [event.data, *([] if command is None else [command]), *measured.variable_contents(event)]
    return next((each for each in candidates if measured.digest(bank, each) == event.digests[bank]), None)


def contents_of(body: bytes) -> bytes:
    """A variable's contents, where firmware measured them with vendor and name; else the body itself."""
    try:
        return uefi.variable(body, 0).contents
    except LogError:
        return body


def _same_name(body: bytes, golden: bytes) -> bool:
    """Where vendor and name were measured too, they are the golden ones."""
    head, golden_head = body[: len(body) - len(contents_of(body))], golden[: len(golden) - len(contents_of(golden))]
    return head[:16] == golden_head[:16] and head[32:] == golden_head[32:]


def _boot_order(body: bytes, golden: bytes) -> bool:
    order, known = (uefi.boot_order(contents_of(each), 0) for each in (body, golden))
    return _same_name(body, golden) and set(order) <= set(known)


def _boot_entry(body: bytes, golden: bytes) -> bool:
    entry, known = (uefi.boot_entry_anywhere(contents_of(each), 0) for each in (body, golden))
    return _same_name(body, golden) and entry == known


def _partitions(body: bytes, golden: bytes) -> bool:
    (_, entries), (_, known) = (uefi.partitions(each, 0) for each in (body, golden))
    # As long as the golden one, or entries could have room behind them for bytes that nobody looks at.
    return len(body) == len(golden) and [entry.kind for entry in entries] == [entry.kind for entry in known]


def _uuids(body: bytes, golden: bytes) -> bool:
    return _UUID.split(body) == _UUID.split(golden)


_LIMITS: dict[Structure, Callable[[bytes, bytes], bool]] = {
    Structure.BOOT_ORDER: _boot_order,
    Structure.BOOT_ENTRY: _boot_entry,
    Structure.PARTITIONS: _partitions,
    Structure.UUIDS: _uuids,
}
