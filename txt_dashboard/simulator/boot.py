"""A boot, measured: the firmware, the boot loader, GRUB, and Intel TXT's launch, each thing as an event of the log.

What goes into which register: TCG PC Client Platform Firmware Profile 1.06, section 3.3 (0 to 7); GRUB's manual
(8, 9); shim's README.tpm (7, 14); Intel TXT Software Development Guide, section 1.10 (17 to 22, legacy mapping). A
TPM 2.0 has the legacy mapping no more; the simulated one does, in all banks, so that quotes and OpenAttestation,
which knows TPM 1.2 only, tell one story.
"""

import hashlib
from collections.abc import Iterator
from functools import cache, partial
from uuid import UUID

from txt_dashboard.simulator import structures
from txt_dashboard.simulator.machine import Boot, Component, Hardware, Host

# Event types: TCG PC Client Platform Firmware Profile 1.06, section 10.4.1; Intel's guide, appendix F (0x4xx);
# tboot (0x501).
SEPARATOR, TAG, CRTM_CONTENTS, CRTM_VERSION, CONFIG_FLAGS, COMPACT_HASH, IPL = 0x4, 0x6, 0x7, 0x8, 0xA, 0xC, 0xD
VARIABLE, BOOT_VARIABLE, APPLICATION, DRIVER = 0x80000001, 0x80000002, 0x80000003, 0x80000004
PARTITIONS, ACTION, TABLES, NAMED_BLOB, AUTHORITY = 0x80000006, 0x80000007, 0x80000009, 0x8000000A, 0x800000E0
HASH_START, MLE, STM, LCP, MODULE = 0x402, 0x404, 0x40E, 0x411, 0x501

OWN_REGISTERS = (1, 5)
TBOOT = "1.11.3"
_SHIM = "15.8-1~deb12u1"
_SBAT = b"sbat,1,2024010900\nshim,4\ngrub,3\ngrub.debian,4\n"
_END_OF_FIRMWARE = bytes(4)
_ABSENT = b"\0"  # measured where there is no STM


@cache
def components(hardware: Hardware, boot: Boot, seed: int) -> tuple[Component, ...]:
    """All that a host measures while it boots, in order, without what is its own (registers 1, 5 and 10)."""
    parts = [_firmware(hardware, seed), _loader(hardware, boot, seed), _grub(boot, seed)]
    if boot.launched:
        parts.append(_launch(hardware, boot, seed))
    return tuple(component for part in parts for component in part)


def own_components(host: Host, seed: int) -> tuple[Component, ...]:
    """Registers 1 and 5: with the serial number and the disk that no two hosts share."""
    add = partial(Component, register=1, seed=seed)
    shim = structures.file_path(_guid(seed, "ESP"), "\\EFI\\debian\\shimx64.efi")
    entry = structures.boot_entry("debian", shim)
    return (
        add("SMBIOS tables", host.serial, kind=TABLES, data=structures.tables(structures.SMBIOS3)),
        add("firmware settings", host.hardware.bios, kind=CONFIG_FLAGS, data=b"firmware settings\0"),
        _told("BootOrder", 1, seed, BOOT_VARIABLE, _variable("BootOrder", structures.boot_order(1, 0))),
        _told("Boot0001", 1, seed, BOOT_VARIABLE, _variable("Boot0001", entry)),
        _told("separator", 1, seed, SEPARATOR, _END_OF_FIRMWARE),
        _told("separator", 5, seed, SEPARATOR, _END_OF_FIRMWARE),
        _told("GUID partition table", 5, seed, PARTITIONS, _disk(host, seed)),
    )


def _disk(host: Host, seed: int) -> bytes:
    """The host's partition table: types and order are the installer's, identifiers its own."""
    esp = structures.EFI_SYSTEM, _guid(seed, "ESP"), "EFI System"
    root = structures.LINUX_DATA, _guid(seed, f"root {host.serial}"), "root"
    return structures.partition_table(_guid(seed, f"disk {host.serial}"), [esp, root])


def _told(name: str, register: int, seed: int, kind: int, data: bytes) -> Component:
    """A thing whose event holds all that is measured."""
    return Component(name, "1", register, seed, kind, data, data)


def _firmware(hardware: Hardware, seed: int) -> Iterator[Component]:
    add = partial(Component, seed=seed)
    version = structures.text16(hardware.bios)
    code = structures.named_blob(f"BIOS {hardware.model} {hardware.bios}", 1 << 24)
    card = structures.image(1 << 17, structures.option_rom_path(3))
    settings = f"{hardware.option_rom} settings\0".encode()
    yield add(f"{hardware.oem} CRTM", hardware.bios, 0, kind=CRTM_VERSION, data=version, measured=version)
    yield add(f"{hardware.oem} BIOS {hardware.model}", hardware.bios, 0, kind=NAMED_BLOB, data=code)
    yield add("BIOS ACM", hardware.acm, 0, kind=CRTM_CONTENTS, data=f"BIOS {hardware.acm}\0".encode())
    yield add("option ROM", hardware.option_rom, 2, kind=DRIVER, data=card)
    yield add("option ROM settings", hardware.option_rom, 3, kind=CONFIG_FLAGS, data=settings)
    yield add(f"{hardware.oem} vendor data", hardware.model, 6, kind=COMPACT_HASH, data=hardware.model.encode())
    for name, contents in _secure_boot(hardware, seed):
        vendor = structures.SECURITY_DATABASE if name in {"db", "dbx"} else structures.GLOBAL
        data = structures.variable(vendor, name, contents)
        yield _told(name, 7, seed, VARIABLE, data)
    action = b"Calling EFI Application from Boot Option"
    yield _told(action.decode(), 4, seed, ACTION, action)
    for register in (0, 2, 3, 4, 6, 7):
        yield _told("separator", register, seed, SEPARATOR, _END_OF_FIRMWARE)


