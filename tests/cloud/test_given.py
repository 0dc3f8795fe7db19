"""A token that somebody gave us: Nova is asked with it, and with nothing of our own account's."""

import time
from collections.abc import Iterator

import pytest

from tests.cloud.fake import TOKEN, answer, login, serve
from tests.cloud.owning import OwningCloud, soon
from txt_dashboard.cloud import compute, errors
from txt_dashboard.cloud.connection import Limits
from txt_dashboard.cloud.given import with_token

SERVERS = "GET /nova/v2.1/servers/detail"


@pytest.fixture
def cloud() -> Iterator[OwningCloud]:
    made = OwningCloud()
    for number in range(5):
        made.boot(f"i{number}", "web", "hv1")
    made.boot("other", "bank", "hv1")
    with serve(made) as served:
        yield served


def test_nova_hears_the_given_token_only(cloud):
    token = cloud.grant("mia", "web", "member")
    with with_token(login(cloud), token) as connection:
        found = compute.page_of_instances(connection, limit=10)
    assert [each.id for each in found] == ["i0", "i1", "i2", "i3", "i4"]
    assert {each.headers.get("x-auth-token") for each in cloud.asked} <= {token, None}
    assert TOKEN not in str(cloud.asked)
    assert cloud.logins == 0
    assert token not in repr(connection) + repr(connection.login)


def test_a_page_is_one_question_to_nova(cloud):
    token = cloud.grant("mia", "web", "member")
    with with_token(login(cloud), token) as connection:
        first = compute.page_of_instances(connection, limit=2)
        second = compute.page_of_instances(connection, limit=2, marker=first[-1].id)
    assert [each.id for each in (*first, *second)] == ["i0", "i1", "i2", "i3"]
    assert len(cloud.requests(SERVERS)) == 2


def test_one_instance(cloud):
    token = cloud.grant("mia", "web", "member")
    with with_token(login(cloud), token) as connection:
        assert compute.get_instance(connection, "i1").project_id == "web"
        with pytest.raises(errors.NotThere):
            compute.get_instance(connection, "other")


@pytest.mark.parametrize("lives_s", [None, -1])
def test_a_token_that_is_no_good_is_told_and_tried_once(cloud, lives_s):
    token = cloud.grant("mia", "web", "member", ends=soon(lives_s)) if lives_s else "gAAAAA" + "x" * 40
    with with_token(login(cloud), token) as connection, pytest.raises(errors.LoginRefused):
        compute.page_of_instances(connection, limit=2)
    assert len(cloud.requests("GET /v3/auth/tokens")) == 1


def test_a_token_that_nova_does_not_take_is_not_replaced(cloud):
    token = cloud.grant("mia", "web", "member")
    cloud.nova_status = 401
    with with_token(login(cloud), token) as connection, pytest.raises(errors.LoginRefused):
        compute.page_of_instances(connection, limit=2)
    assert len(cloud.requests(SERVERS)) == 1


@pytest.mark.parametrize("told", [answer({}), answer(b"<html>"), answer({"token": {"catalog": 7}})])
def test_a_keystone_that_talks_nonsense_is_told(cloud, told):
    cloud.on("GET /v3/auth/tokens", told)
    with with_token(login(cloud), "gAAAAA" + "x" * 40) as connection, pytest.raises(errors.CloudError):
        compute.page_of_instances(connection, limit=2)


def test_a_slow_nova_is_not_waited_for(cloud):
    token = cloud.grant("mia", "web", "member")
    cloud.on(SERVERS, lambda _handler: time.sleep(1.0))
    limits = Limits(connect_timeout=0.5, deadline=0.2, byte_limit=10_000)
    with with_token(login(cloud), token, limits) as connection, pytest.raises(errors.Unreachable):
        compute.page_of_instances(connection, limit=2)
