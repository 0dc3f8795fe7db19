"""Replay: exact against hashlib, each bank alone; nothing that is not known is guessed."""

import hashlib

import pytest

from tests.attest.logbuilder import Record, agile_log, agile_record, locality, sha1_log
from txt_dashboard.attest.eventlog.checks import problems
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.replay import Standing, judge, replay
from txt_dashboard.attest.pcr import Bank

EVENT = Record(4, 0x80000007, b"a")
HCRTM = Record(0, 0x80000010, b"HCRTM")
VERSION = Record(0, 8, b"1\0")


def extended(bank: str, start: int, *digests: bytes) -> bytes:
    value = start.to_bytes(hashlib.new(bank).digest_size, "big")
    for digest in digests:
        value = hashlib.new(bank, value + digest).digest()
    return value


@pytest.mark.parametrize("bank", ["sha1", "sha256", "sha384", "sha512"])
def test_each_bank_is_extended_with_its_own_digests(bank: str) -> None:
    log = parse(agile_log(EVENT, VERSION, EVENT, banks=("sha1", "sha256", "sha384", "sha512")))
    digest = EVENT.digest(bank)
    assert replay(log, Bank(bank)) == {
        0: extended(bank, 0, VERSION.digest(bank)),
        4: extended(bank, 0, digest, digest),
    }


@pytest.mark.parametrize(
    ("records", "start"),
    [
        ([VERSION], 0),
        ([locality(0), VERSION], 0),
        ([locality(3), VERSION], 3),
        ([locality(4), VERSION], 4),
        ([HCRTM, VERSION], 4),
        ([locality(4), HCRTM, VERSION], 4),
        ([HCRTM, locality(4), VERSION], 4),
    ],
)
def test_register_0_starts_at_the_startup_locality(records: list[Record], start: int) -> None:
    digests = [record.digest("sha256") for record in records if record.kind != 3]
    assert replay(parse(agile_log(*records)), Bank.SHA256)[0] == extended("sha256", start, *digests)


def test_no_action_events_and_events_of_no_register_extend_nothing() -> None:
    log = parse(sha1_log(Record(0, 3, b"x"), Record(0xFFFFFFFF, 3, b"x"), Record(0xFFFFFFFF, 6, b"x"), EVENT))
    assert set(replay(log, Bank.SHA1)) == {4}


def test_a_register_with_an_event_without_a_digest_is_not_replayed_in_that_bank() -> None:
    log = parse(agile_log(EVENT, VERSION) + agile_record(EVENT, ("sha256",)))
    assert set(replay(log, Bank.SHA1)) == {0}
    assert set(replay(log, Bank.SHA256)) == {0, 4}
    assert judge(log, Bank.SHA1, {4: extended("sha1", 0, EVENT.digest("sha1"))}) == {4: Standing.UNEXPLAINED}
    assert any("no sha1 digest" in problem.sentence for problem in problems(log))


def test_registers_are_explained_unexplained_or_contradicted() -> None:
    log = parse(sha1_log(EVENT, VERSION))
    value = replay(log, Bank.SHA1)[4]
    values = {0: b"x" * 20, 4: value, 5: bytes(20), 10: b"x" * 20, 17: b"\xff" * 20}
    assert judge(log, Bank.SHA1, values) == {
        0: Standing.CONTRADICTED,
        4: Standing.EXPLAINED,
        5: Standing.EXPLAINED,
        10: Standing.UNEXPLAINED,
        17: Standing.EXPLAINED,
    }


def test_a_bank_that_the_log_has_not_explains_nothing() -> None:
    log = parse(sha1_log(EVENT))
    assert judge(log, Bank.SHA256, {4: b"x" * 32}) == {4: Standing.UNEXPLAINED}
    assert judge(log, Bank.SHA256, {4: bytes(32)}) == {4: Standing.UNEXPLAINED}


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (Record(7, 2, b"x"), "EV_UNUSED is not an event type"),
        (Record(7, 0x99, b"x"), "type 0x99 is not an event type"),
        (Record(7, 3, b"x", digests={"sha1": b"x" * 20}), "never extended"),
        (Record(7, 4, bytes(4), b"else"), "not that of its data"),
        (Record(8, 0xD, b"grub_cmd: a\0", b"b"), "not that of its data"),
        (Record(5, 0x80000006, b"EFI PART"), "not what the type promises"),
    ],
)
def test_what_is_odd_is_named_with_its_byte(record: Record, says: str) -> None:
    found = problems(parse(agile_log(EVENT, record)))
    assert any(says in problem.sentence for problem in found), found
    assert all(problem.offset > 0 for problem in found)


def test_a_sound_log_has_no_problems() -> None:
    assert problems(parse(agile_log(locality(3), EVENT, VERSION))) == ()


def test_digests_that_are_not_replayed_are_said() -> None:
    assert "0x12" in problems(parse(agile_log(EVENT, banks=("sha256", "sm3"))))[0].sentence
