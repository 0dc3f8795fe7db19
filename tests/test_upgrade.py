"""From a build that knew no signed set: what it held as trusted is so no more, and nothing of its log is lost."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def manage(tmp_path):
    """`manage.py` on a data directory of its own."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TXT_DATA_DIR": str(tmp_path)}

    def run(*arguments: str, typed: str = "") -> str:
        command = [sys.executable, "manage.py", *arguments]
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, input=typed, capture_output=True, text=True, check=True
        )
        return ran.stdout

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


TURN = "from txt_dashboard.tasks import _worker; _worker.turn()"
TRUSTED = """
    INSERT INTO txt_dashboard_server (id, name, kind, url, ca_pem, sealed_auth_blob, enabled, simulated, interval_s,
        batch_size, parallel, deadline_s, version, failures, error_code, error, remarks, ahead_s, test_result,
        listed_at)
    VALUES (1, 'oat-1', 'oat-1.6', 'http://127.0.0.1:9', '', '', 0, 0, 60,
        100, 2, 90, 1, 0, '', '', '[]', 0, '', '2099-01-01');
    INSERT INTO txt_dashboard_host (id, name, pool, state, reason, reason_params, differing, since, created_at)
    VALUES (1, 'hv1', '', 'trusted', 'matches', '{}', '[]', '2026-11-23', '2026-11-23');
    INSERT INTO txt_dashboard_attestation (host_id, server_id, due_at, lease, failures, answered, counts_from,
        valid_until, verdict, voucher, details, registers_key, others, rules_key, match, reason, reason_params,
        differing, drift_key)
    VALUES (1, 1, '2099-01-01', '', 0, 1, '2026-01-01',
        '2099-01-01', 'trusted', 'server', '{}', '', '{}', 'old', 'trusted', 'matches', '{}',
        '[]', '');
"""


def held(folder: Path) -> tuple[str, str]:
    """The state and the reason of the one host."""
    with sqlite3.connect(folder / "txt-dashboard.sqlite3") as database:
        return database.execute("SELECT state, reason FROM txt_dashboard_host").fetchone()


def test_a_worker_before_the_upgrade_records_nothing_and_after_it_trusts_nothing(manage, tmp_path) -> None:
    manage("migrate", "txt_dashboard", "0001", "--verbosity", "0")
    with sqlite3.connect(tmp_path / "txt-dashboard.sqlite3") as database:
        database.executescript(TRUSTED)
    with pytest.raises(subprocess.CalledProcessError):
        manage("shell", typed=TURN)
    assert held(tmp_path) == ("trusted", "matches")
    manage("migrate", "--verbosity", "0")
    assert held(tmp_path) == ("unknown", "no_policy")  # pages say so before any worker has come
    manage("shell", typed=TURN)
    assert held(tmp_path)[0] == "unknown"
