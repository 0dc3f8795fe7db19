"""Baselines by events: what varies legitimately passes, and nothing else does, whatever it calls itself."""

from uuid import UUID

import pytest

from tests.attest.logbuilder import (
    Record,
    agile_log,
    boot_entry,
    boot_order,
    disk_node,
    file_path,
    grub,
    partitions,
    variable,
)
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.eventlog.varying import BaselineError, EventBaseline, Mismatch, Structure, baseline, compare
from txt_dashboard.attest.pcr import Bank

ESP, ROOT = UUID(int=11), UUID(int=12)
ONE, TWO = "de68f5b1-01c3-415e-9e58-45413115c6e4", "00000000-01c3-415e-9e58-000000000000"


def order(*numbers: int, whole: bool = False) -> Record:
    contents = boot_order(*numbers)
    return Record(1, 0x80000002, variable("BootOrder", contents), None if whole else contents)


def entry(disk: int = 1, *, file: str = "\\shim.efi", description: str = "debian", optional: bytes = b"") -> Record:
    contents = boot_entry(description, disk_node(UUID(int=disk)) + file_path(file), optional)
    return Record(1, 0x80000002, variable("Boot0001", contents), contents)


def table(disk: int, *kinds: UUID) -> Record:
    entries = [(kind, UUID(int=disk + at), "name") for at, kind in enumerate(kinds)]
    return Record(5, 0x80000006, partitions(*entries, disk=UUID(int=disk)))


def roomy_table(*kinds: UUID) -> Record:
    """A table whose entries have 256 bytes: as many again behind the 128 that mean something."""
    data = table(1, *kinds).data
    head, size, rest = data[:84], (256).to_bytes(4, "little"), data[88:100]
    entries = [data[at : at + 128] + b"x" * 128 for at in range(100, len(data), 128)]
    return Record(5, 0x80000006, head + size + rest + b"".join(entries))


def golden(register: int, record: Record, structure: Structure) -> EventBaseline:
    fixed = Record(register, 4, bytes(4))
    return baseline(parse(agile_log(record, fixed)), Bank.SHA256, register, {0: structure})


def judged(base: EventBaseline, *records: Record) -> Mismatch | None:
    log = parse(agile_log(*records))
    return compare(base, log, replay(log, Bank.SHA256)[base.register])


GOLDEN = [
    (1, order(1, 2, 3), Structure.BOOT_ORDER),
    (1, order(1, 2, 3, whole=True), Structure.BOOT_ORDER),
    (1, entry(), Structure.BOOT_ENTRY),
    (5, table(1, ESP, ROOT), Structure.PARTITIONS),
    (8, grub(f"linux /vmlinuz root=UUID={ONE} ro"), Structure.UUIDS),
]
VARIED = [
    order(3, 1),
    order(2, 1, 3, whole=True),
    entry(2),
    table(7, ESP, ROOT),
    grub(f"linux /vmlinuz root=UUID={TWO} ro"),
]


@pytest.mark.parametrize(("expected", "record"), list(zip(GOLDEN, VARIED, strict=True)))
def test_what_is_within_the_limits_matches(expected, record: Record) -> None:
    register = expected[0]
    assert judged(golden(*expected), record, Record(register, 4, bytes(4))) is None
    assert judged(golden(*expected), expected[1], Record(register, 4, bytes(4))) is None


@pytest.mark.parametrize(
    ("expected", "record", "says"),
    [
        (GOLDEN[0], order(1, 9), "beyond the limits"),
        (GOLDEN[0], order(1, 1), "twice"),
        (GOLDEN[0], Record(1, 0x80000002, variable("BootOrder", b"\1\0\2"), b"\1\0\2"), "no boot order"),
        (GOLDEN[0], Record(1, 0x80000002, variable("BootOrder", boot_order(1)), b"else"), "not that of its data"),
        (GOLDEN[1], Record(1, 0x80000002, variable("Backdoor", boot_order(1))), "beyond the limits"),
        (GOLDEN[1], order(1, 2), "beyond the limits"),
        (GOLDEN[2], entry(file="\\evil.efi"), "beyond the limits"),
        (GOLDEN[2], entry(description="evil"), "beyond the limits"),
        (GOLDEN[2], entry(optional=b"single"), "beyond the limits"),
        (GOLDEN[3], table(1, ESP), "beyond the limits"),
        (GOLDEN[3], table(1, ESP, ESP), "beyond the limits"),
        (GOLDEN[3], Record(5, 0x80000006, table(2, ESP, ROOT).data + b"x"), "no partitions"),
        (GOLDEN[3], roomy_table(ESP, ROOT), "beyond the limits"),
        (GOLDEN[4], grub(f"linux /vmlinuz root=UUID={TWO} rw"), "beyond the limits"),
        (GOLDEN[4], grub(f"linux /vmlinuz root=UUID={TWO[:-1]} ro"), "beyond the limits"),
        (GOLDEN[4], grub(f"linux /vmlinuz root=UUID={TWO} init=/bin/sh ro"), "beyond the limits"),
    ],
)
def test_what_is_beyond_them_does_not(expected, record: Record, says: str) -> None:
    found = judged(golden(*expected), record, Record(expected[0], 4, bytes(4)))
    assert found is not None
    assert says in found.sentence
    assert found.offset == 69


def test_an_event_that_may_not_vary_is_not_excused_by_its_name() -> None:
    base = baseline(parse(agile_log(order(1, 2))), Bank.SHA256, 1, {})
    found = judged(base, order(2, 1))
    assert found is not None
    assert "may not vary" in found.sentence


def test_an_extra_or_missing_event_is_a_mismatch() -> None:
    base = golden(*GOLDEN[0])
    fixed = Record(1, 4, bytes(4))
    assert "one more" in judged(base, order(1, 2), fixed, fixed).sentence
    assert "the baseline 2" in judged(base, order(1, 2)).sentence
    assert judged(base, fixed, order(1, 2)) is not None


def test_a_log_that_does_not_replay_to_the_verified_register_counts_for_nothing() -> None:
    found = compare(golden(*GOLDEN[0]), parse(agile_log(order(1, 2), Record(1, 4, bytes(4)))), b"x" * 32)
    assert found is not None
    assert found.offset is None
    assert "proves nothing" in found.sentence


@pytest.mark.parametrize("register", [0, 2, 4, 7, 9, 10, 17])
def test_other_registers_never_vary(register: int) -> None:
    with pytest.raises(BaselineError, match="only"):
        baseline(parse(agile_log(Record(register, 4, bytes(4)))), Bank.SHA256, register, {})


@pytest.mark.parametrize(
    ("records", "vary"),
    [
        ([order(1)], {1: Structure.BOOT_ORDER}),
        ([order(1)], {0: Structure.BOOT_ENTRY}),
        ([Record(1, 0x80000002, b"x", b"y")], {0: Structure.BOOT_ORDER}),
    ],
)
def test_a_baseline_that_can_not_be_checked_is_not_made(records: list[Record], vary: dict[int, Structure]) -> None:
    with pytest.raises(BaselineError):
        baseline(parse(agile_log(*records)), Bank.SHA256, 1, vary)
