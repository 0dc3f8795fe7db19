"""A host's quote as files to take along, and its event log to look through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.kinds import kind_name
from txt_dashboard.attest.eventlog.log import Event, Log
from txt_dashboard.attest.eventlog.replay import judge
from txt_dashboard.attest.eventlog.story import Story, stories
from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank
from txt_dashboard.attest.text import shown_hex
from txt_dashboard.queries import host as queries
from txt_dashboard.queries.quoted import Quotation, quotations
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.why import differing_events
from txt_dashboard.web.host import context_of, find

MOST_EVENTS = 400
LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a log, as a page shows it."""

    number: int
    event: Event
    story: Story
    differs: bool

    @property
    def kind(self) -> str:
        """The name of its type."""
        return kind_name(self.event.kind)

    @property
    def digests(self) -> list[tuple[str, str]]:
        """By bank, in hex."""
        return [(bank.value, shown_hex(value, 64)) for bank, value in sorted(self.event.digests.items())]

    def holds(self, text: str) -> bool:
        """Whether a text stands in what is shown of it."""
        words = (self.kind, self.story.text, *self.story.details, *(value for _, value in self.digests))
        return any(text in word.lower() for word in words)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of a log is asked for."""

    text: str
    register: int | None
    differing: bool

    @classmethod
    def read(cls, request: HttpRequest) -> "Chosen":
        """From the address; what can't be meant is left out."""
        register = request.GET.get("register", "")
        number = int(register) if register.isascii() and register.isdigit() and len(register) < 3 else REGISTER_COUNT
        text = request.GET.get("q", "")[:LONGEST_SEARCH].strip()
        return cls(text, number if number < REGISTER_COUNT else None, "differing" in request.GET)

    def takes(self, line: Line) -> bool:
        """Whether the line is asked for."""
        return (
            (self.register is None or line.event.register == self.register)
            and (line.differs or not self.differing)
            and (not self.text or line.holds(self.text.lower()))
        )


@require_GET
def event_log(request: HttpRequest, name: str) -> HttpResponse:
    """The event log of the host's last quote: searched, by register, or only what differs from the golden one."""
    context = context_of(request, name, "log")
    chosen = Chosen.read(request)
    panels = [_panel(each, chosen) for each in context["quotations"].values()]
    return render(request, "host/log.html", {**context, "logs": panels, "chosen": chosen})


@require_GET
def file(request: HttpRequest, name: str, server_id: int, which: str) -> HttpResponse:
    """One file of the raw material; 404 where there is none."""
    host = find(name, timezone.now())
    quotation = _of_server(host, server_id, timezone.now())
    data = quotation.files.get(which) if quotation else None
    if data is None:
        raise Http404
    disposition = content_disposition_header(as_attachment=True, filename=f"{host.name}.{which}") or "attachment"
    return HttpResponse(data, content_type="application/octet-stream", headers={"Content-Disposition": disposition})


def _of_server(host: Any, server_id: int, now: datetime) -> Quotation | None:
    reference = current_reference()
    said = queries.testimonies(host, reference, now)
    found = quotations([each for each in said if each.attestation.server_id == server_id], reference)
    return next(iter(found.values()), None)


def _panel(quotation: Quotation, chosen: Chosen) -> dict[str, Any]:
    log = quotation.log
    panel: dict[str, Any] = {"quotation": quotation, "server": quotation.said.attestation.server}
    if isinstance(log, LogError):
        return {**panel, "error": str(log)}
    if log is None:
        return panel
    lines = _lines(log, quotation)
    found = [line for line in lines if chosen.takes(line)]
    return {
        **panel,
        "total": len(lines),
        "found": len(found),
        "lines": found[:MOST_EVENTS],
        "registers": sorted(log.extended),
        "differing": any(line.differs for line in lines),
        "standings": _standings(log, quotation),
    }


def _lines(log: Log, quotation: Quotation) -> list[Line]:
    """All events; those differ that the log of the golden values does not have, or has elsewhere."""
    other = differing_events(quotation.said.pairs, log)
    told = zip(log.events, stories(log.events), strict=True)
    return [Line(at, event, story, event.offset in other) for at, (event, story) in enumerate(told, start=1)]


def _standings(log: Log, quotation: Quotation) -> list[tuple[Bank, str, str]]:
    """How the log stands with the values on file: bank, standing, registers."""
    found: list[tuple[Bank, str, str]] = []
    for bank, values in sorted(quotation.said.registers.items()):
        standing = judge(log, bank, values)
        for kind in dict.fromkeys(standing.values()):
            registers = ", ".join(str(at) for at, each in standing.items() if each is kind)
            found.append((bank, kind.value, registers))
    return found
