"""Which bytes of its data an event's digest covers, where the event's type says so.

For other types (images, files, firmware code) the digest is of something that the log does not hold.
Source: TCG PC Client Platform Firmware Profile 1.06, section 10.4.1, column "digest"; GRUB, tpm_measure; older
firmware hashes only the contents of boot variables, as TCG EFI Platform Specification 1.22 had it.
"""

import hashlib

from txt_dashboard.attest.eventlog import ipl, uefi
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.kinds import Kind
from txt_dashboard.attest.eventlog.log import Event
from txt_dashboard.attest.pcr import Bank

_WHOLE = frozenset(
    {
        Kind.EV_SEPARATOR,
        Kind.EV_S_CRTM_VERSION,
        Kind.EV_EFI_ACTION,
        Kind.EV_EFI_GPT_EVENT,
        Kind.EV_EFI_VARIABLE_DRIVER_CONFIG,
        Kind.EV_EFI_VARIABLE_BOOT,
        Kind.EV_EFI_VARIABLE_BOOT2,
        Kind.EV_EFI_VARIABLE_AUTHORITY,
    }
)


def digest(bank: Bank, data: bytes) -> bytes:
    """The data's digest in the bank's algorithm."""
    return hashlib.new(bank, data, usedforsecurity=bank is not Bank.SHA1).digest()


def covered(event: Event) -> tuple[bytes, ...]:
    """The byte strings of which one must have the event's digest; empty where the data need not show it."""
    if event.kind == Kind.EV_IPL:
        command = ipl.command(event.data)
        return () if command is None else (command,)
    if event.kind not in _WHOLE:
        return ()
    if event.kind == Kind.EV_EFI_VARIABLE_BOOT:
        return event.data, *variable_contents(event)
    return (event.data,)


def is_covered(event: Event, bank: Bank) -> bool | None:
    """Whether the event's digest is that of its data; None where nothing can be said."""
    candidates = covered(event)
    if not candidates or bank not in event.digests:
        return None
    return any(digest(bank, each) == event.digests[bank] for each in candidates)


def variable_contents(event: Event) -> tuple[bytes, ...]:
    """The contents of the event's UEFI variable; empty where its data is none."""
    try:
        return (uefi.variable(event.data, event.data_offset).contents,)
    except LogError:
        return ()
