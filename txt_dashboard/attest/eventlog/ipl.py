"""What boot loaders write into EV_IPL events: commands, files, machine owner keys, sections of an image.

Source: GRUB manual, "Measured boot" (registers 8 and 9); shim, README.tpm (register 14); systemd-stub(7)
(registers 11 to 13).
"""

import re
from typing import NamedTuple

from txt_dashboard.attest.text import shown


class Thing(NamedTuple):
    """What an event is about, as a sentence names it; code is replaced, settings change."""

    name: str
    plural: bool = False
    replaced: bool = False


class Told(NamedTuple):
    """One EV_IPL event: what it is about, what stays the same when it changes, and its line for people."""

    thing: Thing
    key: str
    text: str


KERNEL = Thing("the kernel", replaced=True)
INITRD = Thing("the initrd", replaced=True)
FIRMWARE = Thing("firmware code", replaced=True)
_COMMANDS = Thing("GRUB's commands", plural=True)
_COMMAND_LINE = Thing("the kernel command line")

GRUB_COMMAND = b"grub_cmd"
_PREFIXED = re.compile(rb"(grub_cmd|kernel_cmdline|module_cmdline):? (.*?)\0?", re.DOTALL)
_MEASURED = re.compile(rb"(?:grub_cmd|kernel_cmdline|module_cmdline): (.*?)\0?", re.DOTALL)
_FILES = (
    (re.compile(r"(vmlinu[xz]|linux|bzimage|kernel)[^/]*", re.IGNORECASE), KERNEL),
    (re.compile(r"(initrd|initramfs)[^/]*", re.IGNORECASE), INITRD),
    (re.compile(r"grub\.cfg"), Thing("GRUB's configuration")),
)


def tell(register: int, data: bytes) -> Told:
    """What an EV_IPL event of this register says; any bytes are told of somehow."""
    if match := _PREFIXED.fullmatch(data):
        kind = match[1].decode()
        text = plain(match[2])
        thing = _COMMANDS if kind == "grub_cmd" else _COMMAND_LINE
        key = f"{kind} {_subject(text)}" if thing is _COMMANDS else kind
        return Told(thing, key, f"{kind}: {text}")
    text = plain(data)
    if register == 14:
        return Told(Thing(f"shim's list {shown(text, 40)}"), f"mok {text}", text)
    if register == 9:
        return _file(text)
    if register in {8, 12}:
        return Told(_COMMAND_LINE, "command line", text)
    return Told(Thing(f'the boot loader\'s entry "{shown(text, 60)}"'), f"ipl {text}", text)


def plain(data: bytes) -> str:
    """The data as text that is safe to show: UTF-16 or UTF-8 up to its end; empty where it is neither."""
    body = data.rstrip(b"\0")
    if len(body) > 1 and len(data) % 2 == 0 and not any(body[1::2]):
        return shown(body[::2].decode("latin-1"))
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ""
    return shown(text) if text and "\0" not in text else ""


def command(data: bytes) -> bytes | None:
    """What GRUB measured of a command or command line: its text; None where the event holds none."""
    match = _MEASURED.fullmatch(data)
    return match[1] if match else None


def verb(data: bytes) -> str:
    """The first word of a GRUB command; empty where the event holds none."""
    match = _PREFIXED.fullmatch(data)
    words = plain(match[2]).split(" ", 1) if match else [""]
    return words[0]


def _file(text: str) -> Told:
    name = text.rsplit("/", 1)[-1]
    for pattern, thing in _FILES:
        if pattern.fullmatch(name):
            return Told(thing, f"file {thing.name}", text)
    return Told(Thing(f"the file {shown(text, 60)}", replaced=True), f"file {text}", text)


def _subject(command: str) -> str:
    """What stays when a command changes: `set timeout` of `set timeout=5`, `linux` of `linux /vmlinuz …`."""
    words = command.split(" ")
    if words[0] in {"set", "export"} and len(words) > 1:
        return f"{words[0]} {words[1].split('=', 1)[0]}"
    return words[0]
