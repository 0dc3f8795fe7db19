"""OpenAttestation's whitelist and its registrations of hosts: requests written, answers read.

The wire forms are told in `txt_dashboard.servers.oat_whitelist`. Nothing here does I/O.
"""

from typing import Annotated, TypeVar

from msgspec import Meta, Struct, field
from msgspec.json import Decoder, encode

from txt_dashboard.attest.pcr import Bank, PcrError, Values, parse_index, parse_value
from txt_dashboard.servers.base import AnswerUnusable
from txt_dashboard.servers.decode import clean, decode_answer
from txt_dashboard.servers.mle import Mle, MleKind, MleRef, Registration
from txt_dashboard.servers.oat_wire import is_name

Row = TypeVar("Row")
MOST_HOSTS = 100_000
MOST_MLES = 10_000
_LONGEST_TEXT = 1000
_MOST_REGISTERS = 100  # a register that is named twice is refused further on
_Text = Annotated[str, Meta(max_length=_LONGEST_TEXT)]
_NULL = "null"  # what does not apply is this word, in 1.x


class _Value(Struct):
    number: int | str = field(name="Name")
    value: str | None = field(name="Value", default=None)


_Manifest = Annotated[list[_Value], Meta(max_length=_MOST_REGISTERS)]


class _MleRow(Struct):
    kind: MleKind = field(name="MLE_Type")
    name: _Text = field(name="Name")
    version: _Text = field(name="Version")
    oem: _Text | None = field(name="OemName", default=None)
    os_name: _Text | None = field(name="OsName", default=None)
    os_version: _Text | None = field(name="OsVersion", default=None)


class _MleValues(Struct):
    """An MLE with its values; 1.x answers one without a name where there is none such."""

    kind: str | None = field(name="MLE_Type", default=None)
    name: str | None = field(name="Name", default=None)
    version: str | None = field(name="Version", default=None)
    values: _Manifest | _Value | None = field(name="MLE_Manifests", default=None)


class _HostRow(Struct):
    host: _Text = field(name="HostName")
    address: _Text | None = field(name="IPAddress", default=None)
    port: int | _Text | None = field(name="Port", default=None)
    bios_name: _Text | None = field(name="BIOS_Name", default=None)
    bios_version: _Text | None = field(name="BIOS_Version", default=None)
    bios_oem: _Text | None = field(name="BIOS_Oem", default=None)
    vmm_name: _Text | None = field(name="VMM_Name", default=None)
    vmm_version: _Text | None = field(name="VMM_Version", default=None)
    vmm_os_name: _Text | None = field(name="VMM_OSName", default=None)
    vmm_os_version: _Text | None = field(name="VMM_OSVersion", default=None)
    email: _Text | None = field(name="Email", default=None)
    connection: _Text | None = field(name="AddOn_Connection_String", default=None)
    description: _Text | None = field(name="Description", default=None)


class _MleBeans(Struct):
    """How Jersey 1 wraps a list of beans: one alone is no list, none at all is null."""

    beans: list[_MleRow] | _MleRow = field(name="mleBean")


class _HostBeans(Struct):
    """The same for hosts."""

    beans: list[_HostRow] | _HostRow = field(name="hostBean")


_MLES: Decoder[list[_MleRow] | _MleBeans | None] = Decoder(list[_MleRow] | _MleBeans | None)
_HOSTS: Decoder[list[_HostRow] | _HostBeans | None] = Decoder(list[_HostRow] | _HostBeans | None)
_MLE: Decoder[_MleValues | None] = Decoder(_MleValues | None)


def read_mles(body: bytes) -> tuple[MleRef, ...]:
    """The answer of GET mles; raises `AnswerUnusable`."""
    found = decode_answer(_MLES, body)
    rows = _rows(found.beans if isinstance(found, _MleBeans) else found, MOST_MLES)
    return tuple(dict.fromkeys(_ref(row) for row in rows))


def read_manifest(body: bytes, ref: MleRef) -> Values | None:
    """The answer of GET mles/manifest for this MLE, `None` where there is none.

    Raises `AnswerUnusable`, also for another MLE's values and for such as are no SHA-1 values.
    """
    found = decode_answer(_MLE, body)
    if found is None or found.name is None or found.name == _NULL:
        return None
    if (found.name, found.version, found.kind) != (ref.name, ref.version, ref.kind):
        raise AnswerUnusable(f"the server answered another MLE than {clean(str(ref))}")
    rows = [found.values] if isinstance(found.values, _Value) else found.values or []
    values: dict[int, bytes] = {}
    for row in rows:
        try:
            index, value = parse_index(row.number), parse_value(row.value or "", Bank.SHA1)
        except PcrError as error:
            raise AnswerUnusable(f"the MLE {clean(str(ref))} holds something else than values: {error}") from None
        if values.setdefault(index, value) != value:
            raise AnswerUnusable(f"the MLE {clean(str(ref))} has two different values for register {index}")
    return values


