"""The command line: a process of its own that says what it is, and ends when told to."""

import logging
import re
import signal
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from txt_dashboard.simulator.__main__ import main, narrator, story_clock
from txt_dashboard.simulator.fleet import build_fleet
from txt_dashboard.simulator.simulation import Simulation

COMMAND = [sys.executable, "-m", "txt_dashboard.simulator"]


@pytest.fixture
def started():
    processes = []

    def start(*options: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_what_it_is_and_ends_quickly(started, how):
    process = started("--api", "2.x", "--at", "0")
    line = process.stdout.readline()
    assert re.fullmatch(r"Simulated OpenAttestation 2\.x with 420 hosts listens on http://127\.0\.0\.1:\d+\.\n", line)
    begun = time.monotonic()
    process.send_signal(how)
    assert process.wait(timeout=30) == 0
    assert time.monotonic() - begun < 10
    assert process.stderr.read() == ""


def test_a_taken_port_is_a_sentence(serve, capsys):
    port = serve(hosts=10).server.server_port
    assert main(["--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"The simulator can't start: 127.0.0.1:{port} can't be used: Address already in use\n"
    )


def test_another_address_is_a_sentence(capsys):
    assert main(["--bind", "0.0.0.0"]) == 2  # noqa: S104
    assert "no loopback address" in capsys.readouterr().err


def test_an_unusable_certificate_is_a_sentence(tmp_path, capsys):
    (tmp_path / "cert.pem").write_text("no certificate")
    assert main(["--hosts", "10", "--cert", str(tmp_path / "cert.pem")]) == 2
    assert "no usable certificate" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": "another"}'])
def test_an_unusable_state_is_a_sentence(content, tmp_path, capsys):
    (tmp_path / "state.json").write_text(content)
    assert main(["--hosts", "10", "--state", str(tmp_path / "state.json")]) == 2
    assert "state.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--hosts", "9"], ["--speed", "0"], ["--api", "3"], ["--port", "70000"], ["--port", "-1"]]
)
def test_unusable_options_are_refused(options, capsys):
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert "error: argument" in capsys.readouterr().err


def test_files_are_written_and_nothing_is_served(tmp_path):
    inventory, golden = tmp_path / "fleet.csv", tmp_path / "golden.json"
    registrations = tmp_path / "registrations.csv"
    files = ["--inventory", str(inventory), "--golden", str(golden), "--registrations", str(registrations)]
    assert main([*files, "--hosts", "10"]) == 0
    assert len(inventory.read_text().splitlines()) == len(registrations.read_text().splitlines()) == 11
    assert "txt-dashboard baselines 1" in golden.read_text()
    assert main(["--inventory", str(tmp_path / "missing" / "file.csv")]) == 2


def test_the_clock_runs_with_the_storys_speed():
    assert story_clock(0, 1, at=42)() == 42
    assert story_clock(time.time() - 10, 6)() == pytest.approx(60, abs=3)
    assert story_clock(time.time() + 100, 1)() == 0
    assert story_clock(0, 1, until=470)() == 470


def test_each_chapter_is_told_once_when_it_begins(caplog):
    caplog.set_level(logging.INFO)
    place = [50.0]
    tell = narrator(Simulation(build_fleet(), lambda: place[0]))
    for seconds in (50, 59, 60, 61, 95):
        place[0] = seconds
        tell()
    assert caplog.messages == [
        "Simulated, 60 s: az1-025 to az1-038 (14 hosts) reboot into kernel 6.1.0-38, which nobody approved.",
        "Simulated, 90 s: edge-017 no longer answers the server.",
    ]


def test_it_speaks_tls(started, tmp_path):
    certificate, key = _self_signed(tmp_path)
    process = started("--cert", str(certificate), "--key", str(key), "--hosts", "10", "--at", "0")
    port = int(re.search(r"https://127\.0\.0\.1:(\d+)", process.stdout.readline())[1])
    connection = HTTPSConnection("127.0.0.1", port, timeout=5, context=ssl.create_default_context(cafile=certificate))
    connection.request("GET", "/AttestationService/resources/hosts?searchCriteria=")
    assert connection.getresponse().read().startswith(b'{"hostBean":[')
    connection.close()


def _self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulator")])
    now = datetime.now(UTC)
    address = x509.IPAddress(IPv4Address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"
