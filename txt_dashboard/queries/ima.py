"""IMA's list of a host, held against the register 10 that was proven just before it came. It decides nothing."""

from dataclasses import dataclass
from datetime import datetime

from txt_dashboard.attest import ima
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.pcr import PcrError
from txt_dashboard.models import ImaList
from txt_dashboard.queries.logs import inflate


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that could be read: its entries of register 10, and how it stands with the proven value.

    `error` says why it can't be read; then it has no entries.
    """

    at: datetime
    bank: str
    value: str
    entries: tuple[ima.Entry, ...] = ()
    outcome: ima.Outcome | None = None
    error: str = ""


def listed(attestation_id: int) -> Listed | None:
    """The last list of this attestation's host; `None` where none came. One query."""
    row = ImaList.objects.filter(pk=attestation_id).exclude(bank="").first()
    if row is None:
        return None
    shown = row.at, row.bank, row.value
    data = inflate(bytes(row.packed), row.size)
    if data is None:
        return Listed(*shown, error="what is on file is damaged")
    try:
        entries = ima.parse(data)
        return Listed(*shown, entries, ima.replay(entries, bytes.fromhex(row.value)))
    except (LogError, PcrError) as error:
        return Listed(*shown, error=str(error))


def list_file(attestation_id: int) -> bytes | None:
    """The list as its host wrote it."""
    row = ImaList.objects.filter(pk=attestation_id).exclude(bank="").first()
    return inflate(bytes(row.packed), row.size) if row is not None else None
