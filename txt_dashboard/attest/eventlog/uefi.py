"""Structures that firmware puts into the data of events. Every function raises `LogError`.

Source: TCG PC Client Platform Firmware Profile 1.06, section 10.2 (UEFI_VARIABLE_DATA, UEFI_IMAGE_LOAD_EVENT,
UEFI_GPT_DATA, firmware blobs); UEFI Specification 2.10, sections 3.1.3 (load options), 5.3 (GPT), 32.4.1
(signature lists).
"""

from typing import NamedTuple
from uuid import UUID

from cryptography import x509

from txt_dashboard.attest.eventlog.cursor import Cursor
from txt_dashboard.attest.eventlog.devicepath import DISK, device_paths, nodes, utf16
from txt_dashboard.attest.text import shown

GLOBAL = UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY_DATABASE = UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SHIM = UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
X509 = UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
_GPT_SIGNATURE = b"EFI PART"
_MAX_PARTITIONS = 256


class Variable(NamedTuple):
    """UEFI_VARIABLE_DATA: who named it, its name as it can be shown, its contents and where they begin."""

    vendor: UUID
    name: str
    contents: bytes
    offset: int


class Image(NamedTuple):
    """UEFI_IMAGE_LOAD_EVENT: size in memory in bytes, the device path's text, the file in it, bytes behind it all.

    Some firmware appends a few bytes that belong to nothing; the event's digest is of the image, not of them.
    """

    size: int
    path: str
    file: str
    behind: int


class BootEntry(NamedTuple):
    """EFI_LOAD_OPTION: attributes, description, device path, size of the data behind it in bytes."""

    attributes: int
    description: str
    path: str
    optional: int


class Partition(NamedTuple):
    """One used entry of a partition table."""

    kind: UUID
    unique: UUID
    first: int
    last: int
    name: str


class Signature(NamedTuple):
    """One entry of a signature list: who owns it, its type, its bytes."""

    owner: UUID
    kind: UUID
    data: bytes


def variable(data: bytes, offset: int) -> Variable:
    """The whole data as one variable."""
    cursor = Cursor(data, offset)
    vendor, name_length, size = cursor.guid(), cursor.u64(), cursor.u64()
    name = cursor.take(2 * name_length, "variable's name")
    start = cursor.offset
    contents = cursor.take(size, "variable's contents")
    cursor.end("variable")
    return Variable(vendor, utf16(name), contents, start)


def image(data: bytes, offset: int) -> Image:
    """The data as one image load."""
    cursor = Cursor(data, offset)
    _address, size, _link_time, path_size = cursor.u64(), cursor.u64(), cursor.u64(), cursor.u64()
    paths = device_paths(cursor.part(path_size, "device path"))
    return Image(size, ", ".join(path.text for path in paths), "".join(path.file for path in paths), cursor.left)


