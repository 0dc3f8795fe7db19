"""Nova 16's own TrustedFilter, from the package index, against PollHosts over TLS; nova16.py says what is stubbed."""

import json
import ssl
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

from tests.pollhosts.conftest import blob, host, server, static_root  # noqa: F401 - used by name

VERSION = "16.1.8"
FILE = "nova/scheduler/filters/trusted_filter.py"
pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def trusted_filter(tmp_path_factory) -> Path:
    """The file as it was released; pip, so that a configured index or cache is used."""
    folder = tmp_path_factory.mktemp("nova16")
    old = ("--python-version", "27", "--implementation", "py", "--abi", "none", "--platform", "any")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:")
    command = [sys.executable, "-m", "pip", "download", *quiet, *old, "--dest", folder, f"nova=={VERSION}"]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("nova-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return Path(opened.extract(FILE, folder))


@pytest.fixture
def authority(tmp_path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key in the same file."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    file = tmp_path / "authority.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + built.public_bytes(Encoding.PEM))
    return file


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def port(authority) -> int:
    """The product's own WSGI application, behind TLS."""
    httpd = WSGIServer(("127.0.0.1", 0), _Silent)
    httpd.set_app(get_wsgi_application())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield httpd.server_port
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def decide(trusted_filter, port, authority):
    """What Nova's filter decides of these nodes."""

    def run(*nodes: str, send: str) -> dict:
        script = Path(__file__).with_name("nova16.py")
        arguments = [trusted_filter, str(port), authority, send, *nodes]
        ended = subprocess.run(
            [sys.executable, script, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


def test_it_passes_the_trusted_hosts_and_no_other(decide, host, blob):  # noqa: F811
    now = timezone.now()
    host("hv1", now=now)
    host("hv2", "untrusted", now=now)
    host("hv3", now=now - timedelta(minutes=6))  # its evidence ran out, and no worker noticed
    host("hv5.example.org", now=now)
    decided = decide("hv1", "hv2", "hv3", "hv4", "hv5.example.org", send=blob)
    everybody = ["hv1", "hv2", "hv3", "hv4", "hv5.example.org"]
    assert decided["passing"] == {
        "trusted": ["hv1", "hv5.example.org"],
        "untrusted": ["hv2"],
        "": everybody,
    }
    assert decided["polls"] == 1, "vtime is fresh, so one answer serves all hosts"


def test_without_the_blob_it_passes_none(decide, host, blob):  # noqa: F811
    host("hv1", now=timezone.now())
    for wrong in ("", "another blob"):
        assert decide("hv1", send=wrong)["passing"]["trusted"] == []


def test_while_pollhosts_is_off_it_passes_none(decide, host):  # noqa: F811
    host("hv1", now=timezone.now())
    assert decide("hv1", send="anything")["passing"]["trusted"] == []
