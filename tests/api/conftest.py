"""A fleet as workers leave it, for programs to ask for."""

import pytest
from django.core.cache import caches

from tests.quoted_fleet import served_fleet, sim  # noqa: F401 - used by name
from tests.web.conftest import fleet, oat, static_root  # noqa: F401 - the same fleet as the pages'


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    caches["api"].clear()
