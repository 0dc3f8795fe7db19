"""Why registers differ: what came, went, changed and moved, in one honest sentence."""

import hashlib
import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.logbuilder import (
    Record,
    agile_log,
    boot_order,
    file_path,
    grub,
    image,
    locality,
    node,
    read_file,
    sha1_log,
    variable,
)
from txt_dashboard.attest.eventlog.align import align
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.why import Explanation, NoCommonBank, explain
from txt_dashboard.attest.pcr import Bank

DIGESTS = st.lists(st.integers(0, 6).map(lambda number: bytes([number])), max_size=30)


def why(old: list[Record], new: list[Record]) -> Explanation:
    return explain(parse(agile_log(*old)), parse(agile_log(*new)))


def test_equal_logs_differ_in_nothing() -> None:
    found = why([grub("a"), grub("b")], [grub("a"), grub("b")])
    assert found.registers == {}
    assert found.sentence == "the logs say nothing different"


def test_a_kernel_update_is_told_as_one() -> None:
    def boot(version: str) -> list[Record]:
        return [
            grub("set timeout=5"),
            grub(f"linux /vmlinuz-{version} ro"),
            read_file(f"/vmlinuz-{version}", version.encode()),
            Record(4, 0x80000003, image(b""), version.encode()),
        ]

    found = why(boot("6.1"), boot("6.2"))
    assert list(found.registers) == [4, 8, 9]
    assert found.sentence == "the log says: the kernel was replaced and GRUB's commands changed"
    ((old, new),) = found.registers[9].changed
    assert (old.story.text, new.story.text) == ("/vmlinuz-6.1", "/vmlinuz-6.2")


def test_added_removed_and_moved_events_are_told_apart() -> None:
    one, two, three = (read_file(name, name.encode()) for name in ("/one", "/two", "/three"))
    change = why([one, two], [two, one]).registers[9]
    assert (len(change.moved), change.added, change.removed, change.changed) == (1, (), (), ())
    assert "came in another order" in change.sentence
    change = why([one, two], [one, three, two]).registers[9]
    assert [told.story.text for told in change.added] == ["/three"]
    assert change.sentence == "the log says: the file /three was added"
    change = why([one, three, two], [one, two]).registers[9]
    assert change.sentence == "the log says: the file /three was removed"


def test_another_startup_locality_is_told() -> None:
    version = Record(0, 8, b"1\0")
    change = why([locality(0), version], [locality(3), version]).registers[0]
    assert change.starts == (0, 3)
    assert change.sentence == "the log says: the TPM was started from locality 3 instead of 0"


def test_only_digests_decide_what_is_the_same() -> None:
    relabelled = Record(8, 2, b"whatever", b"a")
    assert why([grub("a")], [relabelled]).registers == {}


def test_many_drivers_are_one_clause_and_many_things_are_counted() -> None:
    drivers = [
        Record(2, 0x80000004, image(node(4, 6, UUID(int=n).bytes_le) + b"\x7f\xff\4\0"), b"%d" % n) for n in (1, 2)
    ]
    others = [Record(2, 0x80000004, each.data, each.measured + b"new") for each in drivers]
    assert why(drivers, others).sentence == "the log says: drivers of firmware and cards were replaced"
    settings = [Record(1, 0x80000001, variable(f"S{n}", b"a")) for n in range(20)]
    changed = [Record(1, 0x80000001, variable(f"S{n}", b"b")) for n in range(20)]
    assert why(settings, changed).sentence.endswith("and 12 more things changed")


def test_logs_without_a_common_bank_can_not_be_compared() -> None:
    with pytest.raises(NoCommonBank):
        explain(parse(sha1_log(grub("a"))), parse(agile_log(grub("a"), banks=("sha256",))))


def test_the_bank_that_was_verified_is_the_one_to_compare_in() -> None:
    """A log may hold the golden digests in another bank, one that nothing bears out."""
    one, other = (
        Record(4, 4, b"one", digests={"sha384": b"x" * 48}),
        Record(4, 4, b"two", digests={"sha384": b"x" * 48}),
    )
    logs = [parse(agile_log(each, banks=("sha256", "sha384"))) for each in (one, other)]
    assert explain(*logs).registers == {}
    assert list(explain(*logs, Bank.SHA256).registers) == [4]
    with pytest.raises(NoCommonBank, match="sha1"):
        explain(*logs, Bank.SHA1)


def test_hostile_names_do_not_reach_the_sentence_as_they_are() -> None:
    evil = [Record(4, 0x80000003, image(file_path("\\\u202e" + "x" * 900)), b"a")]
    sentence = why([Record(1, 0x80000002, variable("BootOrder", boot_order(1)))], evil).sentence
    assert sentence.isprintable()
    assert len(sentence) < 500


@given(DIGESTS, DIGESTS)
def test_an_alignment_accounts_for_every_event_once(old: list[bytes], new: list[bytes]) -> None:
    found = align(old, new)
    left = [at for gap in found.gaps for at in gap.old]
    right = [at for gap in found.gaps for at in gap.new]
    assert all(old[at] == new[to] for at, to in found.moved)
    assert not {old[at] for at in left} & {new[at] for at in right}
    kept_left = [each for at, each in enumerate(old) if at not in {*left, *(pair[0] for pair in found.moved)}]
    kept_right = [each for at, each in enumerate(new) if at not in {*right, *(pair[1] for pair in found.moved)}]
    assert kept_left == kept_right


@given(DIGESTS)
def test_equal_sequences_have_no_differences(digests: list[bytes]) -> None:
    assert align(digests, digests) == ([], [])


@pytest.mark.parametrize("kinds", [1, 2, 50, 10**6])
def test_long_hostile_sequences_take_no_long_time(kinds: int) -> None:
    old = [hashlib.sha256(b"%d" % (n % kinds)).digest() for n in range(20000)]
    began = time.process_time()
    align(old, [b"x", *reversed(old)])
    assert time.process_time() - began < 5
