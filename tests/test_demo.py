"""What the demonstration needs before settings are read: its options, its files, its lock."""

import json
import shutil
import socket
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from txt_dashboard import conf, demo
from txt_dashboard.cloud.login import read_clouds
from txt_dashboard.demo_options import DemoError, Options


def options(folder: Path, **environment: str) -> Options:
    return Options.read({"TXT_DATA_DIR": str(folder), **environment})


def test_nothing_needs_to_be_set():
    read = Options.read({})
    assert (read.address, read.simulator_port, read.cloud_port) == ("http://127.0.0.1:8000", 8001, 8002)
    assert read.folder == Path(".data").resolve()


def test_the_other_ports_follow_from_the_port():
    read = Options.read({"TXT_PORT": "9100", "TXT_HOST": "::1"})
    assert (read.address, read.simulator_port, read.cloud_port) == ("http://[::1]:9100", 9101, 9102)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TXT_PORT", "http"),
        ("TXT_PORT", "0"),
        ("TXT_PORT", "65534"),
        ("TXT_PORT", "-1"),
        ("TXT_PORT", "²"),
        ("TXT_HOST", "0.0.0.0"),  # noqa: S104
        ("TXT_HOST", "192.0.2.1"),
        ("TXT_HOST", "example.org"),
        ("TXT_SIM_HOSTS", "9"),
        ("TXT_SIM_HOSTS", "many"),
        ("TXT_SIM_SEED", "1.5"),
        ("TXT_SIM_SPEED", "0"),
        ("TXT_SIM_SPEED", "nan"),
        ("TXT_SIM_SPEED", "fast"),
        ("TXT_SIM_UNTIL", "0"),
        ("TXT_SIM_UNTIL", "late"),
        ("TXT_SIM_CLOUD", "perhaps"),
        ("TXT_SETTINGS_FILE", "/etc/txt-dashboard.conf"),
        ("TXT_DATABASE_URL", "postgres://production"),
    ],
)
def test_what_can_not_be_used_is_named(name, value):
    with pytest.raises(DemoError, match=name):
        Options.read({name: value})


def test_the_environment_is_made_for_the_settings(tmp_path):
    environment = {"TXT_DATA_DIR": str(tmp_path / "new")}
    demo.set_environment(environment)
    assert environment["TXT_DEMO"] == "true"
    assert environment["TXT_SERVER_NETWORKS"] == demo.LOOPBACK_NETWORKS
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    key = Path(environment["TXT_SECRET_KEY_FILE"])
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) > 50
    before = key.read_text()
    demo.set_environment(environment)
    assert key.read_text() == before


def test_a_data_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="can't be used: File exists"):
        demo.set_environment({"TXT_DATA_DIR": str(tmp_path / "file")})


def test_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1000))
    with pytest.raises(DemoError, match="is full"):
        demo.set_environment({"TXT_DATA_DIR": str(tmp_path)})


def test_the_random_password_stays_and_a_given_one_goes_before_it(tmp_path):
    first = demo.password(options(tmp_path))
    assert len(first) >= 12
    assert demo.password(options(tmp_path)) == first
    assert demo.password(options(tmp_path, TXT_DEMO_PASSWORD="given")) == "given"
    assert demo.password(options(tmp_path)) == first
    assert (tmp_path / "demo-password").stat().st_mode & 0o777 == 0o600


def test_an_empty_file_of_a_start_that_was_killed_is_filled(tmp_path):
    (tmp_path / "demo-password").touch()
    (tmp_path / "demo-password.new").touch()
    assert demo.password(options(tmp_path)) == demo.password(options(tmp_path)) != ""


def test_the_story_begins_once(tmp_path):
    begun = demo.story(options(tmp_path, TXT_SIM_SEED="0", TXT_SIM_HOSTS="50"))
    assert (begun.hosts, begun.seed) == (50, 0)
    assert demo.story(options(tmp_path)) == begun
    assert demo.story(options(tmp_path, TXT_SIM_SPEED="10", TXT_SIM_HOSTS="50")) == begun


def test_the_simulator_serves_the_story_and_keeps_what_it_is_told_with_the_data(tmp_path):
    read = options(tmp_path, TXT_PORT="9100", TXT_SIM_SPEED="3", TXT_SIM_UNTIL="470")
    command = demo.simulator_serving(read, demo.story(read))
    told = dict(pairwise(command))
    assert (told["--port"], told["--speed"], told["--until"]) == ("9101", "3.0", "470.0")
    assert told["--state"] == str(tmp_path / "simulator.json")
    assert "--state" not in demo.simulator(demo.story(read))


def test_the_settings_name_the_simulated_cloud(tmp_path):
    environment = {"TXT_DATA_DIR": str(tmp_path), "TXT_PORT": "9100", "TXT_CLOUDS": "somewhere-real"}
    demo.set_environment(environment)
    assert environment["TXT_CLOUDS"] == environment["TXT_KEYSTONE_CLOUD"] == demo.CLOUD
    assert conf.SIMULATED_CLOUD == demo.CLOUD
    read = Options.read(environment)
    demo.write_cloud_accounts(read)
    logins = read_clouds(Path(environment["TXT_CLOUDS_FILE"]))
    assert {name: login.auth["username"] for name, login in logins.items()} == {
        "simulated": "trust-admin",
        "simulated-traits": "trust-traits",
    }
    assert {login.auth_url for login in logins.values()} == {"http://127.0.0.1:9102/identity/v3"}


def test_the_accounts_of_the_cloud_are_for_their_owner_alone_and_stay(tmp_path):
    read = options(tmp_path, TXT_DEMO_PASSWORD="given")
    demo.write_cloud_accounts(read)
    command = demo.cloud_serving(read, demo.story(read))
    passwords = Path(dict(pairwise(command))["--passwords"])
    known = json.loads(passwords.read_text())
    assert (known["admin"], known["member"]) == ("given", "given")
    assert known["trust-admin"] not in ("given", "")
    assert {path.stat().st_mode & 0o777 for path in (passwords, read.clouds_file)} == {0o600}
    demo.write_cloud_accounts(read)
    assert json.loads(passwords.read_text()) == known


def test_the_cloud_can_be_left_out(tmp_path):
    environment = {"TXT_DATA_DIR": str(tmp_path), "TXT_SIM_CLOUD": "false"}
    demo.set_environment(environment)
    assert "TXT_CLOUDS" not in environment
    assert not Options.read(environment).cloud


@pytest.mark.parametrize("other", [{"TXT_SIM_SEED": "2"}, {"TXT_SIM_HOSTS": "50"}])
def test_another_fleet_is_refused_where_one_lives(tmp_path, other):
    demo.story(options(tmp_path))
    with pytest.raises(DemoError, match="holds a fleet that began with"):
        demo.story(options(tmp_path, **other))


@pytest.mark.parametrize("content", ["{", "[]", '{"hosts": 1}'])
def test_a_broken_story_says_how_to_begin_anew(tmp_path, content):
    (tmp_path / "story.json").write_text(content)
    with pytest.raises(DemoError, match="to begin anew"):
        demo.story(options(tmp_path))


def test_only_one_uses_a_data_directory(tmp_path):
    with demo.only_one(tmp_path), pytest.raises(DemoError, match="Another `run` uses"), demo.only_one(tmp_path):
        pass
    with demo.only_one(tmp_path):
        pass


def test_a_port_in_use_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"Port {port} on 127.0.0.1 can't be used: Address already in use"):
            demo.require_free("127.0.0.1", port)
    demo.require_free("127.0.0.1", port)