def read_registrations(body: bytes) -> tuple[Registration, ...]:
    """The answer of GET hosts; raises `AnswerUnusable`, also for a host that is listed twice."""
    found = decode_answer(_HOSTS, body)
    rows = _rows(found.beans if isinstance(found, _HostBeans) else found, MOST_HOSTS)
    registrations = {row.host: _registration(row) for row in rows}
    if len(registrations) != len(rows):
        raise AnswerUnusable("the list of hosts holds a host more than once")
    if not all(map(is_name, registrations)):
        raise AnswerUnusable("the list of hosts holds names that no host can have")
    return tuple(registrations.values())


def is_success(body: bytes) -> bool:
    """Whether the server said that it did what it was asked: `True` in 1.x, `true` in 2.x, as text or JSON."""
    return body.strip().strip(b'"').lower() == b"true"


def mle_query(ref: MleRef) -> dict[str, str]:
    """What names the MLE in a query. 1.x takes even an empty `oemName` for a BIOS MLE, so no more than is needed."""
    named = {"mleName": ref.name, "mleVersion": ref.version}
    if ref.kind is MleKind.BIOS:
        return {**named, "oemName": ref.oem}
    return {**named, "osName": ref.os_name, "osVersion": ref.os_version}


def mle_body(mle: Mle) -> bytes:
    """The body of POST mles."""
    ref = mle.ref
    bios = ref.kind is MleKind.BIOS
    owner = {"OemName": ref.oem} if bios else {"OsName": ref.os_name, "OsVersion": ref.os_version}
    values = [{"Name": str(index), "Value": value.hex()} for index, value in sorted(mle.values.items())]
    named = {"Name": ref.name, "Version": ref.version, "Attestation_Type": "PCR", "MLE_Type": ref.kind.value}
    # 1.x fails without a description.
    return encode({**named, **owner, "Description": mle.description, "MLE_Manifests": values})


def owner_body(ref: MleRef) -> bytes:
    """The body of POST oem or POST os."""
    if ref.kind is MleKind.BIOS:
        return encode({"Name": ref.oem, "Description": ""})
    return encode({"Name": ref.os_name, "Version": ref.os_version, "Description": ""})


def host_body(wanted: Registration, *, port_is_text: bool) -> bytes:
    """The body of POST and PUT hosts. What is empty is left out: 2.x then makes its own connection string."""
    bios, vmm = wanted.bios, wanted.vmm
    row = {
        "HostName": wanted.host,
        "IPAddress": wanted.address,
        "Port": str(wanted.port) if port_is_text else wanted.port,
        "Email": wanted.email,
        "AddOn_Connection_String": wanted.connection,
        "Description": wanted.description,
    }
    if bios:
        row |= {"BIOS_Name": bios.name, "BIOS_Version": bios.version, "BIOS_Oem": bios.oem}
    if vmm:
        row |= {"VMM_Name": vmm.name, "VMM_Version": vmm.version}
        row |= {"VMM_OSName": vmm.os_name, "VMM_OSVersion": vmm.os_version}
    return encode({key: value for key, value in row.items() if value not in ("", None)})


def _rows(found: list[Row] | Row | None, most: int) -> list[Row]:
    if found is None:
        return []
    rows: list[Row] = found if isinstance(found, list) else [found]
    if len(rows) > most:
        raise AnswerUnusable(f"the answer holds {len(rows)} rows, more than the {most} that we read")
    return rows


def _ref(row: _MleRow) -> MleRef:
    if row.kind is MleKind.BIOS:
        return MleRef(row.kind, row.name, row.version, oem=_said(row.oem))
    return MleRef(row.kind, row.name, row.version, os_name=_said(row.os_name), os_version=_said(row.os_version))


def _registration(row: _HostRow) -> Registration:
    bios, vmm = None, None
    if _said(row.bios_name):
        bios = MleRef(MleKind.BIOS, _said(row.bios_name), _said(row.bios_version), _said(row.bios_oem))
    if _said(row.vmm_name):
        os = {"os_name": _said(row.vmm_os_name), "os_version": _said(row.vmm_os_version)}
        vmm = MleRef(MleKind.VMM, _said(row.vmm_name), _said(row.vmm_version), **os)
    others = {"email": row.email, "connection": row.connection, "description": row.description}
    return Registration(
        row.host,
        _said(row.address),
        _port(row.port),
        bios,
        vmm,
        **{name: _said(text) for name, text in others.items()},
    )


def _said(text: str | None) -> str:
    return "" if text is None or text == _NULL else text


def _port(written: int | str | None) -> int | None:
    text = str(written)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None
