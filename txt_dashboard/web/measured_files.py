"""The files that a host's kernel measured (IMA), held against the register 10 that a quote has proven."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from txt_dashboard.attest.ima import Entry
from txt_dashboard.models import Attestation
from txt_dashboard.queries.ima import list_file, listed
from txt_dashboard.web.host import context_of, find

MOST_ENTRIES = 400
MOST_VIOLATIONS = 50
LONGEST_SEARCH = 100


@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """The list of each server: whether a beginning of it leads to the register, violations, and the files."""
    context = context_of(request, name, "ima")
    text = request.GET.get("q", "")[:LONGEST_SEARCH].strip()
    panels = [_panel(each.attestation, text) for each in context["testimonies"]]
    return render(request, "host/ima.html", {**context, "lists": panels, "text": text})


@require_GET
def file(request: HttpRequest, name: str, server_id: int) -> HttpResponse:
    """The list as the host wrote it; 404 where there is none."""
    host = find(name, timezone.now())
    row = Attestation.objects.filter(host=host, server=server_id).first()
    data = list_file(row.pk) if row is not None else None
    if data is None:
        raise Http404
    disposition = content_disposition_header(as_attachment=True, filename=f"{host.name}.ima") or "attachment"
    return HttpResponse(data, content_type="application/octet-stream", headers={"Content-Disposition": disposition})


def _panel(attestation: Attestation, text: str) -> dict[str, Any]:
    found = listed(attestation.pk)
    panel: dict[str, Any] = {"server": attestation.server, "listed": found}
    if found is None or found.outcome is None:
        return panel
    chosen = _holding(found.entries, text.lower())
    matched = found.outcome.matched or 0
    return {
        **panel,
        "outcome": found.outcome,
        "ahead": len(found.entries) - matched,
        "found": len(chosen),
        "lines": [(number, entry, number <= matched) for number, entry in chosen[:MOST_ENTRIES]],
        "violations": found.outcome.violations[:MOST_VIOLATIONS],
        "problems": found.outcome.problems[:MOST_VIOLATIONS],
    }


def _holding(entries: Sequence[Entry], text: str) -> list[tuple[int, Entry]]:
    """The entries with their numbers that a text stands in."""
    numbered = enumerate(entries, start=1)
    return [
        (number, each)
        for number, each in numbered
        if not text or text in each.name.lower() or text in each.file_digest.hex()
    ]
