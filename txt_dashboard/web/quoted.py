"""A host's quote as files to take along, and its event log to look through."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.pcr import REGISTER_COUNT
from txt_dashboard.queries import host as queries
from txt_dashboard.queries.log_lines import Chosen, lines, standings
from txt_dashboard.queries.quoted import Quotation, quotations
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.web.host import context_of, find

MOST_EVENTS = 400
LONGEST_SEARCH = 100


def read_chosen(request: HttpRequest) -> Chosen:
    """What of a log the address asks for; what can't be meant is left out."""
    register = request.GET.get("register", "")
    number = int(register) if register.isascii() and register.isdigit() and len(register) < 3 else REGISTER_COUNT
    text = request.GET.get("q", "")[:LONGEST_SEARCH].strip()
    return Chosen(text, number if number < REGISTER_COUNT else None, "differing" in request.GET)


@require_GET
def event_log(request: HttpRequest, name: str) -> HttpResponse:
    """The event log of the host's last quote: searched, by register, or only what differs from the golden one."""
    context = context_of(request, name, "log")
    chosen = read_chosen(request)
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
    told = lines(log, quotation)
    found = [line for line in told if chosen.takes(line)]
    return {
        **panel,
        "total": len(told),
        "found": len(found),
        "lines": found[:MOST_EVENTS],
        "registers": sorted(log.extended),
        "differing": any(line.differs for line in told),
        "standings": [(bank, how, ", ".join(map(str, at))) for bank, how, at in standings(log, quotation)],
    }
