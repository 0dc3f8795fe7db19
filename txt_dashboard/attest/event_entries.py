"""Baselines by events as entries of the signed set hold them, and what they let vary in words.

Beside the golden value of a register stand its events, which lead to that value: a digest each, and for one that may
vary its structure and the golden data that sets the limits.
"""

import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from txt_dashboard.attest.bound_key import as_text
from txt_dashboard.attest.eventlog import ipl, uefi
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.varying import BaselineError, EventBaseline, Expected, Structure, contents_of
from txt_dashboard.attest.pcr import Bank, PcrError, parse_index, parse_value
from txt_dashboard.attest.reasons import gettext_noop as _
from txt_dashboard.attest.text import shown

MOST_EVENTS = 1000  # of one register
LONGEST_GOLDEN = 64 * 1024  # bytes of one event's data
MOST_GOLDEN = 256 * 1024  # bytes of all data in one baseline
_LONGEST_WORDS = 160
# UEFI Specification 2.10, section 5.3.3; UAPI Group, Discoverable Partitions Specification.
_PARTITIONS = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux data",
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
    "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux extended boot",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
    "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
}

# What may be otherwise in an event of each structure; the golden data fills in the rest.
LIMITS: Mapping[Structure, str] = {
    Structure.BOOT_ORDER: _("the boot order: any order of the entries %(golden)s, or some of them"),
    Structure.BOOT_ENTRY: _("a boot entry: the disk and the partition that it lies on, the rest as in %(golden)s"),
    Structure.PARTITIONS: _(
        "the partition table: other identifiers, places and names of the same partitions: %(golden)s"
    ),
    Structure.UUIDS: _("a GRUB command: the digits of its UUIDs, the rest as in %(golden)s"),
}


def events_entry(events: Mapping[int, EventBaseline]) -> dict[str, Any]:
    """As JSON, by register."""
    return {str(register): [_written(each) for each in of.events] for register, of in sorted(events.items())}


def read_events(stored: object, bank: Bank) -> dict[int, EventBaseline]:
    """From JSON, as strictly as it was written; raises `BaselineError`."""
    if not isinstance(stored, Mapping) or not stored:
        raise BaselineError("events must name at least one register")
    found: dict[int, EventBaseline] = {}
    for index, rows in stored.items():
        register = _register(index)
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_EVENTS:
            raise BaselineError(f"register {register} must have 1 to {MOST_EVENTS} events")
        found[register] = EventBaseline(register, bank, tuple(_read(row, bank) for row in rows))
    if len(found) != len(stored) or sum(map(_size, found.values())) > MOST_GOLDEN:
        raise BaselineError(f"a register is named twice, or the data has more than {MOST_GOLDEN} bytes")
    return found


def varying(of: EventBaseline) -> Iterator[tuple[int, Structure, str]]:
    """The events that may vary: position from 1, structure, and what of the golden data stays, safe to show."""
    for position, event in enumerate(of.events, start=1):
        if event.structure is not None:
            yield position, event.structure, golden_words(event.structure, event.golden)


def golden_words(structure: Structure, golden: bytes) -> str:
    """What of an event's golden data sets the limits, for people, safe to show."""
    try:
        return shown(_words(structure, golden), _LONGEST_WORDS)
    except LogError as error:
        return shown(error.sentence, _LONGEST_WORDS)


def _words(structure: Structure, golden: bytes) -> str:
    body = contents_of(golden)
    if structure is Structure.BOOT_ORDER:
        return ", ".join(f"Boot{each:04X}" for each in uefi.boot_order(body, 0))
    if structure is Structure.BOOT_ENTRY:
        entry = uefi.boot_entry(body, 0)
        return f"{entry.description}: {entry.path}"
    if structure is Structure.PARTITIONS:
        used = [each.kind for each in uefi.partitions(golden, 0)[1]]
        return ", ".join(_PARTITIONS.get(str(kind), str(kind)) for kind in used if kind.int)
    return ipl.plain(golden)


def _written(event: Expected) -> dict[str, str]:
    said = {"digest": event.digest.hex()}
    if event.structure is None:
        return said
    return {**said, "structure": event.structure.value, "golden": as_text(event.golden)}


def _read(row: object, bank: Bank) -> Expected:
    if not isinstance(row, Mapping) or set(row) not in ({"digest"}, {"digest", "structure", "golden"}):
        raise BaselineError("an event has exactly the key digest, or digest, structure and golden")
    if not all(isinstance(value, str) for value in row.values()):
        raise BaselineError("what an event says must be texts")
    try:
        digest = parse_value(row["digest"], bank)
    except PcrError as error:
        raise BaselineError(str(error)) from None
    if "structure" not in row:
        return Expected(digest)
    if row["structure"] not in list(Structure):
        raise BaselineError(f"{row['structure'][:60]!r} is no structure")
    try:
        golden = binascii.a2b_base64(row["golden"], strict_mode=True)
    except (binascii.Error, ValueError):
        raise BaselineError("golden must be base64") from None
    if len(golden) > LONGEST_GOLDEN or as_text(golden) != row["golden"]:
        raise BaselineError(f"golden must hold at most {LONGEST_GOLDEN} bytes")
    return Expected(digest, Structure(row["structure"]), golden)


def _register(index: object) -> int:
    try:
        return parse_index(index) if isinstance(index, str) else -1
    except PcrError as error:
        raise BaselineError(str(error)) from None


def _size(of: EventBaseline) -> int:
    return sum(len(event.golden) for event in of.events)
