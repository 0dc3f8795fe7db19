"""One host: what it measured against what was approved, what became of it, and the evidence to take along."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from txt_dashboard.actions.permissions import NotFound, Verb, may
from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import Host
from txt_dashboard.queries import host as queries
from txt_dashboard.queries.attestation_keys import history_of
from txt_dashboard.queries.cloud_view import at_clouds
from txt_dashboard.queries.history import history as read_history
from txt_dashboard.queries.host import Testimony
from txt_dashboard.queries.instances import count_on_host, looks, on_host
from txt_dashboard.queries.neighbours import neighbours
from txt_dashboard.queries.quoted import quotations
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.steps import steps

DOWNLOAD_FORMAT = "txt-dashboard evidence 1"
WATCHED = timedelta(minutes=1)  # how long a page looks more often for an answer that is due


@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Measurements: golden against actual."""
    return render(request, "host/measurements.html", context_of(request, name, "measurements"))


@require_GET
def history(request: HttpRequest, name: str) -> HttpResponse:
    """What became of the host, newest first."""
    context = context_of(request, name, "history")
    before = _read_place(request.GET.get("before", ""))
    found = read_history(context["host"], before)
    older = f"{found.older[0].isoformat()}~{found.older[1]}" if found.older else ""
    return render(
        request, "host/history.html", {**context, "entries": found.entries, "older": older, "paged": before}
    )


@require_GET
def instances(request: HttpRequest, name: str) -> HttpResponse:
    """Which instances are on the host, and which of them are at stake."""
    context = context_of(request, name, "instances")
    found = on_host(context["host"], timezone.now())
    return render(request, "host/instances.html", {**context, "instances": found, "looks": looks(timezone.now())})


@require_GET
def evidence(request: HttpRequest, name: str) -> HttpResponse:
    """The facts in full; with `download` all that is held of the host as JSON."""
    context = context_of(request, name, "evidence")
    if "download" not in request.GET:
        name, found = context["host"].name, context["quotations"]
        pairs = [
            (each, found.get(each.attestation.pk), history_of(each.attestation.server.name, name))
            for each in context["testimonies"]
        ]
        may_key = may(actor_of(request.user), Verb.PROPOSE_KEY)
        return render(request, "host/evidence.html", {**context, "pairs": pairs, "may_propose_key": may_key})
    host = context["host"]
    document = {
        "format": DOWNLOAD_FORMAT,
        "written_at": timezone.now(),
        "host": host.name,
        "pool": host.pool,
        "state": host.shown_state,
        "reason": host.shown_reason,
        "evidence": [_as_json(each) for each in context["testimonies"]],
    }
    disposition = content_disposition_header(as_attachment=True, filename=f"{host.name}.json") or "attachment"
    headers = {"Content-Disposition": disposition}
    return JsonResponse(document, headers=headers, json_dumps_params={"indent": 2})


def context_of(request: HttpRequest, name: str, tab: str) -> dict[str, Any]:
    """What all tabs of a host's page show."""
    now = timezone.now()
    host = find(name, now)
    reference = current_reference()
    said = queries.testimonies(host, reference, now)
    count, at_stake = count_on_host(host, now)
    lapsed = queries.lapsed_at(host, said)
    return {
        "host": host,
        "tab": tab,
        "testimonies": said,
        "quotations": quotations(said, reference),
        "panels": [(each, list(steps(each))) for each in said],
        "neighbours": [neighbours(each.attestation, now) for each in said],
        "since_moment": lapsed or host.since,
        "past": queries.past_of(host, lapsed),
        "reason_params": host.reason_params,
        "word_of": _word_of(host, said),
        "at_clouds": at_clouds(host),
        "instances_count": count,
        "at_stake": at_stake,
        "may_poll": may(actor_of(request.user), Verb.POLL),
        "soon": any(each.asking or each.due_since(now - WATCHED) for each in said),
    }


def find(name: str, now: datetime) -> Host:
    """The host; raises `NotFound`."""
    host = queries.find_host(name, now)
    if host is None:
        sentence = gettext("No host is called %(name)s. The page Fleet finds hosts by a part of their name.")
        raise NotFound(sentence % {"name": name})
    return host


def _word_of(host: Any, said: Sequence[Testimony]) -> str:
    """The server on whose word alone the host is trusted now, or nothing."""
    alone = [each.attestation.server.name for each in said if each.word_alone and each.counts]
    return ", ".join(alone) if host.shown_state == State.TRUSTED else ""


def _read_place(text: str) -> tuple[datetime, int] | None:
    """Where in the history to go on; nonsense begins at the newest."""
    moment, _, number = text.partition("~")
    try:
        at, last = datetime.fromisoformat(moment), int(number)
    except ValueError:
        return None
    return (at, last) if at.tzinfo is not None and last < 2**63 else None


def _as_json(testimony: Testimony) -> dict[str, Any]:
    row, shown, result = testimony.attestation, testimony.evidence, testimony.result
    finding = shown.finding if shown else None
    return {
        "server": row.server.name,
        "counts": row.server.counts,
        "simulated": row.server.simulated,
        "freshness": testimony.freshness,
        "asked_at": row.asked_at,
        "attested_at": row.attested_at,
        "counts_from": row.counts_from,
        "valid_until": row.valid_until,
        "verdict": row.verdict,
        "vouched_for_by": row.voucher,
        "doubt": str(finding) if finding else None,
        "details": row.details,
        "registers_sha256": row.registers_key,
        "registers": {bank: {r.index: r.actual.hex() for r in rows if r.actual} for bank, rows in testimony.banks},
        "appraisal": None if result is None else {"match": result.match, "reason": str(result.finding)},
        "compared_with": [
            {
                "part": part.part,
                "outcome": part.outcome,
                "baseline": part.baseline.name if part.baseline else None,
                "golden": {i: value.hex() for i, value in part.baseline.values.items()} if part.baseline else {},
                "differs_in": [each.index for each in part.differences],
                "matches_by_events": list(part.excused),
            }
            for part in testimony.parts
        ],
    }
