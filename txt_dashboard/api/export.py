"""All hosts as JSON lines, sent as they are read: memory does not grow with the fleet."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Router

from txt_dashboard.api.host_answers import row_of
from txt_dashboard.api.host_types import HostRowAnswer
from txt_dashboard.api.problems import CODES, Problem
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.queries import table
from txt_dashboard.queries.reference import current_reference

router = Router(tags=["hosts"])

MEDIA_TYPE = "application/jsonl"
AT_ONCE = 500


def as_lines() -> dict[str, Any]:
    """How the description tells of JSON lines."""
    return {"responses": {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}}}


@router.get("/hosts", response={200: HostRowAnswer, CODES: Problem}, openapi_extra=as_lines())
def export_hosts(request: HttpRequest, state: State | None = None) -> StreamingHttpResponse:
    """All hosts, by name, one JSON object a line, each as in the list of hosts.

    What ends without a newline was cut off."""
    now, reference = timezone.now(), current_reference()
    return StreamingHttpResponse(_lines(table.Filter(state=state or ""), reference, now), content_type=MEDIA_TYPE)


def _lines(chosen: table.Filter, reference: ReferenceSet, now: datetime) -> Iterator[bytes]:
    encoder, marker = msgspec.json.Encoder(), ""
    while True:
        cursor = table.Cursor(marker) if marker else None
        page = table.page(table.hosts(chosen, now), "name", cursor, reference, now, limit=AT_ONCE)
        yield encoder.encode_lines([row_of(each).model_dump() for each in page.rows])
        if not page.after:
            return
        marker = page.after
