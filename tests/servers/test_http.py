"""The HTTP client against servers that are wrong, slow or hostile."""

import contextlib
import gzip
import logging
import socket
import time
from ipaddress import ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers.harness import answer, raw, trickle
from txt_dashboard.servers.base import (
    AccessDenied,
    AddressRefused,
    AnswerUnusable,
    Connection,
    ServerError,
    ServerUnreachable,
)
from txt_dashboard.servers.http import ATTEMPTS, Client

SECRET = "secret-blob"


def test_it_asks_and_gets_the_body(server, connect):
    server.answers(answer(b'{"a": 1}'))
    client = connect(server.url, auth_blob=SECRET)

    assert client.get("/path", {"hostName": "a b&c"}) == b'{"a": 1}'
    assert client.post("/path", b"{}") == b'{"a": 1}'

    got, posted = server.asked
    assert (got.method, got.path) == ("GET", "/path?hostName=a+b%26c")
    assert (posted.method, posted.body, posted.headers["content-type"]) == ("POST", b"{}", "application/json")
    assert got.headers["x-auth-blob"] == SECRET
    assert got.headers["accept-encoding"] == "identity"
    assert got.headers["host"] == server.url.removeprefix("http://")


def test_it_keeps_its_connection_alive(server, connect):
    client = connect(server.url)
    for _ in range(3):
        client.get("/")
    assert len({asked.peer for asked in server.asked}) == 1


def test_it_ignores_the_environments_proxies_and_credentials(server, connect, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password somepassword")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    monkeypatch.setenv("ALL_PROXY", "http://192.0.2.1:3128")
    connect(server.url).get("/")
    assert "authorization" not in server.asked[0].headers


def test_it_keeps_no_cookies(server, connect):
    server.answers(answer(b"{}", Set_Cookie="session=1"))
    client = connect(server.url)
    client.get("/")
    client.get("/")
    assert "cookie" not in server.asked[1].headers


@pytest.mark.parametrize(
    ("respond", "error", "sentence"),
    [
        (answer(b"", 401), AccessDenied, "does not take our credentials"),
        (answer(b"", 403), AccessDenied, "does not take our credentials"),
        (answer(b"", 404), AnswerUnusable, "404"),
        (answer(b"", 400), AnswerUnusable, "refused the request"),
        (answer(b"", 500), AnswerUnusable, "look into its log"),
        (answer(b"", 503), ServerUnreachable, "overloaded"),
        (answer(b"", 302, Location="http://elsewhere/"), AnswerUnusable, "redirect"),
        (answer(b"<html>", Content_Type="text/html"), AnswerUnusable, "HTML, not JSON"),
        (answer(b"\n <!doctype html>"), AnswerUnusable, "HTML, not JSON"),
        (answer(gzip.compress(b"{}"), Content_Encoding="gzip"), AnswerUnusable, "compressed"),
        (raw(b"\x15\x03\x01\x00\x02"), ServerUnreachable, "http or https"),
        (raw(b""), ServerUnreachable, "broke"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), ServerUnreachable, "broke"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), ServerUnreachable, "broke"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n{}"), ServerUnreachable, "broke"),
        (raw(b"HTTP/1.1 200 OK\r\nA: " + 70_000 * b"a" + b"\r\n\r\n{}"), ServerUnreachable, "broke"),
    ],
)
def test_each_failure_tells_the_operator_what_to_do(server, connect, respond, error, sentence):
    server.answers(respond)
    with pytest.raises(error, match=sentence):
        connect(server.url).get("/")


def test_a_redirect_is_not_followed_and_its_body_not_read(server, connect):
    server.answers(answer(b"", 307, Location=f"{server.url}/elsewhere", Content_Length=str(10**12)))
    with pytest.raises(AnswerUnusable):
        connect(server.url, auth_blob=SECRET).get("/")
    assert [asked.path for asked in server.asked] == ["/"]


@pytest.mark.parametrize(
    "respond",
    [
        answer(b"", Content_Length=str(10**12)),
        answer(b"", Content_Length="9" * 5000),
        answer(1001 * b" "),
        trickle(b"HTTP/1.1 200 OK\r\n\r\n", 500 * b" ", pause=0.001),
        trickle(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"32\r\n" + 50 * b" " + b"\r\n", pause=0.001
        ),
    ],
)
def test_no_answer_is_read_beyond_the_limit(server, connect, respond):
    server.answers(respond)
    with pytest.raises(AnswerUnusable, match="larger than the 1000 bytes"):
        connect(server.url, byte_limit=1000).get("/")


def test_an_answer_as_large_as_the_limit_is_read(server, connect):
    server.answers(answer(1000 * b" "))
    assert len(connect(server.url, byte_limit=1000).get("/")) == 1000


