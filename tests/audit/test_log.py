"""The activity log's chain."""

import hashlib
import json

import pytest

from tests.factories import NOON
from txt_dashboard import audit
from txt_dashboard.models import Activity

pytestmark = pytest.mark.django_db


def test_each_entry_holds_the_hash_of_the_one_before() -> None:
    for number in range(3):
        audit.record(at=NOON, actor="ada", verb="poll", target=f"hv{number}", detail={"n": number})
    previous = audit.GENESIS
    for entry in Activity.objects.order_by("id"):
        said = {
            "at": NOON.isoformat(),
            "actor": "ada",
            "verb": "poll",
            "target": entry.target,
            "detail": entry.detail,
        }
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert entry.previous == previous
        assert entry.digest == hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
        previous = entry.digest
