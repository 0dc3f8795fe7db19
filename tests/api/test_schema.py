"""The API against its own description, by requests that nobody thought of: no crash, no answer that is not described.

Bounded to about a minute: some requests for each route, with all rights and without any.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as bounds
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.actions.governance.examples import WANTED, WORDS
from tests.api.callers import key_of
from tests.cloud.living import Flavor
from tests.clouds import connected, look
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import COMMAND_LINE, Role

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

EXAMPLES = 10
BOUNDED = bounds(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where there is none
schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", get_wsgi_application())


@pytest.fixture
def served(fleet, tmp_path, settings) -> Iterator[str]:
    """The application with a fleet and a cloud, in this test's own transaction; gives a key with all rights."""
    fleet(hv1=None)
    propose(COMMAND_LINE, WANTED, **WORDS, now=timezone.now())
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with connected(tmp_path, settings) as cloud:
        cloud.flavors["0"] = Flavor("m1.zero")
        look(timezone.now)
        yield key_of(*Role)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@BOUNDED
def test_whoever_has_all_rights_gets_what_is_described(case, served):
    case.call_and_validate(headers={"Authorization": f"Bearer {served}"}, checks=CHECKS)


@schema.parametrize()
@BOUNDED
def test_whoever_has_none_is_refused_as_described(case, served):
    response = case.call_and_validate(checks=CHECKS, excluded_checks=[checks.negative_data_rejection])
    assert response.status_code in (400, 401, 404, 405, 429)
