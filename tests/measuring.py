"""What tests measured, told at the end of a run also where nothing failed. For the `conftest` of a suite."""

from collections.abc import Callable

import pytest

_MEASURED = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tells all lines."""
    for line in config.stash.get(_MEASURED, []):
        terminalreporter.write_line(line)


@pytest.fixture
def measured(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Keeps a line for the end of the run."""
    return pytestconfig.stash.setdefault(_MEASURED, []).append
