"""One account's way into a cloud: what is asked, what is negotiated, and how every failure is named."""

import socket
import threading

import pytest
from keystoneauth1.exceptions import http

from tests.cloud.fake import PASSWORD, TOKEN, answer, connect, login
from txt_dashboard.cloud import compute, errors, placement
from txt_dashboard.cloud.connection import Connection, Limits, Service
from txt_dashboard.cloud.login import Login

PROVIDERS = "GET /placement/resource_providers"
HYPERVISORS = "GET /nova/v2.1/os-hypervisors/detail"
NONE = answer({"resource_providers": []})


def test_nothing_is_asked_before_the_first_call(cloud, connection):
    assert cloud.asked == []
    assert PASSWORD not in repr(connection)


def test_one_token_serves_many_calls(cloud, connection):
    cloud.on(PROVIDERS, NONE)
    for _ in range(3):
        placement.list_providers(connection)
    assert cloud.logins == 1
    assert [each.headers["x-auth-token"] for each in cloud.requests(PROVIDERS)] == [TOKEN] * 3


def test_a_token_that_ran_out_is_replaced_once(cloud, connection):
    cloud.on(PROVIDERS, answer({}, 401), NONE)
    assert placement.list_providers(connection) == ()
    assert cloud.logins == 2


def test_an_account_that_is_no_longer_taken_is_told(cloud, connection):
    cloud.on(PROVIDERS, answer({}, 401))
    with pytest.raises(errors.LoginRefused, match="password"):
        placement.list_providers(connection)


def test_the_newest_version_that_both_speak_is_asked_for(cloud, connection):
    cloud.on(PROVIDERS, NONE)
    cloud.on(HYPERVISORS, answer({"hypervisors": []}))
    placement.list_providers(connection)
    compute.list_hypervisors(connection)
    assert cloud.requests(PROVIDERS)[0].headers["openstack-api-version"] == "placement 1.23"
    assert cloud.requests(HYPERVISORS)[0].headers["openstack-api-version"] == "compute 2.87"


def test_an_older_nova_is_asked_in_its_own_version(cloud, connection):
    cloud.nova_versions = ("2.1", "2.65")
    cloud.on(HYPERVISORS, answer({"hypervisors": []}))
    compute.list_hypervisors(connection)
    assert cloud.requests(HYPERVISORS)[0].headers["openstack-api-version"] == "compute 2.65"


def test_a_nova_that_is_too_old_is_told_what_is_needed(cloud, connection):
    cloud.nova_versions = ("2.1", "2.53")
    with pytest.raises(errors.VersionUnsupported, match=r"it offers 2\.53, and 2\.61 is needed"):
        compute.list_hypervisors(connection)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.RequestRefused),
        (403, errors.RoleMissing),
        (404, errors.NotThere),
        (406, errors.VersionUnsupported),
        (409, errors.Conflict),
        (413, errors.RequestRefused),
        (500, errors.ServiceFailed),
        (501, errors.ServiceFailed),
        (502, errors.Unreachable),
        (503, errors.Unreachable),
    ],
)
@pytest.mark.parametrize(
    ("route", "call", "service"),
    [(PROVIDERS, placement.list_providers, "Placement"), (HYPERVISORS, compute.list_hypervisors, "Nova")],
    ids=["placement", "nova"],
)
def test_every_status_has_its_name_and_the_message_says_which_call_failed_where(
    cloud, connection, status, error, route, call, service
):
    request_id = "req-12345678-1234-1234-1234-123456789abc"
    ids = {"X_Openstack_Request_Id": request_id, "X_Compute_Request_Id": request_id}
    script = answer({"error": {"message": "<secret>"}}, status, **ids)
    cloud.on(route, script)
    with pytest.raises(error) as raised:
        call(connection)
    assert type(raised.value) is error
    told = str(raised.value)
    assert told.startswith(f"{service} of cloud east ({cloud.url}")
    assert "was asked to list the" in told
    assert request_id in told
    assert "secret" not in told
    assert TOKEN not in told
    assert PASSWORD not in told


def test_a_missing_role_is_named(cloud, connection):
    cloud.on(PROVIDERS, answer({}, 403))
    with pytest.raises(errors.RoleMissing, match="the role service"):
        placement.list_providers(connection)
    cloud.on(HYPERVISORS, answer({}, 403))
    with pytest.raises(errors.RoleMissing, match="the role admin"):
        compute.list_hypervisors(connection)


