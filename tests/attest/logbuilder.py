"""Builds event logs and IMA lists of real form, written from the specifications and not from the parser."""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

ALGORITHMS = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D, "sm3": 0x12}
SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "sm3": 32}
GLOBAL = UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SHA256_LIST = UUID("c1c41626-504c-4092-aca9-41f936934328")
DISK = UUID(int=1)
END = b"\x7f\xff\x04\x00"


@dataclass(frozen=True)
class Record:
    """One event; the digest is that of `measured` (of `data` where that is None), in every bank of the log."""

    register: int
    kind: int
    data: bytes = b""
    measured: bytes | None = None
    digests: Mapping[str, bytes] = field(default_factory=dict)

    def digest(self, bank: str) -> bytes:
        if bank in self.digests:
            return self.digests[bank]
        if self.kind == 3 or bank == "sm3":
            return bytes(SIZES[bank])
        return hashlib.new(bank, self.data if self.measured is None else self.measured).digest()


def sha1_record(record: Record) -> bytes:
    head = struct.pack("<II", record.register, record.kind)
    return head + record.digest("sha1") + struct.pack("<I", len(record.data)) + record.data


def sha1_log(*records: Record) -> bytes:
    return b"".join(map(sha1_record, records))


def spec_id(banks: Sequence[str], sizes: Mapping[str, int] = SIZES, vendor: bytes = b"") -> Record:
    data = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(banks))
    data += b"".join(struct.pack("<HH", ALGORITHMS[bank], sizes[bank]) for bank in banks)
    return Record(0, 3, data + bytes([len(vendor)]) + vendor, digests={"sha1": bytes(20)})


def agile_record(record: Record, banks: Sequence[str]) -> bytes:
    out = struct.pack("<III", record.register, record.kind, len(banks))
    for bank in banks:
        out += struct.pack("<H", ALGORITHMS[bank]) + record.digest(bank)
    return out + struct.pack("<I", len(record.data)) + record.data


def agile_log(*records: Record, banks: Sequence[str] = ("sha1", "sha256")) -> bytes:
    return sha1_record(spec_id(banks)) + b"".join(agile_record(record, banks) for record in records)


def container(*records: Record, spare: int = 0, version: int = 1) -> bytes:
    body = sha1_log(*records)
    end = 48 + len(body)
    head = b"TXT Event Container\0" + bytes(12) + bytes([version, 0, 1, 0])
    return head + struct.pack("<III", end + spare, 48, end) + body + b"\xaa" * spare


def locality(value: int) -> Record:
    return Record(0, 3, b"StartupLocality\0" + bytes([value]))


def variable(name: str, contents: bytes, vendor: UUID = GLOBAL) -> bytes:
    return vendor.bytes_le + struct.pack("<QQ", len(name), len(contents)) + name.encode("utf-16-le") + contents


def node(kind: int, subtype: int, body: bytes = b"") -> bytes:
    return struct.pack("<BBH", kind, subtype, 4 + len(body)) + body


def file_path(name: str) -> bytes:
    return node(4, 4, (name + "\0").encode("utf-16-le")) + END


def disk_node(unique: UUID, number: int = 1) -> bytes:
    return node(4, 1, struct.pack("<IQQ", number, 2048, 4096) + unique.bytes_le + b"\x02\x02")


def image(path: bytes, behind: bytes = b"") -> bytes:
    return struct.pack("<QQQQ", 0x1000, 0x2000, 0, len(path)) + path + behind


def boot_entry(description: str, path: bytes, optional: bytes = b"", attributes: int = 1) -> bytes:
    text = (description + "\0").encode("utf-16-le")
    return struct.pack("<IH", attributes, len(path)) + text + path + optional


def boot_order(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}H", *numbers)


def partitions(*entries: tuple[UUID, UUID, str], disk: UUID = DISK) -> bytes:
    head = b"EFI PART" + bytes(48) + disk.bytes_le + struct.pack("<QIII", 2, len(entries), 128, 0)
    body = b"".join(
        kind.bytes_le + unique.bytes_le + struct.pack("<QQQ", 34, 99, 0) + name.encode("utf-16-le").ljust(72, b"\0")
        for kind, unique, name in entries
    )
    return head + struct.pack("<Q", len(entries)) + body


