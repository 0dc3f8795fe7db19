"""A Keylime and a product of their own: what happens here spoils neither for others. The tests run in their order."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keylime.beside.doorway import Doorway
from tests.keylime.beside.stage import HOOK, HOSTS, OAT, Both
from tests.keylime.beside.steps import move
from tests.keylime.lab import KeylimeLab


@pytest.fixture(scope="session")
def door() -> int:
    """The port at which Keylime's notices are taken."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def lab(door: int) -> Iterator[KeylimeLab]:
    """Running, and its verifier sends notices."""
    default = Path.home() / ".cache" / "txt-dashboard" / "keylime"
    software = Path(os.environ.get("TXT_TEST_KEYLIME_CACHE") or default)
    named = int(os.environ.get("TXT_TEST_KEYLIME_PORT") or 0)
    with tempfile.TemporaryDirectory(prefix="txt-keylime-", ignore_cleanup_errors=True) as folder:
        port = named + 200 if named else 0
        made = KeylimeLab(Path(folder) / "lab", software, port, f"https://127.0.0.1:{door}{HOOK}")
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
        made.product.stop()


@pytest.fixture(scope="session")
def doorway(both: Both, lab: KeylimeLab, door: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doorway]:
    """The proxy that notices come through."""
    made = Doorway(lab, tmp_path_factory.mktemp("door") / "proxy.pem", both.product.address, door)
    yield made
    made.close()


@pytest.fixture(scope="session")
def moved(both: Both) -> Both:
    """The fleet has moved: the Keylime alone counts."""
    if both.said(HOSTS[0], OAT)["counts"]:
        move(both)
    both.all_trusted("the fleet has not moved")
    return both
