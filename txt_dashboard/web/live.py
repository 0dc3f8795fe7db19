"""What keeps pages live: one small answer, asked for every few seconds by pages that are being looked at."""

import hashlib
import json
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from txt_dashboard.attest.appraisal import State
from txt_dashboard.queries.pulse import Progress, Pulse, progress
from txt_dashboard.web.context import pulse_of


@require_safe
def pulse(request: HttpRequest) -> HttpResponse:
    """The pulse as JSON; 304 where nothing of it changed."""
    taken = pulse_of(request)
    answer = {
        "version": taken.version,
        "trouble": taken.trouble,
        "summary": summary(taken),
        "answered": {server.name: _moment(server.answered_at) for server in taken.servers},
        "progress": describe(progress(taken.now)),
    }
    body = json.dumps(answer)
    headers = {"ETag": f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(body, content_type="application/json", headers=headers)


def summary(taken: Pulse) -> str:
    """The fleet in one sentence, for those who listen to the page."""
    counts = {state.value: taken.tally.of(state) for state in State}
    sentence = gettext("Hosts: %(trusted)d trusted, %(untrusted)d untrusted, %(stale)d stale, %(unknown)d unknown.")
    silent = [gettext("%(server)s is silent.") % {"server": outage.server.name} for outage in taken.outages]
    return " ".join([sentence % counts, *silent])


def describe(polling: Progress | None) -> dict[str, object] | None:
    """How far a poll has come, as numbers and as a sentence; nothing where none runs."""
    if polling is None or not polling.running:
        return None
    values = {"done": polling.done, "total": polling.total, "failed": polling.failed}
    sentence = gettext("Polling %(done)d of %(total)d") % values
    if polling.failed:
        sentence = gettext("Polling %(done)d of %(total)d, %(failed)d failed") % values
    return {"done": polling.done, "total": polling.total, "sentence": sentence}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
