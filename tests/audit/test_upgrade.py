"""A log of 0.1 becomes one of today when the database is migrated."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def manage(tmp_path):
    """`manage.py` on a data directory of its own."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TXT_DATA_DIR": str(tmp_path)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    return run


def test_entries_are_numbered_and_chained_anew_and_guarded(manage, tmp_path) -> None:
    manage("migrate", "txt_dashboard", "0001", "--verbosity", "0")
    said = json.dumps({"hosts": {"trusted": 3}, "first": "é"})
    with sqlite3.connect(tmp_path / "txt-dashboard.sqlite3") as database:
        for number in (1, 2, 5, 9):  # acts that failed left gaps
            database.execute(
                "INSERT INTO txt_dashboard_activity VALUES (?, '2026-11-23 12:00:00', 'ada', 'poll', 'hv1', ?, ?, ?)",
                [number, said, f"p{number}", f"d{number}"],
            )
    manage("migrate", "--verbosity", "0")
    assert "The chain of 5 entries holds." in manage("audit", "verify", "--without-heads")
    lines = [json.loads(line) for line in manage("audit", "export").splitlines()]
    assert [line["detail"] for line in lines[:4]] == [json.loads(said)] * 4
    assert lines[4]["verb"] == "chain log anew"
    assert lines[4]["detail"] == {"entries": 4, "last digest before": "d9"}
    assert "no issues" in manage("check", "--database", "default")
    database = sqlite3.connect(tmp_path / "txt-dashboard.sqlite3")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute("DELETE FROM txt_dashboard_activity")
    database.close()
