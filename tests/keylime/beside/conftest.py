"""A Keylime and a product of their own: what happens here spoils neither for others. The tests run in their order."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keylime.beside.stage import HOSTS, OAT, Both
from tests.keylime.beside.steps import move
from tests.keylime.lab import KeylimeLab


@pytest.fixture(scope="session")
def lab() -> Iterator[KeylimeLab]:
    """Running, and three agents attest."""
    default = Path.home() / ".cache" / "txt-dashboard" / "keylime"
    software = Path(os.environ.get("TXT_TEST_KEYLIME_CACHE") or default)
    named = int(os.environ.get("TXT_TEST_KEYLIME_PORT") or 0)
    with tempfile.TemporaryDirectory(prefix="txt-keylime-", ignore_cleanup_errors=True) as folder:
        made = KeylimeLab(Path(folder) / "lab", software, named + 200 if named else 0)
        try:
            made.start(HOSTS)
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="session")
def both(lab: KeylimeLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The product, where OpenAttestation trusts all three hosts."""
    made = Both(tmp_path_factory.mktemp("both"), lab)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def moved(both: Both) -> Both:
    """The fleet has moved: the Keylime alone counts."""
    if both.said(HOSTS[0], OAT)["counts"]:
        move(both)
    both.all_trusted("the fleet has not moved")
    return both
