"""Event logs: the four formats are read to their end, and what can't be read is refused with its offset."""

import struct

import pytest

from tests.attest.logbuilder import (
    Record,
    agile_log,
    agile_record,
    container,
    locality,
    real_form,
    sha1_log,
    sha1_record,
    spec_id,
)
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.kinds import Kind, kind_name
from txt_dashboard.attest.eventlog.log import MAX_SIZE, parse, parse_partially
from txt_dashboard.attest.pcr import Bank

ACTION = Record(4, 0x80000007, b"Calling EFI Application from Boot Option")
HEAD = len(sha1_record(spec_id(("sha1", "sha256"))))


def refusal(data: bytes) -> LogError:
    with pytest.raises(LogError) as caught:
        parse(data)
    return caught.value


@pytest.mark.parametrize("build", [sha1_log, container])
def test_sha1_formats_give_every_record(build) -> None:
    log = parse(build(ACTION, Record(0, 4, bytes(4))))
    assert log.banks == (Bank.SHA1,)
    assert [(event.register, event.kind, event.data) for event in log.events] == [
        (4, 0x80000007, ACTION.data),
        (0, 4, bytes(4)),
    ]
    assert log.events[0].digests == {Bank.SHA1: ACTION.digest("sha1")}


def test_a_crypto_agile_log_gives_each_digest_and_where_each_record_stands() -> None:
    data = agile_log(ACTION, banks=("sha256", "sha384", "sha512"))
    log = parse(data)
    header, event = log.events
    assert log.banks == (Bank.SHA256, Bank.SHA384, Bank.SHA512)
    assert not header.extends
    assert event.extends
    assert event.digests == {Bank(bank): ACTION.digest(bank) for bank in ("sha256", "sha384", "sha512")}
    assert data[event.data_offset : event.data_offset + len(event.data)] == ACTION.data
    assert data[event.offset : event.offset + 4] == b"\x04\0\0\0"


def test_digests_may_come_in_any_order_and_of_fewer_banks() -> None:
    data = agile_log(ACTION) + agile_record(ACTION, ("sha256", "sha1")) + agile_record(ACTION, ("sha256",))
    assert [len(event.digests) for event in parse(data).events] == [1, 2, 2, 1]


def test_digests_of_an_algorithm_we_do_not_know_are_stepped_over_by_their_declared_size() -> None:
    log = parse(agile_log(ACTION, banks=("sha256", "sm3")))
    assert log.unknown == (0x12,)
    assert set(log.events[1].digests) == {Bank.SHA256}


def test_spare_space_in_a_container_is_not_read() -> None:
    assert len(parse(container(ACTION, spare=64)).events) == 1


@pytest.mark.parametrize("padding", [b"\0", b"\xff"])
@pytest.mark.parametrize("size", [1, 31, 32, 4096])
@pytest.mark.parametrize("build", [sha1_log, agile_log])
def test_padding_ends_a_log(build, padding: bytes, size: int) -> None:
    assert parse(build(ACTION, Record(0, 4, bytes(4))) + padding * size).events == (
        parse(build(ACTION, Record(0, 4, bytes(4)))).events
    )


def test_windows_summary_of_no_register_is_kept() -> None:
    assert parse(agile_log(Record(0xFFFFFFFF, 3, b"signed"))).events[1].register == 0xFFFFFFFF


def test_every_type_has_its_name() -> None:
    assert kind_name(0x8000000C) == Kind.EV_EFI_VARIABLE_BOOT2.name
    assert kind_name(0x412) == "TXT_LCP_DETAILS_HASH"
    assert kind_name(0x12345) == "type 0x12345"


@pytest.mark.parametrize("cut", range(1, 31))
def test_a_cut_record_is_refused_at_its_start(cut: int) -> None:
    whole = sha1_log(ACTION)
    assert refusal(whole + whole[:cut]).offset == len(whole)


def test_cut_data_is_refused_at_its_size_and_what_came_before_can_be_shown() -> None:
    data = agile_log(ACTION, ACTION)
    at = len(data) - len(ACTION.data) - 4
    log, error = parse_partially(data[:-1])
    assert error is not None
    assert error.offset == at
    assert len(log.events) == 2


@pytest.mark.parametrize(
    ("data", "offset", "says"),
    [
        (b"", 0, "empty"),
        (bytes(4096), 0, "empty"),
        (b"\xff" * 4096, 0, "empty"),
        (sha1_log(Record(24, 4)), 0, "register 24"),
        (agile_log(Record(24, 4)), HEAD, "register 24"),
        (agile_log() + struct.pack("<III", 1, 4, 0) + bytes(4) + b"x", HEAD + 8, "0 digests"),
        (agile_log() + struct.pack("<III", 1, 4, 0xFFFFFFFF) + b"x", HEAD + 8, "4294967295 digests"),
        (agile_log() + agile_record(ACTION, ("sha384",)), HEAD + 12, "not declared"),
        (agile_log() + agile_record(ACTION, ("sha1", "sha1")), HEAD + 34, "twice"),
        (sha1_record(spec_id(())) + b"x", 60, "0 digest algorithms"),
        (sha1_record(spec_id(("sha1", "sha1"))) + b"x", 68, "declared twice"),
        (sha1_record(spec_id(("sha256",), {"sha256": 20})) + b"x", 64, "20 bytes"),
        (container(ACTION, version=2), 32, "version"),
        (container(ACTION)[:60], 36, "inside the container"),
        (agile_log(locality(3), locality(3)), HEAD + 89 + 72, "twice"),
        (agile_log(Record(0, 4, bytes(4)), locality(3)), HEAD + 76 + 72, "after register 0"),
        (agile_log(locality(2)), HEAD + 72 + 16, "locality 2"),
        (agile_log(Record(0, 3, b"StartupLocality\0\0\0")), HEAD + 72, "2 bytes"),
    ],
)
def test_a_refusal_names_the_byte(data: bytes, offset: int, says: str) -> None:
    error = refusal(data)
    assert says in error.sentence
    assert error.offset == offset
    assert str(offset) in str(error)


def test_more_than_the_limit_is_not_read() -> None:
    assert refusal(b"\1" * (MAX_SIZE + 1)).offset == MAX_SIZE


def test_the_form_that_the_other_tests_mutate_is_read_whole() -> None:
    assert len(parse(agile_log(*real_form())).events) == len(real_form()) + 1
