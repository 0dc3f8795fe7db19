"""What one event says, for people. None of it is authenticated: it explains, it never decides.

Source: TCG PC Client Platform Firmware Profile 1.06, sections 3.3 (registers) and 10.4.1 (event types); Intel TXT
Software Development Guide, appendix F.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from txt_dashboard.attest.eventlog import ipl, uefi
from txt_dashboard.attest.eventlog.cursor import Cursor, LogError
from txt_dashboard.attest.eventlog.ipl import Thing, plain
from txt_dashboard.attest.eventlog.kinds import Kind, kind_name
from txt_dashboard.attest.eventlog.log import SPEC_ID, STARTUP, Event
from txt_dashboard.attest.text import shown, shown_hex

_MAX_DETAILS = 64
_MANIFEST = b"SP800-155 Event\0"  # profile, section 10.4.5.2
_BOOT_ENTRY = re.compile(r"Boot[0-9A-Fa-f]{4}")


class Story(NamedTuple):
    """What the log says of one event.

    `thing` is what the event is about; `key` stays the same when only the measured value changes; `text` is
    one line for people, `details` are more lines (at most 64). `error` says why the data could not be decoded.
    All text is safe to show.
    """

    thing: Thing
    key: str
    text: str
    details: tuple[str, ...] = ()
    error: LogError | None = None


def stories(events: Iterable[Event]) -> Iterator[Story]:
    """The story of each event, in order.

    An image without a path that follows GRUB's command `linux` is the kernel: GRUB hands it to the firmware
    from memory.
    """
    command = ""
    for event in events:
        story = story_of(event)
        if event.kind == Kind.EV_IPL and event.data.startswith(ipl.GRUB_COMMAND):
            command = ipl.verb(event.data)
        if story.thing == _PATHLESS and command.startswith("linux"):
            story = story._replace(thing=ipl.KERNEL, text=f"{story.text}, after GRUB's command {shown(command, 20)}")
        yield story


def story_of(event: Event) -> Story:
    """What one event says by itself; data that is not what its type promises is shown as bytes, with the error."""
    reader = _READERS.get(event.kind, _raw)
    try:
        story = reader(event)
    except LogError as error:
        return _raw(event)._replace(error=error)
    return story._replace(details=story.details[:_MAX_DETAILS])


def _raw(event: Event) -> Story:
    name = kind_name(event.kind)
    text = plain(event.data)
    thing = Thing(f'{name} "{shown(text, 60)}"' if text else name)
    return Story(thing, f"{name} {text}", text or shown_hex(event.data) or "no data")


def _ipl(event: Event) -> Story:
    told = ipl.tell(event.register, event.data)
    return Story(told.thing, told.key, told.text)


_VARIABLES = {
    "SecureBoot": Thing("Secure Boot's switch"),
    "PK": Thing("Secure Boot's platform key (PK)"),
    "KEK": Thing("Secure Boot's key exchange keys (KEK)", plural=True),
    "db": Thing("Secure Boot's allowed signatures (db)", plural=True),
    "dbx": Thing("Secure Boot's forbidden signatures (dbx)", plural=True),
    "BootOrder": Thing("the boot order"),
    "SbatLevel": Thing("the SBAT level"),
    "MokSBState": Thing("shim's Secure Boot switch (MokSBState)"),
}


def _variable(event: Event) -> Story:
    found = uefi.variable(event.data, event.data_offset)
    key = f"variable {found.vendor} {found.name}"
    thing = _VARIABLES.get(found.name) or Thing(f"the firmware setting {shown(found.name, 40)}")
    if found.name in {"PK", "KEK", "db", "dbx", "dbr", "dbt"}:
        entries = uefi.signatures(found.contents, found.offset)
        details = tuple(map(_signature, entries[:_MAX_DETAILS]))
        return Story(thing, key, f"{found.name}: {_counted(len(entries), 'entry', 'entries')}", details)
    if found.name in {"SecureBoot", "MokSBState"} and len(found.contents) == 1:
        return Story(thing, key, f"{found.name}: {'on' if found.contents[0] == 1 else 'off'}")
    return Story(thing, key, f"{found.name}: {plain(found.contents) or shown_hex(found.contents) or 'empty'}")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _signature(entry: uefi.Signature) -> str:
    return uefi.signer(entry) or f"{shown_hex(entry.data)} ({len(entry.data)} bytes)"


def _boot_variable(event: Event) -> Story:
    found = uefi.variable(event.data, event.data_offset)
    key = f"variable {found.vendor} {found.name}"
    if found.name == "BootOrder":
        order = uefi.boot_order(found.contents, found.offset)
        return Story(_VARIABLES["BootOrder"], key, "boot order: " + shown(", ".join(f"{each:04X}" for each in order)))
    if not _BOOT_ENTRY.fullmatch(found.name):
        return _variable(event)
    thing = Thing(f"the boot entry {found.name}")
    if not found.contents:
        return Story(thing, key, f"{found.name}: not set")
    entry = uefi.boot_entry(found.contents, found.offset)
    details = (f"path {entry.path}", f"attributes 0x{entry.attributes:x}", f"{entry.optional} bytes of optional data")
    return Story(thing, key, f"{found.name}: {shown(entry.description)}", details)


def _authority(event: Event) -> Story:
    found = uefi.variable(event.data, event.data_offset)
    key = f"authority {found.vendor} {found.name}"
    if found.vendor == uefi.SHIM and found.name in _VARIABLES:
        text = plain(found.contents) or shown_hex(found.contents)
        return Story(_VARIABLES[found.name], key, f"{found.name}: {text}")
    signed = uefi.authority(found.contents, found.offset) if found.vendor == uefi.SECURITY_DATABASE else None
    whole = uefi.Signature(found.vendor, uefi.X509, found.contents)
    name = (signed and uefi.signer(signed)) or uefi.signer(whole) or shown_hex(found.contents)
    return Story(Thing(f"the authority from {shown(found.name, 40)}"), key, f"vouched for by {found.name}: {name}")


_DRIVER_KINDS = frozenset({Kind.EV_EFI_BOOT_SERVICES_DRIVER, Kind.EV_EFI_RUNTIME_SERVICES_DRIVER})
_DRIVERS = Thing("drivers of firmware and cards", plural=True, replaced=True)
_PATHLESS = Thing("an image loaded without a path", replaced=True)


def _image(event: Event) -> Story:
    found = uefi.image(event.data, event.data_offset)
    if not found.path:
        return Story(_PATHLESS, "image", f"image of {found.size} bytes, loaded from memory")
    name = found.file.replace("/", "\\").rsplit("\\", 1)[-1]
    path = shown(found.path, 240)
    about = shown(name, 60) if name else f"the image {shown(found.path.rsplit('/', 1)[-1], 60)}"
    details = (f"{found.behind} bytes follow the event",) if found.behind else ()
    thing = _DRIVERS if event.kind in _DRIVER_KINDS else Thing(about, replaced=True)
    return Story(thing, f"image {found.file or found.path}", f"image of {found.size} bytes from {path}", details)


def _partitions(event: Event) -> Story:
    disk, entries = uefi.partitions(event.data, event.data_offset)
    details = tuple(f"{each.name}: sectors {each.first} to {each.last}, {each.unique}" for each in entries)
    count = _counted(len(entries), "partition", "partitions")
    return Story(Thing("the partition table"), "partitions", f"disk {disk}, {count}", details)


def _blob(event: Event) -> Story:
    base, length = uefi.blob(event.data, event.data_offset)
    return Story(ipl.FIRMWARE, f"blob {base} {length}", f"firmware code, {length} bytes at 0x{base:x}")


def _named_blob(event: Event) -> Story:
    name, base, length = uefi.named_blob(event.data, event.data_offset)
    return Story(ipl.FIRMWARE, f"blob {name}", f"firmware code {name}, {length} bytes at 0x{base:x}")


def _version(event: Event) -> Story:
    return Story(Thing("the firmware version"), "version", plain(event.data) or shown_hex(event.data))


def _tables(event: Event) -> Story:
    found = uefi.tables(event.data, event.data_offset)
    names = ", ".join(map(str, found[:8]))
    return Story(Thing("the firmware's tables (SMBIOS, ACPI)", plural=True), f"tables {names}", f"tables {names}")


def _no_action(event: Event) -> Story:
    """What an event tells that goes into no register."""
    told = _raw(event)
    if event.data.startswith(SPEC_ID):
        return told._replace(thing=Thing("the log's header"), text="header of a crypto-agile log")
    if event.data.startswith(STARTUP) and len(event.data) == len(STARTUP) + 1:
        return told._replace(thing=Thing("the startup locality"), text=f"started from locality {event.data[-1]}")
    if event.data.startswith(_MANIFEST):
        cursor = Cursor(event.data, event.data_offset)
        cursor.take(len(_MANIFEST))
        vendor, reference = cursor.u32(), cursor.guid()
        text = f"reference manifest {reference} of vendor {vendor}"
        return told._replace(thing=Thing("the firmware's reference manifest"), text=text)
    return told


def _separator(event: Event) -> Story:
    ends = event.data in {bytes(4), b"\xff\xff\xff\xff"}
    text = "the firmware's part ends here" if ends else plain(event.data) or shown_hex(event.data)
    return Story(Thing("the separator"), "separator", text)


def _action(event: Event) -> Story:
    text = plain(event.data) or shown_hex(event.data)
    return Story(Thing(f'the action "{shown(text, 60)}"'), f"action {text}", text)


def _tag(event: Event) -> Story:
    cursor = Cursor(event.data, event.data_offset)
    tag = cursor.u32()
    text = plain(cursor.take(cursor.u32(), "tagged event"))
    cursor.end("tagged event")
    thing = ipl.INITRD if text == "Linux initrd" else Thing(f"the tagged event 0x{tag:x}")
    return Story(thing, f"tag {tag}", text or f"tag 0x{tag:x}, {len(event.data) - 8} bytes")


_LAUNCH = {
    Kind.TXT_HASH_START: Thing("the SINIT module", replaced=True),
    Kind.TXT_MLE_HASH: Thing("the measured launch environment (tboot)", replaced=True),
    Kind.TXT_BIOSAC_REG_DATA: Thing("the BIOS ACM", replaced=True),
    Kind.TXT_CPU_SCRTM_STAT: Thing("the CPU's S-CRTM status"),
    Kind.TXT_LCP_CONTROL_HASH: Thing("the launch control policy's control word"),
    Kind.TXT_STM_HASH: Thing("the SMI transfer monitor (STM)", replaced=True),
    Kind.TXT_OSSINITDATA_CAP_HASH: Thing("the launch capabilities", plural=True),
    Kind.TXT_SINIT_PUBKEY_HASH: Thing("the key that signed SINIT", replaced=True),
    Kind.TXT_LCP_DETAILS_HASH: Thing("the launch control policy"),
    Kind.TXT_LCP_AUTHORITIES_HASH: Thing("the launch control policy's authority", replaced=True),
    Kind.TXT_NV_INFO_HASH: Thing("the TPM's launch policy indices", plural=True),
    Kind.TBOOT_MODULE: Thing("a module that tboot launched (kernel, initrd or its policy)", replaced=True),
}
_ABSENT = {Kind.TXT_STM_HASH: "no STM", Kind.TXT_LCP_DETAILS_HASH: "no launch control policy matched"}


def _launch(event: Event) -> Story:
    kind = Kind(event.kind)
    thing = _LAUNCH.get(kind, Thing(kind.name))
    absent = _ABSENT.get(kind) if event.data == b"\0" else None
    return Story(thing, kind.name, absent or shown_hex(event.data) or f"digest of {thing.name}")


_READERS: dict[int, Callable[[Event], Story]] = {
    Kind.EV_NO_ACTION: _no_action,
    Kind.EV_IPL: _ipl,
    Kind.EV_SEPARATOR: _separator,
    Kind.EV_ACTION: _action,
    Kind.EV_EVENT_TAG: _tag,
    Kind.EV_S_CRTM_VERSION: _version,
    Kind.EV_EFI_VARIABLE_DRIVER_CONFIG: _variable,
    Kind.EV_EFI_VARIABLE_BOOT: _boot_variable,
    Kind.EV_EFI_VARIABLE_BOOT2: _boot_variable,
    Kind.EV_EFI_VARIABLE_AUTHORITY: _authority,
    Kind.EV_EFI_BOOT_SERVICES_APPLICATION: _image,
    Kind.EV_EFI_BOOT_SERVICES_DRIVER: _image,
    Kind.EV_EFI_RUNTIME_SERVICES_DRIVER: _image,
    Kind.EV_EFI_GPT_EVENT: _partitions,
    Kind.EV_EFI_GPT_EVENT2: _partitions,
    Kind.EV_EFI_ACTION: _action,
    Kind.EV_EFI_PLATFORM_FIRMWARE_BLOB: _blob,
    Kind.EV_EFI_PLATFORM_FIRMWARE_BLOB2: _named_blob,
    Kind.EV_EFI_HANDOFF_TABLES: _tables,
    **{kind: _launch for kind in Kind if kind.name.startswith(("TXT_", "TBOOT_", "SLAUNCH"))},
}
