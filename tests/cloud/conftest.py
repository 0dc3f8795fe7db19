"""A cloud of the tests' own, and an account at it."""

from collections.abc import Iterator

import pytest

from tests.cloud.fake import Cloud, connect, serve
from txt_dashboard.cloud.connection import Connection


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serve() as served:
        yield served


@pytest.fixture
def connection(cloud: Cloud) -> Iterator[Connection]:
    made = connect(cloud)
    yield made
    made.close()
