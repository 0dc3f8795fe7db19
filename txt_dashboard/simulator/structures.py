"""What firmware writes into the data of boot events, as bytes. All numbers are little-endian.

Source: TCG PC Client Platform Firmware Profile 1.06, section 10.2 (UEFI_VARIABLE_DATA, UEFI_IMAGE_LOAD_EVENT,
UEFI_GPT_DATA, firmware blobs); UEFI Specification 2.10, sections 3.1.3 (load options), 5.3 (GPT), 10.3 (device
paths), 32.4.1 (signature lists); Linux, Documentation/security/IMA-templates.rst (template ima-ng).
"""

import struct
from collections.abc import Sequence
from uuid import UUID

GLOBAL = UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY_DATABASE = UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SHIM = UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
X509_LIST = UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
SHA256_LIST = UUID("c1c41626-504c-4092-aca9-41f936934328")
SMBIOS3 = UUID("f2fd1544-9794-4a2c-992e-e5bbcf20e394")
EFI_SYSTEM = UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX_DATA = UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
_END = b"\x7f\xff\x04\x00"
_PCI_ROOT = 0x0A0341D0  # compressed EISA id PNP0A03
_SECTOR = 2048


def text16(text: str) -> bytes:
    """UTF-16 with the NUL that ends it."""
    return (text + "\0").encode("utf-16-le")


def variable(vendor: UUID, name: str, contents: bytes) -> bytes:
    """UEFI_VARIABLE_DATA."""
    return vendor.bytes_le + struct.pack("<QQ", len(name), len(contents)) + name.encode("utf-16-le") + contents


def signature_list(kind: UUID, owner: UUID, entries: Sequence[bytes]) -> bytes:
    """EFI_SIGNATURE_LIST of entries of one size."""
    body = b"".join(owner.bytes_le + entry for entry in entries)
    return kind.bytes_le + struct.pack("<III", 28 + len(body), 0, 16 + len(entries[0])) + body


def image(size: int, path: bytes) -> bytes:
    """UEFI_IMAGE_LOAD_EVENT of an image of `size` bytes."""
    return struct.pack("<QQQQ", 0x6F000000, size, 0, len(path)) + path


def boot_entry(description: str, path: bytes) -> bytes:
    """EFI_LOAD_OPTION, active."""
    return struct.pack("<IH", 1, len(path)) + text16(description) + path


def boot_order(*numbers: int) -> bytes:
    """The contents of BootOrder."""
    return struct.pack(f"<{len(numbers)}H", *numbers)


def option_rom_path(device: int) -> bytes:
    """Where a card's option ROM lies: PciRoot(0)/Pci(device,0)/Offset."""
    root, card = struct.pack("<II", _PCI_ROOT, 0), bytes([0, device])
    return _node(2, 1, root) + _node(1, 1, card) + _node(4, 8, struct.pack("<IQQ", 0, 0, 0xFFFF)) + _END


def file_path(partition: UUID, name: str) -> bytes:
    """A file on the first partition of a GPT disk."""
    disk = struct.pack("<IQQ", 1, _SECTOR, 256 * _SECTOR) + partition.bytes_le + b"\x02\x02"
    return _node(4, 1, disk) + _node(4, 4, text16(name)) + _END


def partition_table(disk: UUID, partitions: Sequence[tuple[UUID, UUID, str]]) -> bytes:
    """UEFI_GPT_DATA: partitions as type, own GUID and name, one behind the other."""
    head = b"EFI PART" + struct.pack("<IIIIQQQQ", 0x10000, 92, 0, 0, 1, 1 << 21, 34, (1 << 21) - 34)
    head += disk.bytes_le + struct.pack("<QIII", 2, 128, 128, 0)
    entries = b""
    for number, (kind, own, name) in enumerate(partitions, 1):
        first = number * 256 * _SECTOR
        entries += kind.bytes_le + own.bytes_le + struct.pack("<QQQ", first, first + 255 * _SECTOR, 0)
        entries += name.encode("utf-16-le").ljust(72, b"\0")
    return head + struct.pack("<Q", len(partitions)) + entries


def named_blob(name: str, size: int) -> bytes:
    """UEFI_PLATFORM_FIRMWARE_BLOB2."""
    return bytes([len(name)]) + name.encode() + struct.pack("<QQ", (1 << 32) - size, size)


def tables(*kinds: UUID) -> bytes:
    """UEFI_HANDOFF_TABLE_POINTERS."""
    return struct.pack("<Q", len(kinds)) + b"".join(kind.bytes_le + struct.pack("<Q", 0x7F000000) for kind in kinds)


def tagged(number: int, text: bytes) -> bytes:
    """TCG_PCClientTaggedEvent."""
    return struct.pack("<II", number, len(text)) + text


def ima_ng(algorithm: str, digest: bytes, path: str) -> bytes:
    """What a template digest of IMA's template ima-ng is of: d-ng and n-ng, each with its size in front."""
    fields = f"{algorithm}:\0".encode() + digest, f"{path}\0".encode()
    return b"".join(struct.pack("<I", len(field)) + field for field in fields)


def _node(kind: int, subtype: int, body: bytes) -> bytes:
    return struct.pack("<BBH", kind, subtype, 4 + len(body)) + body