@pytest.mark.parametrize(
    "respond",
    [
        trickle(b"", b""),
        trickle(b"HTTP/1.1 200 OK\r\n", b"A"),
        trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
    ],
)
def test_nothing_outlasts_the_deadline(server, connect, respond):
    server.answers(respond)
    began = time.monotonic()
    with pytest.raises(ServerUnreachable, match="deadline"):
        connect(server.url, deadline=0.3).get("/")
    assert time.monotonic() - began < 1


def test_a_listener_that_never_accepts_is_a_timeout_too(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        with pytest.raises(ServerUnreachable):
            connect(f"http://127.0.0.1:{listener.getsockname()[1]}", deadline=0.3).get("/")
        assert time.monotonic() - began < 1


def test_a_port_where_nothing_listens_says_so(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerUnreachable, match=f"nothing listens on port {port}"):
        connect(f"http://127.0.0.1:{port}").get("/")


def test_what_passes_is_tried_again(server, connect):
    server.answers(answer(b"", 503), raw(b""), answer(b"[]"))
    assert connect(server.url).get("/") == b"[]"


def test_it_gives_up_after_a_few_attempts(server, connect):
    server.answers(answer(b"", 502))
    with pytest.raises(ServerUnreachable):
        connect(server.url).get("/")
    assert len(server.asked) == ATTEMPTS


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500])
def test_what_does_not_pass_is_not_tried_again(server, connect, status):
    server.answers(answer(b"", status))
    with pytest.raises(ServerError):
        connect(server.url).get("/")
    assert len(server.asked) == 1


def test_pauses_grow_with_full_jitter_and_end_before_the_deadline(server):
    pauses: list[float] = []
    connection = Connection("oat", server.url, (ip_network("0.0.0.0/0"), ip_network("::/0")), deadline=60)
    client = Client(connection, sleep=pauses.append, random=lambda: 0.5)
    server.answers(answer(b"", 503))
    with pytest.raises(ServerUnreachable):
        client.get("/")
    client.close()
    assert pauses == [0.25, 0.5]

    hurried = Client(connection, sleep=pauses.append, random=lambda: 1000.0)
    with pytest.raises(ServerUnreachable):
        hurried.get("/")
    hurried.close()
    assert pauses == [0.25, 0.5]


def test_a_name_is_resolved_once_and_a_second_answer_of_the_dns_changes_nothing(server, connect):
    port = int(server.url.rsplit(":", 1)[1])
    resolved = [[("127.0.0.1", port)], [("192.0.2.1", port)]]

    def resolver(*_args, **_kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", resolved.pop(0)[0])]

    client = connect(server.url, resolver=resolver)
    server.answers(answer(b"[]", Connection="close"))
    for _ in range(3):
        assert client.get("/") == b"[]"
    assert len(resolved) == 1


def test_it_goes_on_to_the_next_address_of_a_name(server, connect):
    port = int(server.url.rsplit(":", 1)[1])

    def resolver(*_args, **_kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.9", "127.0.0.1")]

    assert connect(server.url, resolver=resolver).get("/") == b"{}"


def test_an_address_outside_the_networks_is_never_connected_to(server, connect):
    with pytest.raises(AddressRefused):
        connect(server.url, networks=(ip_network("10.0.0.0/8"),)).get("/")
    assert server.asked == []


@pytest.mark.parametrize("blob", ["two\r\nlines", "ümlaut", "\x00", 5000 * "a"])
def test_credentials_that_no_header_can_carry_are_refused_without_showing_them(connect, blob):
    with pytest.raises(AccessDenied) as refusal:
        connect("http://localhost", auth_blob=blob)
    assert blob not in str(refusal.value)


def test_no_error_and_no_log_shows_the_credentials_or_the_body(server, connect, caplog):
    caplog.set_level(logging.DEBUG)
    client = connect(server.url, auth_blob=SECRET)
    for respond in (answer(b"BODY", 401), answer(b"<BODY"), answer(b"BODY", 500), raw(b"BODY"), answer(b"", 503)):
        server.answers(respond)
        with pytest.raises(ServerError) as failure:
            client.get("/")
        assert failure.value.__suppress_context__ or failure.value.__context__ is None
        assert "BODY" not in str(failure.value)
        assert SECRET not in repr(failure.value) + repr(client) + caplog.text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_it_fail_otherwise(server, connect, data, with_status):
    server.answers(raw((b"HTTP/1.1 200 OK\r\n" if with_status else b"") + data))
    client = connect(server.url)
    with contextlib.suppress(ServerError):
        assert isinstance(client.get("/"), bytes)
    client.close()
