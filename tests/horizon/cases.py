"""An administrator in Horizon's test frame, whose catalog has our service."""

from contextlib import ExitStack
from typing import Any

from openstack_dashboard.test import helpers
from requests.packages.urllib3.connection import HTTPConnection

from tests.horizon.standin import running


class _Case:
    has_service = True

    def setUp(self) -> None:
        self.stack = ExitStack()
        self.service = self.stack.enter_context(running())
        super().setUp()
        HTTPConnection.connect = self._real_conn_request  # ours speaks HTTP for real, to the stand-in

    def tearDown(self) -> None:
        super().tearDown()
        self.stack.close()

    def _setup_test_data(self) -> None:
        super()._setup_test_data()
        if self.has_service:
            self.service_catalog.append(entry(self.service.url))

    def page(self, address: str, **query: str) -> str:
        """The page's text."""
        self.answer = self.client.get(address, query)
        return self.answer.content.decode()


class AdminCase(_Case, helpers.BaseAdminViewTests):
    """An administrator's."""


class MemberCase(_Case, helpers.TestCase):
    """That of somebody with an ordinary role in a project."""


def entry(url: str) -> dict[str, Any]:
    """Of Keystone's catalog."""
    region = {"region": "RegionOne", "region_id": "RegionOne"}
    return {
        "type": "trusted-compute",
        "name": "trust",
        "endpoints": [{**region, "interface": each, "url": url} for each in ("public", "internal", "admin")],
    }
