"""Device paths: where an image was loaded from, as text.

Source: UEFI Specification 2.10, sections 10.3 (nodes) and 10.6 (text representation).
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from txt_dashboard.attest.eventlog.cursor import Cursor
from txt_dashboard.attest.text import shown, shown_hex

_END = (0x7F, 0xFF)
_FILE_PATH = (4, 4)
DISK = (4, 1)
_PCI_ROOT = 0x0A0341D0  # compressed EISA id PNP0A03
_MAX_NODES = 64


class DevicePath(NamedTuple):
    """A device path as text, and the file in it (empty where there is none)."""

    text: str
    file: str


def device_paths(cursor: Cursor) -> list[DevicePath]:
    """All of the cursor as device paths, one after the other; raises `LogError` where one overruns or has no end."""
    paths = []
    while cursor.left:
        paths.append(_device_path(cursor))
    return paths


def _device_path(cursor: Cursor) -> DevicePath:
    parts: list[str] = []
    file = ""
    for kind, node in nodes(cursor):
        text = _node(kind, node)
        parts.append(text)
        if kind == _FILE_PATH:
            file += text
    return DevicePath("/".join(parts), file)


def nodes(cursor: Cursor) -> Iterator[tuple[tuple[int, int], Cursor]]:
    """The nodes of one path up to its end: type and subtype, and the body; raises `LogError`."""
    for _ in range(_MAX_NODES):
        kind = (cursor.u8(), cursor.u8())
        size = cursor.u16()
        if size < 4:
            cursor.fail(f"a device path node of {size} bytes is shorter than its header")
        node = cursor.part(size - 4, "device path node")
        if kind == _END:
            return
        yield kind, node
    cursor.fail(f"the device path has more than {_MAX_NODES} nodes")


def utf16(data: bytes) -> str:
    """UTF-16 text up to its first NUL, safe to show; what can't be decoded is shown as escapes."""
    return shown(data.decode("utf-16-le", "backslashreplace").split("\0", 1)[0], 256)


def _node(kind: tuple[int, int], node: Cursor) -> str:
    reader = _NODES.get(kind)
    if reader is None:
        return f"Path({kind[0]},{kind[1]},{shown_hex(node.rest(), 16)})"
    text = reader(node)
    node.rest()  # newer revisions append fields to a node
    return text


def _pci(node: Cursor) -> str:
    function, device = node.u8(), node.u8()
    return f"Pci(0x{device:x},0x{function:x})"


def _acpi(node: Cursor) -> str:
    hardware, unit = node.u32(), node.u32()
    return f"PciRoot(0x{unit:x})" if hardware == _PCI_ROOT else f"Acpi(0x{hardware:x},0x{unit:x})"


def _sata(node: Cursor) -> str:
    return f"Sata(0x{node.u16():x},0x{node.u16():x},0x{node.u16():x})"


def _disk(node: Cursor) -> str:
    number = node.u32()
    node.take(16)  # where the partition lies: its signature says more
    signature, _format, kind = node.part(16), node.u8(), node.u8()
    return f"HD({number},GPT,{signature.guid()})" if kind == 2 else f"HD({number},MBR,0x{signature.u32():08x})"


def _file(node: Cursor) -> str:
    return utf16(node.rest())


def _numbers(name: str, *sizes: int) -> Callable[[Cursor], str]:
    def text(node: Cursor) -> str:
        values = [int.from_bytes(node.take(size), "little") for size in sizes]
        return f"{name}({','.join(f'0x{value:x}' for value in values)})"

    return text


def _guid(name: str) -> Callable[[Cursor], str]:
    return lambda node: f"{name}({node.guid()})"


_NODES: dict[tuple[int, int], Callable[[Cursor], str]] = {
    (1, 1): _pci,
    (1, 3): _numbers("MemoryMapped", 4, 8, 8),
    (1, 4): _guid("VenHw"),
    (2, 1): _acpi,
    (3, 1): _numbers("Ata", 1, 1, 2),
    (3, 2): _numbers("Scsi", 2, 2),
    (3, 5): _numbers("USB", 1, 1),
    (3, 10): _guid("VenMsg"),
    (3, 11): lambda node: f"MAC({node.take(6).hex()})",
    (3, 12): lambda node: "IPv4()",
    (3, 13): lambda node: "IPv6()",
    (3, 17): _numbers("Unit", 1),
    (3, 18): _sata,
    (3, 23): _numbers("NVMe", 4, 8),
    (3, 24): lambda node: f"Uri({shown(node.rest().decode('ascii', 'backslashreplace'))})",
    DISK: _disk,
    (4, 3): _guid("VenMedia"),
    _FILE_PATH: _file,
    (0x7F, 0x01): lambda node: ",",  # another instance of the device follows
    (4, 6): _guid("FvFile"),
    (4, 7): _guid("Fv"),
    (4, 8): _numbers("Offset", 4, 8, 8),
}
