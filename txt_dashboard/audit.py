"""The activity log: append-only, each entry chained to the one before it by SHA-256.

An entry is written in the transaction of its act, so neither is there without the other.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from txt_dashboard.models import Activity

GENESIS = "0" * 64


def record(
    *, at: datetime, actor: str, verb: str, target: str = "", detail: Mapping[str, object] | None = None
) -> None:
    """Appends one entry. Two at the same moment can't both follow the same one: the later fails and is retried."""
    last = Activity.objects.order_by("-id").values_list("digest", flat=True).first() or GENESIS
    entry = {"at": at.isoformat(), "actor": actor, "verb": verb, "target": target, "detail": dict(detail or {})}
    text = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(f"{last}\n{text}".encode()).hexdigest()
    Activity.objects.create(
        at=at, actor=actor, verb=verb, target=target, detail=entry["detail"], previous=last, digest=digest
    )
