"""What events say: structures decoded for people, hostile text made harmless."""

import struct
from uuid import UUID

import pytest

from tests.attest.logbuilder import (
    END,
    Record,
    agile_log,
    boot_entry,
    boot_order,
    disk_node,
    file_path,
    grub,
    image,
    locality,
    node,
    partitions,
    real_form,
    signature_list,
    spec_id,
    variable,
)
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.story import Story, stories
from txt_dashboard.attest.text import shown, shown_hex

SHIM = UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
ESP = UUID(int=5)


def told(*records: Record) -> Story:
    """The last record's story."""
    return list(stories(parse(agile_log(*records)).events))[-1]


@pytest.mark.parametrize(
    ("record", "thing", "text"),
    [
        (Record(7, 0x80000001, variable("SecureBoot", b"\1")), "Secure Boot's switch", "SecureBoot: on"),
        (Record(7, 0x80000001, variable("SecureBoot", b"\0")), "Secure Boot's switch", "SecureBoot: off"),
        (Record(7, 0x80000001, variable("db", signature_list(b"h" * 32))), "(db)", "db: 1 entry"),
        (Record(7, 0x800000E0, variable("SbatLevel", b"sbat,1,2021\n", SHIM)), "the SBAT level", "sbat,1,2021"),
        (Record(1, 0x80000002, variable("BootOrder", boot_order(1, 10))), "the boot order", "0001, 000A"),
        (Record(1, 0x80000002, variable("Boot000A", boot_entry("debian", END))), "Boot000A", "debian"),
        (Record(1, 0x80000002, variable("Boot000A", b"")), "Boot000A", "not set"),
        (Record(4, 0x80000003, image(file_path("\\EFI\\grubx64.efi"))), "grubx64.efi", "\\EFI\\grubx64.efi"),
        (Record(4, 0x80000003, image(disk_node(ESP) + END)), "the image HD(1,GPT,", str(ESP)),
        (Record(5, 0x80000006, partitions((UUID(int=1), UUID(int=2), "ESP"))), "partition table", "1 partition"),
        (Record(0, 8, "V1\0".encode("utf-16-le")), "the firmware version", "V1"),
        (Record(0, 0x80000008, struct.pack("<QQ", 4096, 16)), "firmware code", "16 bytes at 0x1000"),
        (Record(4, 4, bytes(4)), "the separator", "ends here"),
        (locality(3), "the startup locality", "started from locality 3"),
        (Record(1, 3, b"StartupLocality\0"), "EV_NO_ACTION", "StartupLocality"),
        (spec_id(("sha256",)), "the log's header", "crypto-agile"),
        (Record(0, 3, b"SP800-155 Event\0" + bytes(4) + ESP.bytes_le), "reference manifest", str(ESP)),
        (grub("set timeout=5"), "GRUB's commands", "grub_cmd: set timeout=5"),
        (grub("/vmlinuz ro", "kernel_cmdline: "), "the kernel command line", "/vmlinuz ro"),
        (Record(9, 0xD, b"(hd0)/boot/initrd.img-6.1\0"), "the initrd", "initrd.img-6.1"),
        (Record(9, 0xD, b"(hd0)/boot/vmlinuz-6.1\0"), "the kernel", "vmlinuz-6.1"),
        (Record(14, 0xD, b"MokListX\0"), "MokListX", "MokListX"),
        (Record(17, 0x40E, b"\0"), "STM", "no STM"),
        (Record(17, 0x404, b""), "measured launch environment", "digest of"),
        (Record(17, 0x501, b""), "tboot launched", "digest of"),
        (Record(6, 0xC, b"Dell Configuration 1"), "EV_COMPACT_HASH", "Dell Configuration 1"),
    ],
)
def test_common_events_are_told_for_people(record: Record, thing: str, text: str) -> None:
    story = told(record)
    assert story.error is None
    assert thing in story.thing.name
    assert text in story.text


def test_a_device_path_is_written_as_uefi_writes_it() -> None:
    path = node(2, 1, struct.pack("<II", 0x0A0341D0, 0)) + node(1, 1, b"\x02\x1f") + node(3, 18, b"\1\0\xff\xff\0\0")
    story = told(Record(4, 0x80000003, image(path + disk_node(ESP, 2) + file_path("\\a.efi"))))
    assert f"PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x1,0xffff,0x0)/HD(2,GPT,{ESP})/\\a.efi" in story.text


def test_the_image_that_grubs_command_linux_hands_over_is_the_kernel() -> None:
    loaded = Record(4, 0x80000003, image(b""))
    assert told(grub("linux /vmlinuz"), loaded).thing.name == "the kernel"
    assert told(grub("chainloader /x.efi"), loaded).thing.name == "an image loaded without a path"
    assert told(loaded).thing.name == "an image loaded without a path"


@pytest.mark.parametrize(
    "record",
    [
        Record(7, 0x80000001, variable("db", signature_list(b"h" * 32)[:-1])),
        Record(7, 0x80000001, variable("SecureBoot", b"\1") + b"x"),
        Record(1, 0x80000002, variable("BootOrder", b"\1\0\1\0")),
        Record(4, 0x80000003, image(node(4, 4, b"a\0"))),
        Record(4, 0x80000003, image(struct.pack("<BBH", 4, 4, 3))),
        Record(4, 0x80000003, image(node(1, 1, b"\0\0") * 65 + END)),
        Record(5, 0x80000006, partitions()[:-8] + struct.pack("<Q", 2**40)),
        Record(9, 6, b"\0"),
    ],
)
def test_data_that_is_not_what_its_type_promises_is_shown_raw_with_the_byte(record: Record) -> None:
    log = parse(agile_log(record))
    story = told(record)
    assert story.error is not None
    assert log.events[1].data_offset <= story.error.offset <= log.events[1].data_offset + len(record.data)


@pytest.mark.parametrize(
    "hostile",
    [
        "\u202egnp.exe",
        "a\x1b[31m",
        "a\u200bb",
        "\u2028",
        "e\u0301" * 9,
        "\ud800",
        "\u3164",
        "\u2800",
        "\u05d0\u05d11/2",
        "\u0661",
    ],
)
def test_hidden_and_reordering_characters_are_shown_escaped(hostile: str) -> None:
    safe = shown(hostile)
    assert safe.isprintable()
    assert safe.isascii()
    assert "\\" in safe


def test_what_is_long_is_cut() -> None:
    assert shown("a" * 1000) == "a" * 120 + "…"
    assert shown_hex(b"a" * 1000) == "61" * 32 + "…"
    assert shown("é") == "é"


def test_every_text_of_a_log_is_safe_to_show() -> None:
    evil = "\u202e" + "A" * 5000 + "\x1b"
    records = [
        Record(7, 0x80000001, variable(evil, b"x")),
        Record(1, 0x80000002, variable("Boot0001", boot_entry(evil, file_path(evil)))),
        Record(4, 0x80000003, image(file_path(evil))),
        Record(5, 0x80000006, partitions((UUID(int=1), UUID(int=2), "\u202e\x1b"))),
        Record(9, 0xD, evil.encode()),
        Record(4, 0x80000007, evil.encode()),
        grub(evil),
    ]
    for story in stories(parse(agile_log(*real_form(), *records)).events):
        for text in (story.thing.name, story.text, *story.details):
            assert text.isprintable(), text
            assert len(text) < 2000
