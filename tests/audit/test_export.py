"""The log as files."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.activity import write
from tests.audit.test_log import by_hand
from tests.factories import NOON
from txt_dashboard.audit import record
from txt_dashboard.audit.entry import GENESIS
from txt_dashboard.audit.export import COLUMNS, as_csv, as_jsonl
from txt_dashboard.models import Activity

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs"


def cells(*entries: Activity) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(as_csv(entries)))))


def test_the_chain_can_be_checked_from_json_lines_alone() -> None:
    write(2)
    record(at=NOON.replace(microsecond=500), actor="é", verb="x", of=1, detail={"f": 1.5e22, "é": [None, True]})
    previous = GENESIS
    for line in as_jsonl(Activity.objects.order_by("id")):
        entry = json.loads(line)
        at = Activity.objects.get(id=entry["number"]).at
        text = json.dumps(entry["detail"], separators=(",", ":"))
        said = (entry["actor"], entry["verb"], entry["target"], entry["host"], entry["of"], text)
        assert entry["previous"] == previous
        assert entry["digest"] == by_hand(previous, entry["number"], at, *said)
        previous = entry["digest"]


def test_the_documentations_own_checker_takes_an_export_and_finds_a_change() -> None:
    checker = re.search(r"```python\n(.*?)```", (DOCS / "activity.md").read_text(), re.DOTALL)[1]
    write(3)
    record(at=NOON.replace(microsecond=500), actor="é", verb="x", of=1, detail={"f": 1.5e22, "é": [None, True]})
    exported = "".join(as_jsonl(Activity.objects.order_by("id")))

    def check(lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", checker], input=lines, capture_output=True, text=True, check=False
        )

    assert check(exported).stdout == f"The chain of 4 entries holds up to {Activity.objects.get(id=4).digest}.\n"
    assert check(exported.replace('"n":2', '"n":9')).stderr == "Entry 2 is not what was written.\n"


def test_csv_has_a_column_for_all_and_for_the_reason() -> None:
    write(1)
    (row,) = cells(Activity.objects.get())
    assert tuple(row) == COLUMNS
    assert (row["number"], row["at"], row["actor"]) == ("1", "2026-11-23T12:01:00Z", "ada")
    assert row["reason"] == "because"
    assert json.loads(row["detail"]) == {"n": 1, "reason": "because"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(start) -> None:
    attack = start + '2+cmd|" /C calc"!A0,"x'
    record(at=NOON, actor=attack, verb=attack, target=attack, host=attack, detail={"reason": attack})
    (row,) = cells(Activity.objects.get())
    assert {row[name] for name in ("actor", "verb", "target", "host", "reason")} == {f"'{attack}"}
    assert all(not value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for value in row.values())


def test_a_line_break_stays_in_its_cell() -> None:
    record(at=NOON, actor="ada", verb="x", detail={"reason": "one\r\ntwo"})
    (row,) = cells(Activity.objects.get())
    assert row["reason"] == "one\r\ntwo"


def test_an_entry_that_was_tampered_with_can_be_taken_along_too() -> None:
    entry = Activity(id=1, at=NOON, actor="eve", verb="x", detail={"unreadable": "\ud800"}, previous="p", digest="d")
    assert json.loads("".join(as_jsonl([entry])))["detail"] == {"unreadable": "\ud800"}
    assert cells(entry)[0]["actor"] == "eve"