def signature_list(*entries: bytes, kind: UUID = SHA256_LIST) -> bytes:
    each = 16 + len(entries[0])
    body = b"".join(UUID(int=7).bytes_le + entry for entry in entries)
    return kind.bytes_le + struct.pack("<III", 28 + len(body), 0, each) + body


def grub(command: str, prefix: str = "grub_cmd: ") -> Record:
    return Record(8, 0xD, (prefix + command + "\0").encode(), command.encode())


def read_file(path: str, content: bytes) -> Record:
    return Record(9, 0xD, path.encode() + b"\0", content)


def ima_entry(
    path: str, content: bytes = b"", *, template: str = "ima-ng", bank: str = "sha1", extra: bytes = b""
) -> bytes:
    data = ima_data(path, content, template, extra)
    digest = hashlib.new(bank, data).digest()
    return ima_record(digest, template, data)


def ima_record(digest: bytes, template: str, data: bytes, register: int = 10) -> bytes:
    head = struct.pack("<I", register) + digest + struct.pack("<I", len(template)) + template.encode()
    return head + struct.pack("<I", len(data)) + data


def ima_data(path: str, content: bytes, template: str = "ima-ng", extra: bytes = b"") -> bytes:
    fields = [b"sha256:\0" + hashlib.sha256(content).digest(), path.encode() + b"\0"]
    if template != "ima-ng":
        fields.append(extra)
    return b"".join(struct.pack("<I", len(each)) + each for each in fields)


def real_form() -> list[Record]:
    """A boot from firmware to the kernel, with one event of each structure that is decoded."""
    shim = disk_node(UUID(int=5)) + file_path("\\EFI\\debian\\shimx64.efi")
    return [
        locality(3),
        Record(0, 8, "V1.2\0".encode("utf-16-le")),
        Record(0, 0x80000008, struct.pack("<QQ", 0xFF000000, 0x1000), b"firmware"),
        Record(0, 0x8000000A, b"\x04MAIN" + struct.pack("<QQ", 0xFF000000, 0x1000), b"firmware"),
        Record(7, 0x80000001, variable("SecureBoot", b"\x01")),
        Record(7, 0x80000001, variable("dbx", signature_list(b"h" * 32, b"i" * 32))),
        Record(2, 0x80000004, image(node(4, 7, UUID(int=9).bytes_le) + END), b"driver"),
        Record(1, 0x80000009, struct.pack("<Q", 1) + UUID(int=3).bytes_le + bytes(8), b"tables"),
        Record(1, 0x80000002, variable("BootOrder", boot_order(1, 0)), boot_order(1, 0)),
        Record(1, 0x80000002, variable("Boot0001", boot_entry("debian", shim))),
        Record(4, 0x80000007, b"Calling EFI Application from Boot Option"),
        *(Record(register, 4, bytes(4)) for register in range(8)),
        Record(5, 0x80000006, partitions((UUID(int=11), UUID(int=12), "ESP"))),
        Record(4, 0x80000003, image(shim), b"shim"),
        Record(14, 0xD, b"MokList\0", b"mok"),
        read_file("(hd0,gpt2)/grub/grub.cfg", b"cfg"),
        grub("set timeout=5"),
        grub("linux /vmlinuz-6.1 root=UUID=de68f5b1-01c3-415e-9e58-45413115c6e4 ro"),
        read_file("/vmlinuz-6.1", b"kernel"),
        Record(4, 0x80000003, image(b""), b"kernel image"),
        Record(8, 0xD, b"kernel_cmdline: /vmlinuz-6.1 ro\0", b"/vmlinuz-6.1 ro"),
        Record(9, 6, struct.pack("<II", 0xEC223B8F, 13) + b"Linux initrd\0", b"initrd"),
        Record(17, 0x402, b"sinit" + bytes(4)),
        Record(17, 0x40E, b"\0"),
        Record(0xFFFFFFFF, 3, b"signed"),
    ]
