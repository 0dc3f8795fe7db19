"""Each mistake in settings has a number, and production settings have none."""

import os
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from txt_dashboard import checks

ROOT = Path(__file__).parent.parent


@pytest.fixture
def sound(settings, tmp_path):
    """Production settings without a mistake."""
    tmp_path.chmod(0o700)
    settings.TXT_DEMO = False
    settings.TXT_DATA_DIR = tmp_path
    settings.TXT_SERVER_NETWORKS = (ip_network("10.1.2.0/24"),)
    settings.TXT_VAULT_KEY_FILE = tmp_path / "vault.key"
    settings.TXT_VAULT_KEY_FILE.touch(0o600)
    settings.TXT_VAULT_KEY_FILE.write_bytes(Fernet.generate_key())
    return settings


def found() -> list[str]:
    every = (
        checks.secret_key,
        checks.vault_key_is_private,
        checks.data_directory_is_writable,
        checks.demonstration_stays_on_loopback,
        checks.numbers_make_sense,
        checks.vault_key_is_usable,
        checks.pollhosts_is_guarded,
        checks.servers_have_networks,
        checks.data_directory_is_private,
        checks.database_fits_the_broker,
    )
    return [message.id for check in every for message in check()]


def test_sound_settings_have_no_mistake(sound):
    assert found() == []


def test_a_missing_secret_key(sound):
    sound.SECRET_KEY = ""
    assert found() == ["TXT.E001"]


def test_a_vault_key_that_others_can_read(sound):
    sound.TXT_VAULT_KEY_FILE.chmod(0o640)
    assert found() == ["TXT.E002"]


def test_who_may_ask_pollhosts_can_be_guessed(sound):
    sound.TXT_POLLHOSTS_BLOB = "secret"
    assert found() == ["TXT.W005"]


@pytest.mark.parametrize(("header", "clients"), [("X-Client-Fingerprint", []), ("", ["ab12"])])
def test_half_of_what_lets_certificates_in(sound, header, clients):
    sound.TXT_POLLHOSTS_HEADER, sound.TXT_POLLHOSTS_CLIENTS = header, clients
    assert found() == ["TXT.W005"]


def test_a_data_directory_that_is_not_there(sound, tmp_path):
    sound.TXT_DATA_DIR = tmp_path / "missing"
    assert found() == ["TXT.E003"]


def test_nothing_in_the_data_directory_needs_none(sound, tmp_path, monkeypatch):
    sound.TXT_DATA_DIR = tmp_path / "missing"
    sound.CELERY_BROKER_URL = "amqp://"
    monkeypatch.setitem(sound.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    assert found() == []


def test_a_demonstration_for_others(sound):
    sound.TXT_DEMO = True
    sound.ALLOWED_HOSTS = ["localhost", "trust.example.org"]
    assert found() == ["TXT.E004"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("TXT_TICK_S", 0), ("TXT_TICK_S", float("nan")), ("TXT_CLOCK_TOLERANCE_S", -1), ("TXT_HISTORY_DAYS", 0)],
)
def test_a_number_that_makes_no_sense(sound, name, value):
    setattr(sound, name, value)
    assert found() == ["TXT.E005"]


@pytest.mark.parametrize("content", [None, "", "no key"])
def test_a_vault_key_that_is_missing_or_none(sound, tmp_path, content):
    sound.TXT_VAULT_KEY_FILE = tmp_path / "other.key"
    if content is not None:
        sound.TXT_VAULT_KEY_FILE.touch(0o600)
        sound.TXT_VAULT_KEY_FILE.write_text(content)
    assert found() == ["TXT.E006"]


def test_no_network_for_servers(sound):
    sound.TXT_SERVER_NETWORKS = ()
    assert found() == ["TXT.W001"]


def test_a_data_directory_that_others_can_look_into(sound, tmp_path):
    tmp_path.chmod(0o755)
    assert found() == ["TXT.W002"]


def test_a_broker_for_several_machines_with_a_database_for_one(sound):
    sound.CELERY_BROKER_URL = "amqp://"
    assert found() == ["TXT.W003"]