def _secure_boot(hardware: Hardware, seed: int) -> Iterator[tuple[str, bytes]]:
    """Each variable with its contents; certificates and hashes are invented."""
    owner = _guid(seed, f"{hardware.oem} keys")
    yield "SecureBoot", bytes([hardware.secure_boot])
    for name, signer in (("PK", hardware.oem), ("KEK", "Microsoft"), ("db", "Microsoft")):
        certificate = _invented(seed, f"{signer} {name}", 900)
        yield name, structures.signature_list(structures.X509_LIST, owner, [certificate])
    forbidden = [_invented(seed, f"forbidden {number}", 32) for number in range(371)]
    yield "dbx", structures.signature_list(structures.SHA256_LIST, owner, forbidden)


def _loader(hardware: Hardware, boot: Boot, seed: int) -> Iterator[Component]:
    add, esp = partial(Component, seed=seed), _guid(seed, "ESP")
    if hardware.secure_boot:
        vouched = _guid(seed, f"{hardware.oem} keys").bytes_le + _invented(seed, "Microsoft db", 900)
        data = structures.variable(structures.SECURITY_DATABASE, "db", vouched)
        yield _told("authority of shim", 7, seed, AUTHORITY, data)
    shim = structures.image(950_272, structures.file_path(esp, "\\EFI\\debian\\shimx64.efi"))
    yield add("shim", _SHIM, 4, kind=APPLICATION, data=shim)
    sbat = structures.variable(structures.SHIM, "SbatLevel", _SBAT)
    yield _told("SbatLevel", 7, seed, AUTHORITY, sbat)
    yield add("MokList", "1", 14, kind=IPL, data=b"MokList\0")
    grub = structures.image(2_670_592, structures.file_path(esp, "\\EFI\\debian\\grubx64.efi"))
    yield add("grubx64.efi", boot.loader, 4, kind=APPLICATION, data=grub)


def _grub(boot: Boot, seed: int) -> Iterator[Component]:
    kernel, initrd = _files(boot)
    read = partial(Component, register=9, seed=seed, kind=IPL)
    yield read("grub.cfg", boot.kernel, data=b"(hd0,gpt2)/boot/grub/grub.cfg\0")
    options = f"root=UUID={_guid(seed, 'root')} ro intel_iommu=on"
    for command, name, version in (
        ("set root=hd0,gpt2", "", ""),
        ("multiboot2 /boot/tboot.gz logging=serial,memory", "tboot.gz", TBOOT),
        (f"module2 /boot/{kernel} {options}", kernel, boot.kernel),
        (f"module2 /boot/{initrd}", initrd, boot.kernel),
    ):
        text = command.encode()
        yield Component(command, "1", 8, seed, IPL, b"grub_cmd: " + text + b"\0", text)
        if name:
            yield read(f"/boot/{name}", version, data=f"(hd0,gpt2)/boot/{name}\0".encode())


def _launch(hardware: Hardware, boot: Boot, seed: int) -> Iterator[Component]:
    """By the legacy mapping: a kernel update moves registers 18 and 19."""
    kernel, initrd = _files(boot)
    add = partial(Component, seed=seed)
    yield add("SINIT ACM", hardware.sinit, 17, kind=HASH_START)
    yield add("launch control policy", "any", 17, kind=LCP)
    yield _told("STM", 17, seed, STM, _ABSENT)
    yield add("tboot", TBOOT, 18, kind=MLE)
    yield add(kernel, boot.kernel, 18, kind=MODULE)
    yield add(initrd, boot.kernel, 19, kind=MODULE)
    yield add("tboot policy", "nonfatal", 20, kind=MODULE)
    yield add("geographic tag", "none", 22, kind=TAG, data=structures.tagged(1, b"geographic tag"))


def _files(boot: Boot) -> tuple[str, str]:
    """The names of the kernel and of its initrd."""
    return f"vmlinuz-{boot.kernel}-amd64", f"initrd.img-{boot.kernel}-amd64"


def _variable(name: str, contents: bytes) -> bytes:
    return structures.variable(structures.GLOBAL, name, contents)


def _guid(seed: int, name: str) -> UUID:
    return UUID(bytes=_invented(seed, name, 16), version=4)


def _invented(seed: int, name: str, size: int) -> bytes:
    """Bytes that follow from the seed and the name."""
    return hashlib.shake_128(f"{seed}\n{name}\n".encode()).digest(size)
