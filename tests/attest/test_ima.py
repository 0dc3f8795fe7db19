"""IMA lists: both forms, all templates, a beginning that leads to the register, violations named."""

import hashlib
import struct

import pytest

from tests.attest.logbuilder import ima_data, ima_entry, ima_record
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.ima import MAX_SIZE, parse, replay
from txt_dashboard.attest.pcr import PcrError

PATHS = ("boot_aggregate", "/usr/bin/init", "/etc/fstab")
VIOLATION = ima_record(bytes(20), "ima-ng", ima_data("/srv/open", b""))


def sha1(data: bytes) -> bytes:
    return hashlib.new("sha1", data, usedforsecurity=False).digest()


def register(bank: str, *digests: bytes) -> bytes:
    value = bytes(hashlib.new(bank).digest_size)
    for digest in digests:
        value = hashlib.new(bank, value + digest).digest()
    return value


def extended(bank: str, count: int = len(PATHS), template: str = "ima-ng") -> bytes:
    return register(bank, *(hashlib.new(bank, ima_data(path, b"", template)).digest() for path in PATHS[:count]))


@pytest.mark.parametrize("template", ["ima-ng", "ima-sig", "ima-buf"])
@pytest.mark.parametrize("logged", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("bank", ["sha1", "sha256", "sha384", "sha512"])
def test_a_binary_list_leads_to_the_register_of_any_bank(template: str, logged: str, bank: str) -> None:
    entries = parse(b"".join(ima_entry(path, template=template, bank=logged) for path in PATHS))
    outcome = replay(entries, extended(bank, template=template))
    assert (outcome.matched, outcome.entries, outcome.problems) == (3, 3, ())
    assert [entry.name for entry in entries] == list(PATHS)
    assert entries[0].algorithm == "sha256"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_list_ahead_of_the_quote_is_accepted_up_to_it(count: int) -> None:
    entries = parse(b"".join(map(ima_entry, PATHS)))
    assert replay(entries, extended("sha1", count)).matched == count


def test_a_register_that_was_never_extended_bears_no_entry_out() -> None:
    assert replay(parse(ima_entry(PATHS[0])), extended("sha1", 0)).matched is None
    assert replay((), extended("sha1", 0)).matched == 0


def test_a_list_behind_the_quote_or_of_another_machine_is_not() -> None:
    assert replay(parse(ima_entry(PATHS[0])), extended("sha1")).matched is None
    assert replay((), extended("sha1")).matched is None
    assert replay((), bytes(20)).matched == 0


def test_older_kernels_pad_the_sha1_digest() -> None:
    entries = parse(ima_entry(PATHS[0]))
    padded = sha1(ima_data(PATHS[0], b"")).ljust(32, b"\0")
    assert replay(entries, register("sha256", padded)).matched == 1


@pytest.mark.parametrize("bank", ["sha1", "sha256"])
def test_a_violation_extends_ff_and_is_named(bank: str) -> None:
    entries = parse(ima_entry(PATHS[0]) + VIOLATION)
    first = hashlib.new(bank, ima_data(PATHS[0], b"")).digest()
    outcome = replay(entries, register(bank, first, b"\xff" * len(first)))
    assert outcome.matched == 2
    assert [entry.name for entry in outcome.violations] == ["/srv/open"]


def test_a_logged_digest_that_is_not_the_entrys_is_a_problem_and_never_extended() -> None:
    forged = ima_record(b"x" * 20, "ima-ng", ima_data("/bin/sh", b""))
    outcome = replay(parse(forged), register("sha1", b"x" * 20))
    assert outcome.matched is None
    assert "byte 0: the logged digest is not that of the entry /bin/sh" in outcome.problems


def test_entries_of_other_registers_are_left_out_and_said() -> None:
    other = ima_record(b"x" * 20, "ima-ng", ima_data("/a", b""), register=11)
    outcome = replay(parse(ima_entry(PATHS[0]) + other), extended("sha1", 1))
    assert (outcome.matched, outcome.entries) == (1, 1)
    assert "register 11" in outcome.problems[0]


def test_the_oldest_template_hashes_a_padded_name() -> None:
    path, content = b"/bin/sh", sha1(b"sh")
    digest = sha1(content + path.ljust(256, b"\0"))
    record = struct.pack("<I", 10) + digest + struct.pack("<I", 3) + b"ima" + content
    binary = parse(record + struct.pack("<I", len(path)) + path)
    ascii_list = parse(b"10 " + digest.hex().encode() + b" ima " + content.hex().encode() + b" /bin/sh\n")
    for entries in (binary, ascii_list):
        assert replay(entries, register("sha1", digest)) == (1, 1, (), ())


@pytest.mark.parametrize(
    ("template", "word", "extra"), [("ima-ng", "", b""), ("ima-sig", " 0302ff", b"\3\2\xff"), ("ima-sig", " ", b"")]
)
def test_an_ascii_list_is_the_same_as_the_binary_one(template: str, word: str, extra: bytes) -> None:
    binary = parse(ima_entry("/bin/sh", template=template, extra=extra))
    digest, content = binary[0].digest.hex(), hashlib.sha256(b"").hexdigest()
    (entry,) = parse(f"10 {digest} {template} sha256:{content} /bin/sh{word}\n".encode())
    assert entry._replace(offset=0) == binary[0]


LINE = b"10 " + b"0" * 40 + b" ima-ng sha256:00 /a\n"


# A binary record is 38 bytes of head (register, digest, name, size) and 51 of fields.
@pytest.mark.parametrize(
    ("data", "offset", "says"),
    [
        (ima_entry("/a")[:-1], 38, "template data"),
        (ima_entry("/a") * 2 + b"\n", 178, "4 bytes"),
        (struct.pack("<I", 24) + ima_entry("/a")[4:], 0, "register"),
        (b"\n\0\0\0" + bytes(400), 0, "no template"),
        (ima_record(bytes(20), "ima-ng", b"\xff" * 4), 42, "file digest"),
        (ima_record(bytes(20), "ima-ng", ima_data("/a", b"") + b"x"), 89, "follow"),
        (ima_entry("/a") + ima_record(bytes(20), "ima-odd", b"xxxx"), 89, "ima-odd"),
        (ima_entry("/a") + ima_record(bytes(20), "i" * 17, b"xxxx"), 117, "17 bytes"),
        (LINE + b"10 xx ima-ng sha256:00 /a\n", len(LINE), "hexadecimal"),
        (LINE + b"10 00 ima-ng sha256:00 /a\n", len(LINE), "no bank"),
        (LINE + b"10 junk\n", len(LINE), "2 words"),
        (LINE.replace(b"10", b"99", 1), 0, "register"),
        (LINE.replace(b"ima-ng", b"evil"), 0, "evil"),
        (LINE.replace(b"/a", b"/a 00"), 0, "signature"),
        (LINE.replace(b"sha256:00 /a", b"00 /a").replace(b"ima-ng", b"ima"), 0, "template ima"),
    ],
)
def test_a_refusal_names_the_byte(data: bytes, offset: int, says: str) -> None:
    with pytest.raises(LogError) as caught:
        parse(data)
    assert says in caught.value.sentence
    assert caught.value.offset == offset


def test_hostile_paths_are_shown_escaped() -> None:
    (entry,) = parse(ima_entry("/srv/\u202egnp.sh\x1b[2J"))
    assert entry.name == "/srv/\\u202egnp.sh\\x1b[2J"


def test_limits() -> None:
    with pytest.raises(LogError, match="more than"):
        parse(b"\n" * (MAX_SIZE + 1))
    with pytest.raises(PcrError):
        replay((), b"short")
