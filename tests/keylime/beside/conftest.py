"""A Keylime and a product of their own: what happens here spoils neither for others. The tests run in their order."""

from collections.abc import Iterator

import pytest

from tests.keylime.beside.stage import HOSTS, OAT, Both
from tests.keylime.beside.steps import move
from tests.keylime.lab import KeylimeLab, running


@pytest.fixture(scope="session")
def lab() -> Iterator[KeylimeLab]:
    """Running, and three agents attest."""
    with running(HOSTS, number=1) as made:
        yield made


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
