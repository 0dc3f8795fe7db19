"""The wheel carries all that it needs, and works in a clean virtual environment as from the checkout."""

import email.message
import email.parser
import http.client
import os
import signal
import socket
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(600)]

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the checkout, with the build backend of this environment and without the network."""
    folder = tmp_path_factory.mktemp("dist")
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The Python of a clean virtual environment with the locked requirements and the wheel."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements" / "server.txt"], check=True)
    subprocess.run([*install, "--no-deps", "--no-index", wheel], check=True)
    return python


@pytest.fixture
def environment(tmp_path):
    """A production installation's; nothing of the tests' own and nothing of the checkout."""
    (tmp_path / "data").mkdir(0o700)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TXT_DATA_DIR": str(tmp_path / "data"),
        "TXT_SECRET_KEY": "k3Jd9-" * 12,
        "TXT_ALLOWED_HOSTS": "trust.example.org",
        "TXT_SERVER_NETWORKS": "10.1.2.0/24",
    }


def shipped(folder: str) -> set[str]:
    """The files of a folder, by their paths from the checkout."""
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(ROOT)) for path in files}


def test_all_of_the_package_is_inside(names):
    assert shipped("txt_dashboard") | shipped("txt_dashboard_nova") | shipped("txt_dashboard_panel") <= names


@pytest.mark.parametrize("folder", ["templates", "static"])
def test_what_lies_beside_the_package_is_inside_it(names, folder):
    assert shipped(folder)
    assert {f"txt_dashboard/{name}" for name in shipped(folder)} <= names


def test_nothing_else_is_inside(names):
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "txt_dashboard",
        "txt_dashboard_nova",
        "txt_dashboard_panel",
    }


def test_it_brings_nothing_unless_asked(metadata):
    assert set(metadata.get_all("Provides-Extra")) == {
        "server",
        "postgresql",
        "redis",
        "deadman",
        "nova",
        "cli",
        "horizon",
    }
    assert all("extra ==" in requirement for requirement in metadata.get_all("Requires-Dist"))


def test_the_licence_is_inside(names, metadata):
    assert metadata["License-Expression"] == "Apache-2.0"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_an_installation_is_clean(python, environment, tmp_path):
    for arguments in (
        ("create_vault_key",),
        ("signing_key", "create"),
        ("migrate",),
        ("collectstatic", "--no-input"),
        ("check", "--deploy", "--fail-level", "WARNING"),
        ("migrate", "--check"),
    ):
        command = [python, "-m", "txt_dashboard", *arguments]
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_whole_product_runs(python, environment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    own = {**environment, "TXT_PORT": str(port), "TXT_SIM_HOSTS": "20"}
    del own["TXT_ALLOWED_HOSTS"], own["TXT_SERVER_NETWORKS"]
    command = [python.parent / "txt-dashboard-manage", "run"]
    with subprocess.Popen(command, cwd=tmp_path, env=own, stdout=subprocess.PIPE, text=True) as run:
        try:
            lines = list(until(run.stdout, "Ctrl-C stops it."))
            assert get(port, "/login/") == 200, "".join(lines)
        finally:
            run.send_signal(signal.SIGINT)
            rest = run.stdout.read()
    assert run.returncode == 0
    assert "Traceback" not in "".join(lines) + rest


def until(stream, text):
    """The lines up to one with the text, or to the end."""
    for line in stream:
        yield line
        if text in line:
            return


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status