def boot_order(contents: bytes, offset: int) -> tuple[int, ...]:
    """The numbers of the boot entries, in order; each at most once."""
    cursor = Cursor(contents, offset)
    order = tuple(cursor.u16() for _ in range(cursor.left // 2))
    cursor.end("boot order")
    if len(set(order)) != len(order):
        cursor.fail("a boot entry occurs twice in the boot order")
    return order


def boot_entry(contents: bytes, offset: int) -> BootEntry:
    """A load option; what lies behind its device path is the loaded program's own."""
    option = _load_option(contents, offset)
    path = ", ".join(path.text for path in device_paths(option.path))
    return BootEntry(option.attributes, utf16(option.description), path, len(option.optional))


def boot_entry_anywhere(contents: bytes, offset: int) -> tuple[object, ...]:
    """All bytes of a load option but those that say on which disk's partition it lies, to be compared."""
    option = _load_option(contents, offset)
    path = []
    while option.path.left:
        path.append([(kind, b"" if kind == DISK else node.rest()) for kind, node in nodes(option.path)])
    return option.attributes, option.description, path, option.optional


class _LoadOption(NamedTuple):
    attributes: int
    description: bytes
    path: Cursor
    optional: bytes


def _load_option(contents: bytes, offset: int) -> _LoadOption:
    cursor = Cursor(contents, offset)
    attributes, path_size = cursor.u32(), cursor.u16()
    description = bytearray()
    while (character := cursor.take(2, "description")) != b"\0\0":
        description += character
    path = cursor.part(path_size, "device path")
    return _LoadOption(attributes, bytes(description), path, cursor.rest())


def partitions(data: bytes, offset: int) -> tuple[UUID, tuple[Partition, ...]]:
    """UEFI_GPT_DATA, whole: the disk's GUID and its used partitions."""
    cursor = Cursor(data, offset)
    if cursor.take(8, "partition table's signature") != _GPT_SIGNATURE:
        cursor.fail("the partition table has no EFI PART signature")
    cursor.take(48)
    disk = cursor.guid()
    cursor.take(12)
    entry_size = cursor.u32()
    cursor.take(4)
    count = cursor.u64()
    if count > _MAX_PARTITIONS or entry_size < 128:
        cursor.fail(f"{count} partitions of {entry_size} bytes are not a partition table")
    entries = tuple(_partition(cursor.part(entry_size, "partition")) for _ in range(count))
    cursor.end("partition table")
    return disk, entries


def signatures(contents: bytes, offset: int) -> tuple[Signature, ...]:
    """EFI_SIGNATURE_LISTs, whole: what db, dbx, KEK and PK hold."""
    cursor = Cursor(contents, offset)
    found: list[Signature] = []
    while cursor.left:
        kind, size, header, each = cursor.guid(), cursor.u32(), cursor.u32(), cursor.u32()
        if size < 28 + header or each <= 16:
            cursor.fail(f"a signature list of {size} bytes can't hold signatures of {each} bytes")
        body = cursor.part(size - 28, "signature list")
        body.take(header, "signature header")
        while body.left:
            owner = body.guid()
            found.append(Signature(owner, kind, body.take(each - 16, "signature")))
    return tuple(found)


def authority(contents: bytes, offset: int) -> Signature:
    """EFI_SIGNATURE_DATA of the entry that vouched for an image: its owner, and a certificate or hash."""
    cursor = Cursor(contents, offset)
    return Signature(cursor.guid(), X509, cursor.rest())


def signer(signature: Signature) -> str:
    """The subject of a certificate, safe to show; empty where it is none that can be read."""
    if signature.kind != X509:
        return ""
    try:
        return shown(x509.load_der_x509_certificate(signature.data).subject.rfc4514_string())
    except (ValueError, x509.InvalidVersion, Warning):  # a warning of an old certificate, where warnings are errors
        return ""


def blob(data: bytes, offset: int) -> tuple[int, int]:
    """UEFI_PLATFORM_FIRMWARE_BLOB: address and length in bytes."""
    cursor = Cursor(data, offset)
    base, length = cursor.u64(), cursor.u64()
    cursor.end("firmware blob")
    return base, length


def named_blob(data: bytes, offset: int) -> tuple[str, int, int]:
    """UEFI_PLATFORM_FIRMWARE_BLOB2: description, address, length in bytes."""
    cursor = Cursor(data, offset)
    name = cursor.take(cursor.u8(), "description")
    base, length = cursor.u64(), cursor.u64()
    cursor.end("firmware blob")
    return shown(name.rstrip(b"\0").decode("ascii", "backslashreplace")), base, length


def tables(data: bytes, offset: int) -> tuple[UUID, ...]:
    """UEFI_HANDOFF_TABLE_POINTERS: which tables were measured."""
    cursor = Cursor(data, offset)
    count = cursor.u64()
    if count * 24 != cursor.left:
        cursor.fail(f"{count} table pointers don't fill {cursor.left} bytes")
    found = []
    for _ in range(count):
        found.append(cursor.guid())
        cursor.take(8)
    return tuple(found)


def _partition(cursor: Cursor) -> Partition:
    kind, unique, first, last = cursor.guid(), cursor.guid(), cursor.u64(), cursor.u64()
    cursor.take(8)
    return Partition(kind, unique, first, last, utf16(cursor.take(72)))
