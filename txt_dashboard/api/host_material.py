"""A host's event log, and what of its values could be proposed, as the API tells of them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from txt_dashboard.api.host_answers import head_of
from txt_dashboard.api.host_types import Candidate, Candidates, EventLog, LogEvent, Standing
from txt_dashboard.attest.draft import Draft
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.models import Host as HostRow
from txt_dashboard.queries.candidates import Candidate as CandidateView
from txt_dashboard.queries.log_lines import Chosen, Line, lines, standings
from txt_dashboard.queries.quoted import Quotation
from txt_dashboard.uploads.ours import FORMAT

_NO_QUOTE = "No quote came for this host, so there is no event log."
_NO_LOG = "No event log of these values is there. It is asked for after the next poll that finds other values."


def log_of(
    host: HostRow, found: Sequence[Quotation], chosen: Chosen, server: str, behind: int, limit: int
) -> EventLog:
    """A page of the log of this server's quote, or of the first one's."""
    names = [each.said.attestation.server.name for each in found]
    quotation = next((each for each, name in zip(found, names, strict=True) if server in ("", name)), None)
    log = quotation.log if quotation else None
    told: dict[str, Any] = {
        **head_of(host),
        "server": quotation.said.attestation.server.name if quotation else "",
        "servers": names,
    }
    if quotation is None or log is None or isinstance(log, LogError):
        problem = f"The event log can't be read: {log}." if log is not None else _NO_LOG if quotation else _NO_QUOTE
        return EventLog(**told, problem=problem, total=0, found=0, standings=[], items=[], next=None)
    every = lines(log, quotation)
    taken = [each for each in every if chosen.takes(each)]
    rest = [each for each in taken if each.number > behind]
    return EventLog(
        **told,
        problem="",
        total=len(every),
        found=len(taken),
        standings=[
            Standing(bank=bank, standing=how, registers=list(at)) for bank, how, at in standings(log, quotation)
        ],
        items=[_line(each) for each in rest[:limit]],
        next=str(rest[limit - 1].number) if len(rest) > limit else None,
    )


def candidates_of(host: HostRow, found: Sequence[CandidateView], asked: Mapping[str, int]) -> Candidates:
    """What could be proposed."""
    return Candidates(**head_of(host), items=[_candidate(each, asked) for each in found])


def _candidate(each: CandidateView, asked: Mapping[str, int]) -> Candidate:
    document = _document(each.draft)
    return Candidate(
        part=each.draft.part,
        servers=list(each.servers),
        refused=list(each.refused),
        waiting=asked.get(each.key),
        document_hash=hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest(),
        document=document,
    )


def _document(draft: Draft) -> dict[str, Any]:
    """The file of one baseline, for all pools and without an end."""
    values = {str(index): value.hex() for index, value in sorted(draft.values.items())}
    baseline = {"name": draft.name, "part": draft.part.value, "bank": draft.bank.value, "values": values}
    return {"format": FORMAT, "baselines": [baseline]}


def _line(line: Line) -> LogEvent:
    return LogEvent(
        number=line.number,
        index=line.event.register if line.event.extends else None,
        kind=line.kind,
        text=line.story.text,
        details=list(line.story.details),
        digests=dict(line.digests),
        differs=line.differs,
    )
