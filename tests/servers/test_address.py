"""URLs that operators enter, and the addresses that names lead to."""

import contextlib
import socket
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.servers.address import Url, parse_url, resolve
from txt_dashboard.servers.base import AddressRefused, ServerUnreachable

INSIDE = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def resolver(*addresses: str):
    def find(_host, port, **_options):
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
        return [(family, 1, 6, "", (each, port)) for family, each in zip(families, addresses, strict=True)]

    return find


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://oat-1:8443", Url("https", "oat-1", 8443, "")),
        ("https://oat-1.example.org", Url("https", "oat-1.example.org", 443, "")),
        ("http://10.0.0.1/", Url("http", "10.0.0.1", 80, "")),
        ("HTTPS://OAT-1:8443/Base/Path/", Url("https", "oat-1", 8443, "/Base/Path")),
        ("https://[fd00::1]:8443", Url("https", "[fd00::1]", 8443, "")),
    ],
)
def test_it_takes_a_url_apart(text, url):
    assert parse_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oat-1:8443",
        "ftp://oat-1",
        "file:///etc/passwd",
        "https://",
        "https://user@oat-1",
        "https://user:secret@oat-1",
        "https://oat-1?x=1",
        "https://oat-1#x",
        "https://oat-1/?",
        "https://oat-1\\@elsewhere",
        "https://oat-1/a b",
        "https://oat-1/\r\nHost: elsewhere",
        "https://oat-1:0",
        "https://oat-1:65536",
        "https://oat-1:99999999",
        "https://oat-1:-1",
        "https://oat-1:８443",
        "https://oät-1",
        "https://a..b",
        "https://" + 64 * "a",
        "https://oat-1/%2e%2e",
        "https://oat-1/" + 500 * "a",
        " https://oat-1",
        "https://oat-1\n",
    ],
)
def test_it_refuses_all_other_urls(text):
    with pytest.raises(AddressRefused):
        parse_url(text)


@given(st.text())
def test_no_text_makes_it_fail_otherwise(text):
    with contextlib.suppress(AddressRefused):
        assert parse_url(f"https://{text}").scheme == "https"


def test_it_keeps_all_addresses_in_the_resolvers_order():
    found = resolve(parse_url("https://oat-1:8443"), INSIDE, resolver("fd00::1", "10.0.0.1", "10.0.0.1"))
    assert [each.sockaddr for each in found] == [("fd00::1", 8443), ("10.0.0.1", 8443)]


@pytest.mark.parametrize(
    "addresses",
    [
        ["192.0.2.1"],
        ["10.0.0.1", "192.0.2.1"],  # one of them is enough
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:192.0.2.1"],
        ["fe80::1%eth0"],
    ],
)
def test_it_refuses_a_name_that_leads_outside_the_networks(addresses):
    with pytest.raises(AddressRefused, match="outside the networks"):
        resolve(parse_url("https://oat-1"), INSIDE, resolver(*addresses))


def test_an_address_inside_another_counts_as_the_one_inside():
    url = parse_url("https://oat-1")
    assert resolve(url, INSIDE, resolver("::ffff:10.0.0.1"))
    with pytest.raises(AddressRefused):
        resolve(url, (ip_network("::/0"),), resolver("::ffff:10.0.0.1"))


def test_without_networks_no_address_is_allowed():
    with pytest.raises(AddressRefused):
        resolve(parse_url("https://oat-1"), (), resolver("10.0.0.1"))


def test_a_name_without_an_address_says_so():
    def fails(*_args, **_kwargs):
        raise socket.gaierror("Name or service not known")

    for broken in (fails, resolver()):
        with pytest.raises(ServerUnreachable, match="oat-1"):
            resolve(parse_url("https://oat-1"), INSIDE, broken)
