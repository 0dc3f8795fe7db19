"""What stands on the database, on PostgreSQL: in a pytest of its own, for settings are read once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.services, pytest.mark.timeout(150)]

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    "tests/actions/test_cycle.py",
    "tests/actions/test_claim.py",
    "tests/queries/test_candidates.py",
    "tests/queries/test_impact.py",
    "tests/services/on_postgresql/bulk.py",
    "tests/services/on_postgresql/concurrency.py",
)


@pytest.mark.parametrize("file", FILES)
def test_these_tests_pass_on_postgresql(file, database) -> None:
    # Without the long property tests: the workers that are killed for real are in test_killed_workers.py.
    chosen = "not at_any_moment and not as_it_would_alone"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", chosen, file],
        cwd=ROOT,
        env={**os.environ, "TXT_DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
