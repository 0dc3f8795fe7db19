"""Which TPM key is whose, to be proposed: from a list that somebody brings along, or from what a server shows.

The list is CSV in UTF-8 with the head `host,key`, or `host,key,tpm` where some are of a TPM `1.2`; a key is PEM, or
base64 of a TPM2B_PUBLIC, of a DER key or of a certificate. It is read whole or not at all.
"""

import binascii
import csv
from collections.abc import Collection
from datetime import datetime
from io import StringIO

from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import Actor, Invalid, NotFound, Verb, require
from txt_dashboard.attest.bound_key import BoundKey, KeySource, bind
from txt_dashboard.attest.entries import Entry, key_entry, key_id, read_key
from txt_dashboard.attest.reference import InvalidReference
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.models import Proposal, Quoted
from txt_dashboard.queries.attestation_keys import shown_key
from txt_dashboard.queries.reference import current_reference

HEADER = ["host", "key"]
WITH_TPM = [*HEADER, "tpm"]
LARGEST = 32 * 1024 * 1024  # bytes
MOST = 15_000


def propose_key_list(
    actor: Actor, server: str, document: bytes, *, title: str, reason: str, now: datetime
) -> Proposal:
    """One proposal for all keys of a list, for hosts of this server; nothing is in force by it.

    Raises `NotAllowed`, `Conflict`, and `Invalid` with a sentence for each line that can't be used.
    """
    require(actor, Verb.PROPOSE_KEY)
    return propose(actor, listed_keys(server, document), title=title, reason=reason, now=now)


def listed_keys(server: str, document: bytes) -> dict[str, Entry | None]:
    """The entries for all keys of a list; raises `Invalid` with a sentence for each line that can't be used."""
    wanted: dict[str, Entry | None] = {}
    lines: dict[str, int] = {}
    errors: list[str] = []
    for number, host, text, tpm in _rows(document):
        try:
            bound = _bound(server, host, text, tpm)
        except (FormatError, InvalidReference) as error:
            errors.append(f"Line {number}, {host[:60]!r}: {error}.")
            continue
        id_, fingerprint = key_id(server, host), bound.fingerprint
        if id_ in wanted:
            errors.append(f"Line {number}: {host} is there twice.")
        elif fingerprint in lines:
            errors.append(f"Line {number}: the key of {host} is that of line {lines[fingerprint]}, too.")
        else:
            wanted[id_], lines[fingerprint] = key_entry(bound), number
    if errors:
        raise Invalid({"file": errors[:20]})
    return wanted


def _rows(document: bytes) -> list[tuple[int, str, str, str]]:
    """Line number, host, key and TPM of each entry; raises `Invalid`."""
    if len(document) > LARGEST:
        raise Invalid({"file": [f"The file is larger than {LARGEST // 1024 // 1024} MiB."]})
    rows: list[tuple[int, str, str, str]] = []
    try:
        reader = csv.reader(StringIO(document.decode("utf-8-sig"), newline=""), strict=True)
        head = next(reader, None)
        if head not in (HEADER, WITH_TPM):
            raise Invalid({"file": [f"The file must begin with the line {','.join(HEADER)}."]})
        for row in reader:
            if len(row) != len(head):
                raise Invalid({"file": [f"Line {reader.line_num} has {len(row)} values, not {len(head)}."]})
            host, key, tpm = (value.strip() for value in [*row, "2.0"][: len(WITH_TPM)])
            rows.append((reader.line_num, host, key, tpm))
            if len(rows) > MOST:
                raise Invalid({"file": [f"The file has more than {MOST} keys."]})
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid({"file": [f"The file is no CSV in UTF-8: {error}."]}) from None
    if not rows:
        raise Invalid({"file": ["The file names no key."]})
    return rows


def _bound(server: str, host: str, text: str, tpm: str) -> BoundKey:
    """Raises `FormatError`, `InvalidReference`."""
    if tpm not in ("1.2", "2.0"):
        raise FormatError("the TPM is neither 1.2 nor 2.0")
    data = text.encode()
    if not data.startswith(b"-----BEGIN "):
        try:
            data = binascii.a2b_base64(data, strict_mode=True)
        except (binascii.Error, ValueError):
            raise FormatError("the key is neither PEM nor base64") from None
    bound = bind(server, host, data, KeySource.LIST, tpm12=tpm == "1.2")
    read_key(key_id(server, host), key_entry(bound))
    if bound.flaw:
        raise FormatError(bound.flaw)
    return bound


def propose_shown_keys(actor: Actor, server: str, *, title: str, reason: str, now: datetime) -> Proposal:
    """One proposal for the keys that the server showed beside its hosts' last quotes, where none is approved.

    Raises `NotAllowed`, `Conflict`, and `Invalid` where there is no such key.
    """
    require(actor, Verb.PROPOSE_KEY)
    return propose(actor, first_keys(server), title=title, reason=reason, now=now)


def first_keys(
    server: str, *, pools: Collection[str] | None = None, hosts: Collection[str] | None = None
) -> dict[str, Entry | None]:
    """The entries for keys that the server showed, where none is approved: of all its hosts, or of some.

    That they are the hosts' keys is the server's word, and the entries say so. A key that is another one than the
    approved is left out: a changed identity is looked at by itself. Raises `Invalid` where there is no such key.
    """
    approved = current_reference().keys
    shown = Quoted.objects.filter(attestation__server__name=server).order_by("attestation__host__name")
    if pools is not None:
        shown = shown.filter(attestation__host__pool__in=pools)
    if hosts is not None:
        shown = shown.filter(attestation__host__name__in=hosts)
    found = [
        bound
        for host, public, composite in shown.values_list("attestation__host__name", "public", "composite")[:MOST]
        if (server, host) not in approved
        and (bound := shown_key(server, host, bytes(public), tpm12=bool(composite))) is not None
    ]
    if not found:
        raise Invalid({"entries": [f"{server} showed no usable key of a host that has none approved."]})
    return {key_id(server, each.host): key_entry(each) for each in found}


def propose_new_key(actor: Actor, server: str, host: str, *, reason: str, now: datetime) -> Proposal:
    """Proposes the key that a host shows now in the place of the approved one, or as its first.

    Raises as `propose`, and `NotFound` where the host showed no usable key.
    """
    require(actor, Verb.PROPOSE_KEY)
    return propose(actor, new_key(server, host), title=f"TPM key of {host}", reason=reason, now=now)


def new_key(server: str, host: str) -> dict[str, Entry | None]:
    """The entry for the key that a host shows now; raises `NotFound` where it showed no usable one."""
    row = Quoted.objects.filter(attestation__server__name=server, attestation__host__name=host).first()
    bound = shown_key(server, host, bytes(row.public), tpm12=bool(row.composite)) if row else None
    if bound is None:
        raise NotFound(f"{host} has shown {server} no usable key.")
    return {key_id(server, host): key_entry(bound)}