def test_a_request_id_that_is_none_is_not_repeated(cloud, connection):
    cloud.on(PROVIDERS, answer({}, 500, X_Openstack_Request_Id="<script>"))
    with pytest.raises(errors.ServiceFailed) as raised:
        placement.list_providers(connection)
    assert "script" not in str(raised.value)


def test_a_keystone_that_is_not_there_is_what_failed():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    auth = {"auth_url": f"http://127.0.0.1:{port}/v3", "username": "a", "password": PASSWORD, "project_name": "a"}
    with pytest.raises(errors.Unreachable, match=f"Keystone of cloud east .*:{port}/v3.*there is no connection"):
        placement.list_providers(Connection(Login("east", auth | {"user_domain_id": "default"})))


def test_a_region_that_is_not_in_the_catalog_is_told(cloud):
    connection = Connection(login(cloud, region="elsewhere"))
    with pytest.raises(errors.NoSuchService, match="region"):
        placement.list_providers(connection)


@pytest.mark.parametrize("body", [b"<html>", b"", b"null", b"[]", b'{"resource_providers": {}}', b"[" * 100_000])
def test_what_is_not_the_contract_is_refused(cloud, connection, body):
    cloud.on(PROVIDERS, answer(body))
    with pytest.raises(errors.AnswerUnusable):
        placement.list_providers(connection)


@pytest.mark.parametrize("body", [b"<html>", b"", b"null", b"[]", b'{"hypervisors": {"a": 1}}'])
def test_nor_does_novaclient_let_it_through(cloud, connection, body):
    cloud.on(HYPERVISORS, answer(body))
    with pytest.raises(errors.AnswerUnusable):
        compute.list_hypervisors(connection)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_follows_no_redirect(cloud, connection, status):
    cloud.on(PROVIDERS, answer({}, status, Location=f"{cloud.url}/elsewhere"))
    with pytest.raises(errors.AnswerUnusable, match="redirect"):
        placement.list_providers(connection)
    assert cloud.requests("GET /elsewhere") == []


def test_an_answer_has_a_largest_size(cloud):
    cloud.on(PROVIDERS, answer(b" " * 200_000 + b"{}"))
    with pytest.raises(errors.AnswerUnusable, match="larger"):
        placement.list_providers(connect(cloud, byte_limit=100_000))


def test_a_compressed_answer_is_not_unpacked(cloud, connection):
    cloud.on(PROVIDERS, answer(b"\x1f\x8b", Content_Encoding="gzip"))
    with pytest.raises(errors.AnswerUnusable, match="compressed"):
        placement.list_providers(connection)


def test_an_answer_that_trickles_ends_at_the_deadline(cloud):
    def trickle(handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not threading.Event().wait(0.05):
            handler.wfile.write(b" ")

    cloud.on(PROVIDERS, trickle)
    connection = connect(cloud, deadline=0.5)
    with pytest.raises(errors.Unreachable, match="in time"):
        placement.list_providers(connection)


def test_a_silent_service_ends_at_the_deadline(cloud):
    cloud.on(PROVIDERS, lambda _handler: threading.Event().wait(5))
    with pytest.raises(errors.Unreachable, match="in time"):
        placement.list_providers(connect(cloud, deadline=0.3))


def test_no_proxy_of_the_environment_sees_the_token(cloud, connection, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    cloud.on(PROVIDERS, NONE)
    assert placement.list_providers(connection) == ()


def test_one_connection_is_kept(cloud, connection):
    peers = set()

    def respond(handler) -> None:
        peers.add(handler.client_address)
        NONE(handler)

    cloud.on(PROVIDERS, respond)
    for _ in range(5):
        placement.list_providers(connection)
    assert len(peers) == 1


def test_an_error_of_our_own_is_not_dressed_up(connection, cloud):
    def wrong() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError), connection.asking(Service.PLACEMENT, "do something", None):
        wrong()


def test_novaclient_and_keystoneauth_name_the_same_failure_alike(cloud, connection):
    with (
        pytest.raises(errors.NotThere),
        connection.asking(Service.COMPUTE, "read it", None),
    ):
        raise http.NotFound
    assert Limits().deadline > Limits().connect_timeout
