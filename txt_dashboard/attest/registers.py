"""What each register measures, and what commonly changes it: general knowledge, never what happened on a host.

Source: TCG PC Client Platform Firmware Profile 1.06, section 3.3 (registers 0 to 7); the manuals of GRUB (8, 9),
the kernel's IMA (10) and systemd (11 to 15); Intel TXT Software Development Guide, section 1.10 (17 to 22).
"""

from dataclasses import dataclass
from enum import Enum

from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.reasons import gettext_noop as _


class LaunchMapping(Enum):
    """How Intel TXT divides a measured launch among registers 17 to 19: its value is a name for people."""

    LEGACY = _("legacy TXT mapping")
    DETAILS_AUTHORITIES = _("details/authorities TXT mapping")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What goes into one register, and what commonly changes it."""

    measures: str
    changes: str


_COMMON = {
    0: Meaning(_("Firmware code"), _("a BIOS or ACM update")),
    1: Meaning(
        _("Firmware configuration"),
        _("a BIOS setting, the boot order, microcode or hardware; often not stable from boot to boot"),
    ),
    2: Meaning(_("Option ROM code"), _("an added or replaced card, or new card firmware")),
    3: Meaning(_("Option ROM configuration"), _("a card's settings or its firmware")),
    4: Meaning(_("Boot loader"), _("an update of shim, GRUB or a kernel that the firmware starts")),
    5: Meaning(
        _("Partition table, boot manager settings"), _("repartitioning, or a change of the boot manager's settings")
    ),
    6: Meaning(_("Vendor data"), _("the vendor's firmware, or a resume from sleep")),
    7: Meaning(
        _("Secure Boot policy"), _("Secure Boot switched on or off, a dbx update, or a new signer of the boot loader")
    ),
    8: Meaning(_("GRUB commands, kernel command line"), _("an edited GRUB configuration or kernel command line")),
    9: Meaning(_("Files that GRUB reads"), _("a new kernel or initrd, or a changed GRUB configuration")),
    10: Meaning(_("Files that IMA measured"), _("running: it grows all the time")),
    11: Meaning(_("Unified kernel image, boot phases"), _("a new unified kernel image")),
    12: Meaning(_("Kernel command line, credentials"), _("a changed command line or a new credential")),
    13: Meaning(_("System extensions"), _("an added or updated system extension")),
    14: Meaning(_("Machine owner keys (MOK)"), _("an enrolled or removed machine owner key")),
    15: Meaning(_("Machine identity, root file system"), _("a reinstallation")),
    16: Meaning(_("Debugging"), _("any software: it may reset this register")),
    20: Meaning(_("Measured launch, reserved for the OS"), _("the launched software's own use")),
    21: Meaning(_("Measured launch, reserved for the OS"), _("the launched software's own use")),
    22: Meaning(_("Geographic or asset tag"), _("a tag that was given or removed")),
    23: Meaning(_("Applications"), _("any software: it may reset this register")),
}

_LAUNCH = {
    LaunchMapping.LEGACY: {
        17: Meaning(
            _("SINIT and launch control policy (TXT)"),
            _("a new SINIT module, usually with a BIOS update, or a new launch control policy"),
        ),
        18: Meaning(_("tboot and kernel (TXT)"), _("an update of the kernel, the hypervisor or tboot")),
        19: Meaning(
            _("initrd and modules (TXT)"), _("an initrd that was built anew, usually together with a kernel update")
        ),
    },
    LaunchMapping.DETAILS_AUTHORITIES: {
        17: Meaning(_("All launched components (TXT details)"), _("an update of the kernel, initrd, tboot or SINIT")),
        18: Meaning(
            _("Who signed what was launched (TXT authorities)"),
            _("another signer of the SINIT module, or a new launch control policy"),
        ),
        19: Meaning(_("Measured launch, reserved for the OS"), _("the launched software's own use")),
    },
}


def mapping_of(registers: Registers) -> LaunchMapping:
    """The likely mapping: a TPM 1.2 has SHA-1 alone and usually the legacy one, a TPM 2.0 never has that.

    An evidence need not show all banks, so this is an assumption and pages must say so.
    """
    return LaunchMapping.LEGACY if set(registers) == {Bank.SHA1} else LaunchMapping.DETAILS_AUTHORITIES


def meaning(index: int, mapping: LaunchMapping) -> Meaning:
    """What the register means under this mapping; raises `KeyError` for an index beyond 23."""
    return _LAUNCH[mapping].get(index) or _COMMON[index]
