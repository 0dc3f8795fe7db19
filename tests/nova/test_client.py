"""One POST to PollHosts, over real sockets: what is sent, what is refused, and when it ends."""

import json
import socket
import threading
import time

import pytest

from tests.servers import harness
from txt_dashboard_nova.client import Client, Misconfigured, Unanswered

PATH = "/AttestationService/resources/PollHosts"


@pytest.fixture
def served():
    """Starts a server with or without TLS."""
    running = []

    def start(*script, certificate=None) -> harness.Server:
        server = harness.Server("", list(script))
        httpd = harness.start(server.respond, certificate)
        running.append(httpd)
        server.url = f"{'https' if certificate else 'http'}://127.0.0.1:{httpd.server_port}{PATH}"
        return server

    yield start
    for httpd in running:
        httpd.shutdown()
        httpd.server_close()


def test_it_asks_as_novas_own_filter_did(served):
    server = served(harness.answer(b'{"hosts": []}'))
    assert Client(server.url, 3.0, auth_blob="hush").poll(["hv1", "hv2"]) == b'{"hosts": []}'
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", PATH)
    assert asked.json == {"count": 2, "hosts": ["hv1", "hv2"]}
    assert asked.headers["x-auth-blob"] == "hush"
    assert asked.headers["content-type"] == "application/json"


def test_the_blob_is_shown_to_nobody():
    assert "hush" not in repr(Client("https://a/PollHosts", 3.0, auth_blob="hush"))


def test_with_tls_the_authority_and_the_name_must_be_right(served, tmp_path):
    authority = harness.Authority(tmp_path)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    good = served(harness.answer(b"{}"), certificate=authority.issue("127.0.0.1"))
    assert Client(good.url, 3.0, ca_file=str(ca_file)).poll(["hv1"]) == b"{}"
    other = served(harness.answer(b"{}"), certificate=authority.issue("elsewhere.example.org"))
    with pytest.raises(Unanswered, match="certificate"):
        Client(other.url, 3.0, ca_file=str(ca_file)).poll(["hv1"])
    with pytest.raises(Unanswered, match="certificate"):
        Client(good.url, 3.0).poll(["hv1"])
    assert other.asked == []


@pytest.mark.parametrize("status", [204, 301, 401, 404, 500])
def test_other_answers_are_none(served, status):
    server = served(harness.answer(b"{}", status, Location="http://127.0.0.1:1/"))
    with pytest.raises(Unanswered, match=f"it answered {status}"):
        Client(server.url, 3.0).poll(["hv1"])


@pytest.mark.parametrize(
    "script",
    [
        harness.raw(b""),
        harness.raw(b"SSH-2.0-OpenSSH\r\n"),
        harness.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        harness.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"),
    ],
    ids=["nothing", "no HTTP", "half a body", "half a chunk"],
)
def test_half_an_answer_is_none(served, script):
    with pytest.raises(Unanswered, match="no answer"):
        Client(served(script).url, 3.0).poll(["hv1"])


def test_an_answer_has_a_largest_size(served):
    with pytest.raises(Unanswered, match="too large"):
        Client(served(harness.answer(b" " * 200_000)).url, 3.0).poll(["hv1"])


@pytest.mark.parametrize(
    "script",
    [
        lambda _handler: threading.Event().wait(5),
        harness.trickle(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        harness.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" "),
    ],
    ids=["silent", "trickling headers", "trickling body"],
)
def test_nothing_outlasts_the_deadline(served, script):
    client = Client(served(script).url, 0.4)
    began = time.monotonic()
    with pytest.raises(Unanswered, match=r"no answer within 0\.4 s"):
        client.poll(["hv1"])
    assert time.monotonic() - began < 2


def test_nor_does_a_handshake_that_trickles():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()

        def trickle() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(1000)
                # The header of a record of 16 KiB, and then its bytes, one by one.
                peer.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
                while not stop.wait(0.05):
                    try:
                        peer.sendall(b"\x00")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Unanswered, match=r"no answer within 0\.5 s"):
            Client(f"https://127.0.0.1:{listening.getsockname()[1]}/PollHosts", 0.5).poll(["hv1"])
        assert time.monotonic() - began < 2
        stop.set()
        thread.join(5)


def test_nobody_there(served):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Unanswered, match="ConnectionRefusedError"):
        Client(f"http://127.0.0.1:{port}/PollHosts", 3.0).poll(["hv1"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "trust.example.org/PollHosts",
        "ftp://trust.example.org/",
        "https://",
        "https://user@trust.example.org/",
        "https://trust.example.org/?a=b",
        "https://trust.example.org:99999/",
        "http://trust.example.org/PollHosts",
        "http://10.0.0.1/PollHosts",
    ],
)
def test_an_address_that_can_not_be_meant_is_refused(url):
    with pytest.raises(Misconfigured):
        Client(url, 3.0)


def test_files_and_credentials_that_can_not_be_used_are_told(tmp_path):
    with pytest.raises(Misconfigured, match="PEM"):
        Client("https://a/PollHosts", 3.0, ca_file=str(tmp_path / "none"))
    with pytest.raises(Misconfigured, match="header"):
        Client("https://a/PollHosts", 3.0, auth_blob="a\r\nb")


def test_names_can_not_break_out_of_the_question(served):
    server = served(harness.answer(b"{}"))
    Client(server.url, 3.0).poll(['"]}\r\n\r\nPOST / HTTP/1.1'])
    assert json.loads(server.asked[0].body)["count"] == 1
    assert len(server.asked) == 1
