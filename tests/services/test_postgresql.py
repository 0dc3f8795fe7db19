"""What stands on the database, on PostgreSQL: in a pytest of its own, for settings are read once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.services, pytest.mark.timeout(150)]

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    "tests/actions/test_cycle.py tests/actions/test_silence.py",
    "tests/actions/test_doubt.py tests/actions/test_changed_rules.py",
    "tests/actions/test_claim.py",
    "tests/audit/test_log.py tests/audit/test_guards.py tests/audit/test_verify.py tests/audit/test_watch.py",
    "tests/queries/test_activity.py",
    "tests/queries/test_candidates.py",
    "tests/queries/test_impact.py",
    "tests/services/on_postgresql/bulk.py",
    "tests/services/on_postgresql/concurrency.py",
    "tests/services/on_postgresql/governance.py",
    "tests/actions/governance/test_attacker.py",
    "tests/actions/governance/test_machine.py",
    "tests/services/on_postgresql/activity.py",
    "tests/services/on_postgresql/flavors.py tests/actions/clouds/test_flavors.py",
    "tests/actions/clouds/test_flavors_at_once.py tests/actions/clouds/test_flavors_in_doubt.py",
    "tests/actions/clouds/test_survey.py",
)


@pytest.mark.parametrize("files", FILES)
def test_these_tests_pass_on_postgresql(files, database) -> None:
    # Without the long property test: the workers that are killed for real are in test_killed_workers.py.
    chosen = "not at_any_moment and not as_it_would_alone"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", chosen, *files.split()],
        cwd=ROOT,
        env={**os.environ, "TXT_DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