def production(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of a production installation; nothing of the tests' own."""
    return {
        "PATH": os.environ["PATH"],
        "TXT_DATA_DIR": str(folder),
        "TXT_SECRET_KEY": "k3Jd9-" * 12,
        "TXT_ALLOWED_HOSTS": "trust.example.org",
        "TXT_SERVER_NETWORKS": "10.1.2.0/24",
        **settings,
    }


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_production_settings_are_clean(tmp_path):
    tmp_path.chmod(0o700)
    environment = production(tmp_path)
    assert manage(environment, "create_vault_key").returncode == 0
    assert manage(environment, "signing_key", "create").returncode == 0
    checked = manage(environment, "check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TXT_TICK_S", "soon", "TXT_TICK_S can't be used: "),
        ("TXT_SERVER_NETWORKS", "10.1.2.3/24", "TXT_SERVER_NETWORKS can't be used: 10.1.2.3/24 has host bits set."),
        ("TXT_SECRET_KEY_FILE", "/nowhere", "TXT_SECRET_KEY can't be used: "),
        ("TXT_LOG_LEVEL", "loud", "TXT_LOG_LEVEL is LOUD; it can be "),
        ("TXT_SETTINGS_FILE", "/nowhere", "TXT_SETTINGS_FILE names /nowhere, which is no file."),
    ],
)
def test_a_setting_that_can_not_be_used_is_one_sentence(tmp_path, name, value, sentence):
    ended = manage(production(tmp_path, **{name: value}), "check")
    assert ended.returncode == 1
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1


def test_keystone_is_described_wholly_or_not_at_all(settings):
    assert checks.keystone_is_described() == []
    settings.TXT_KEYSTONE_CLOUD = "east"
    settings.TXT_KEYSTONE_ROLES = ["admin=emperor"]
    told = [str(each.msg) for each in checks.keystone_is_described()]
    assert [word for word in ("TXT_KEYSTONE_CONFIG", "TXT_KEYSTONE_PROJECT", "emperor") if word in str(told)] == [
        "TXT_KEYSTONE_CONFIG",
        "TXT_KEYSTONE_PROJECT",
        "emperor",
    ]


def test_a_client_key_that_others_can_read(settings, tmp_path):
    path = tmp_path / "keylime-1.pem"
    path.touch(0o600)
    settings.TXT_CLIENT_CERTIFICATES = [f"keylime-1={path}", "keylime-2=/nowhere"]
    assert checks.client_keys_are_private() == []
    path.chmod(0o640)
    assert [message.id for message in checks.client_keys_are_private()] == ["TXT.E011"]


@pytest.mark.parametrize(
    ("name", "value", "faults"),
    [
        ("TXT_KEYLIME_AGENT_PORTS", "9002-9010", 0),
        ("TXT_KEYLIME_AGENT_PORTS", "", 1),
        ("TXT_KEYLIME_AGENT_PORTS", "many", 1),
        ("TXT_KEYLIME_AGENT_PORTS", "9010-9002", 1),
        ("TXT_KEYLIME_AGENT_PORTS", "0-9002", 1),
        ("TXT_KEYLIME_AGENT_PORTS", "9002-70000", 1),
        ("TXT_KEYLIME_REGISTRARS", ["keylime-1=https://registrar:8891"], 0),
        ("TXT_KEYLIME_REGISTRARS", ["https://registrar:8891"], 1),
        ("TXT_CLIENT_CERTIFICATES", ["keylime-1="], 1),
        ("TXT_KEYLIME_HOOKS", ["keylime-1=a secret that nobody guesses"], 0),
        ("TXT_KEYLIME_HOOKS", ["keylime-1=short"], 1),
        ("TXT_KEYLIME_PUBLISH", ["keylime-1"], 1),
        ("TXT_KEYLIME_PUBLISH", ["", " "], 0),
    ],
)
def test_what_is_said_of_keylime_can_be_used(settings, name, value, faults):
    setattr(settings, name, value)
    found = checks.keylime_is_described()
    assert [message.id for message in found] == ["TXT.E012"] * faults
