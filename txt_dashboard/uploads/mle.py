"""OpenAttestation's measured launch environments, as its whitelist service takes them (`POST mles`, 1.6 and 2.x).

A BIOS MLE is a baseline of our platform part, a VMM MLE one of our vmm part. Its values' length tells its bank.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field
from msgspec.json import Decoder

from txt_dashboard.attest.draft import LONGEST_NAME, Draft
from txt_dashboard.attest.pcr import Bank, PcrError, bank_of
from txt_dashboard.attest.reference import InvalidReference, Part
from txt_dashboard.uploads.reading import MOST_ENTRIES, Errors, Unusable, decode, read_values


class _Type(StrEnum):
    BIOS = "BIOS"
    VMM = "VMM"


_PARTS = {_Type.BIOS: Part.PLATFORM, _Type.VMM: Part.VMM}


class _Manifest(Struct):
    name: str = field(name="Name")
    value: str = field(name="Value")


class _Mle(Struct):
    """What we read of it; descriptions and addresses stay unread."""

    name: str = field(name="Name")
    version: str = field(name="Version")
    type: _Type = field(name="MLE_Type")
    manifests: list[_Manifest] = field(name="MLE_Manifests")
    attestation: str = field(name="Attestation_Type", default="PCR")
    oem: str = field(name="OemName", default="")
    os_name: str = field(name="OsName", default="")
    os_version: str = field(name="OsVersion", default="")


_DECODER = Decoder(_Mle | list[_Mle])


def read_mles(document: bytes) -> tuple[Draft, ...]:
    """A draft for each MLE of a file that holds one or a list; raises `Unusable` with a sentence for each bad one."""
    read = decode(_DECODER, document, "MLE")
    mles = read if isinstance(read, list) else [read]
    if not mles:
        raise Unusable("The file holds no MLE.")
    if len(mles) > MOST_ENTRIES:
        raise Unusable(f"The file has more than {MOST_ENTRIES} MLEs.")
    errors = Errors()
    drafts = []
    for mle in mles:
        with errors.of(f"{mle.type} MLE", mle.name):
            drafts.append(_draft(mle))
    errors.check()
    return tuple(drafts)


def _draft(mle: _Mle) -> Draft:
    if mle.attestation != "PCR":
        raise InvalidReference("it is not attested by registers: its Attestation_Type is not PCR")
    values = read_values((each.name.strip(), each.value.strip()) for each in mle.manifests)
    if not values:
        raise InvalidReference("it names no register")
    return Draft(_name(mle), _PARTS[mle.type], _bank(values), values)


def _name(mle: _Mle) -> str:
    """Name and version, and whose: what identifies an MLE there, cut to what a baseline may be called."""
    owner = " ".join(word for word in (mle.oem, mle.os_name, mle.os_version) if word)
    named = f"{mle.name} {mle.version}".strip()
    return (f"{named} ({owner})" if owner else named)[:LONGEST_NAME]


def _bank(values: Mapping[int, bytes]) -> Bank:
    banks: dict[Bank, int] = {}
    for index, value in sorted(values.items()):
        try:
            banks.setdefault(bank_of(value), index)
        except PcrError as error:
            raise PcrError(f"register {index}: {error}") from None
    if len(banks) > 1:
        (first, one), (second, other), *_ = banks.items()
        raise PcrError(f"register {one} holds a {first} value and register {other} a {second} value")
    return next(iter(banks))
