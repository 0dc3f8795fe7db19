"""TLS: whom we believe to be the server, and what an operator reads where we don't."""

import socket

import pytest

from txt_dashboard.servers.base import CertificateRefused, ServerUnreachable


def test_a_certificate_of_the_given_authority_is_believed(serve, connect, authority):
    server = serve(authority.issue("localhost"))
    client = connect(server.url, ca_pem=authority.pem)
    assert client.get("/") == client.get("/") == b"{}"
    assert len({asked.peer for asked in server.asked}) == 1  # kept alive


def test_an_address_in_the_url_must_be_in_the_certificate(serve, connect, authority):
    url = serve(authority.issue("127.0.0.1")).url.replace("localhost", "127.0.0.1")
    assert connect(url, ca_pem=authority.pem).get("/") == b"{}"


@pytest.mark.parametrize(
    ("names", "days", "sentence"),
    [
        (["localhost"], (-2, -1), "expired"),
        (["localhost"], (1, 2), "not valid yet"),
        (["elsewhere.example.org"], (-1, 1), "another name"),
        (["127.0.0.1"], (-1, 1), "another name"),  # the URL says localhost, wherever that leads
    ],
)
def test_a_certificate_that_does_not_hold_says_why(serve, connect, authority, names, days, sentence):
    server = serve(authority.issue(*names, days=days))
    with pytest.raises(CertificateRefused, match=sentence):
        connect(server.url, ca_pem=authority.pem).get("/")
    assert server.asked == []


def test_an_authority_that_was_not_given_is_not_believed(serve, connect, authority, other_authority):
    server = serve(other_authority.issue("localhost"))
    for trusted in (authority.pem, ""):
        with pytest.raises(CertificateRefused, match="authority that was not given"):
            connect(server.url, ca_pem=trusted).get("/")
    assert server.asked == []


def test_given_authorities_replace_those_of_the_system(serve, connect, authority, other_authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.issue("unused")))
    bundle = authority.directory / "bundle.pem"
    bundle.write_text(other_authority.pem)
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(bundle))
    server = serve(other_authority.issue("localhost"))

    assert connect(server.url).get("/") == b"{}"  # the system's store, as OpenSSL finds it
    with pytest.raises(CertificateRefused):
        connect(server.url, ca_pem=authority.pem).get("/")


@pytest.mark.parametrize(
    "pem", ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "é"]
)
def test_what_is_no_certificate_is_refused_at_once(connect, pem):
    with pytest.raises(CertificateRefused, match="PEM"):
        connect("https://localhost", ca_pem=pem)


def test_a_port_without_tls_says_so(server, connect):
    with pytest.raises(CertificateRefused, match="does the server speak TLS"):
        connect(server.url.replace("http://", "https://")).get("/")


def test_a_certificate_that_was_refused_is_not_tried_again(serve, connect, authority):
    pauses = []
    server = serve(authority.issue("elsewhere"))
    with pytest.raises(CertificateRefused):
        connect(server.url, ca_pem=authority.pem, sleep=pauses.append).get("/")
    assert pauses == []


def test_a_handshake_that_never_ends_is_a_timeout(connect):
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ServerUnreachable, match="timed out"),
    ):
        connect(f"https://127.0.0.1:{listener.getsockname()[1]}", deadline=0.3, connect_timeout=0.2).get("/")
