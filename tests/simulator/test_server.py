"""The connection: loopback only, keep-alive, authentication, limits, silence, TLS."""

import socket
import statistics
import threading
import time
from http.client import RemoteDisconnected

import pytest

from txt_dashboard.simulator.fleet import build_fleet
from txt_dashboard.simulator.server import BODY_LIMIT, HOLD_S, MOST_HELD, CannotListen, SimulatorServer
from txt_dashboard.simulator.story import Story

HOSTS = "/AttestationService/resources/hosts?searchCriteria=az1-001"
POLL = "/AttestationService/resources/PollHosts"


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "", "example.org", "::"])  # noqa: S104
def test_other_addresses_than_loopback_are_refused(serve, address):
    with pytest.raises(CannotListen, match="loopback"):
        SimulatorServer((address, 0), serve(hosts=10).server.dialect)


def test_a_taken_port_is_said_so(serve):
    world = serve(hosts=10)
    with pytest.raises(CannotListen, match=f":{world.server.server_port} can't be used: Address already in use"):
        SimulatorServer(("127.0.0.1", world.server.server_port), world.server.dialect)


def test_a_connection_is_kept_and_answers_without_delay(serve):
    client = serve(hosts=10).client
    client.get(HOSTS)
    first = client.connection.sock
    took = []
    for _ in range(20):
        begun = time.process_time()
        client.poll(["az1-001"], PCRmask="FFFFFF")
        took.append(time.process_time() - begun)
    assert client.connection.sock is first
    assert statistics.median(took) < 0.02


def test_500_hosts_answer_fast(serve):
    world = serve(hosts=500, at=200)
    world.client.poll(world.names, PCRmask="FFFFFF")
    begun = time.process_time()
    world.client.poll(world.names, PCRmask="FFFFFF")
    assert time.process_time() - begun < 0.5  # about 30 ms on one quiet core; the rest is for busy ones


def test_the_blob_is_asked_for(serve):
    client = serve(hosts=10, auth_blob="sésame").client
    for headers in ({}, {"x-auth-blob": "wrong"}):
        status, fault = client.ask("GET", HOSTS, **headers)
        assert status == 401
        assert fault["error_code"] == 401
    assert client.ask("GET", HOSTS, **{"X-Auth-Blob": "sésame"})[0] == 200


def test_without_a_blob_anyone_is_answered(serve):
    assert serve(hosts=10).client.ask("GET", HOSTS, **{"x-auth-blob": "whatever"})[0] == 200


@pytest.mark.parametrize(
    ("length", "status"), [(str(BODY_LIMIT + 1), 413), ("9" * 5000, 413), ("-1", 411), ("²", 411), ("", 411)]
)
def test_bodies_are_bounded(serve, length, status):
    client = serve(hosts=10).client
    client.connection.putrequest("POST", POLL)
    client.connection.putheader("Content-Length", length.encode())
    client.connection.endheaders()
    response = client.connection.getresponse()
    assert response.status == status
    assert response.getheader("Connection") == "close"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", POLL), ("PUT", POLL), ("DELETE", POLL)])
def test_other_resources_do_not_exist(serve, method, path):
    status, fault = serve(hosts=10).client.ask(method, path, "{}")
    assert status == 404
    assert fault["error_code"] == 404


def test_the_silent_server_takes_the_request_and_never_answers(serve):
    world = serve(hosts=10, at=310, hold_s=0.3)
    begun = time.monotonic()
    with pytest.raises(RemoteDisconnected):
        world.client.get(HOSTS)
    assert time.monotonic() - begun >= 0.3


def test_after_the_silence_kept_requests_go_unanswered_and_new_ones_are_answered(serve):
    world = serve(hosts=10, at=310)
    threading.Timer(0.2, world.move, [380]).start()
    with pytest.raises(RemoteDisconnected):
        world.client.get(HOSTS)
    assert world.client.get(HOSTS)["hostBean"]["HostName"] == "az1-001"


def test_kept_requests_do_not_pile_up(serve):
    world = serve(hosts=10, at=310)
    address = world.server.server_address[:2]
    kept = [socket.create_connection(address, timeout=5) for _ in range(MOST_HELD + 1)]
    for each in kept:
        each.sendall(f"GET {HOSTS} HTTP/1.1\r\nHost: oat\r\n\r\n".encode())
    dropped = 0
    deadline = time.monotonic() + 5
    while not dropped and time.monotonic() < deadline:
        dropped = sum(_closed(each) for each in kept)
    world.move(380)
    for each in kept:
        each.close()
    assert dropped == 1


def _closed(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


def test_a_failed_handshake_or_a_broken_connection_says_nothing(serve, capfd):
    world = serve(hosts=10)
    with socket.create_connection(world.server.server_address[:2]) as broken:
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        broken.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
    world.client.get(HOSTS)
    assert capfd.readouterr() == ("", "")


def test_whoever_waits_through_the_silence_is_kept_to_its_end():
    silence = Story(build_fleet()).silence
    assert silence.end - silence.start < HOLD_S
