"""Commands: thin over the verbs, and every error a sentence."""

import io
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.servers import ServerSettings, add_server
from txt_dashboard.models import Activity, Host, HostEvent, Proposal
from txt_dashboard.queries.reference import current_reference

PASSWORD = "correct horse battery"
GOLDEN = {
    "format": "txt-dashboard baselines 1",
    "policies": [
        {"server": "oat-1", "parts": {"vmm": {"bank": "sha1", "registers": [18]}}, "validity_s": 120},
    ],
    "baselines": [{"name": "kernel 6.1", "part": "vmm", "bank": "sha1", "values": {"18": "ab" * 20}}],
}


def command(*arguments: object) -> str:
    written = io.StringIO()
    call_command(*map(str, arguments), stdout=written)
    return written.getvalue()


@pytest.fixture
def typed(monkeypatch):
    """Puts a line into the pipe that passwords are read from."""

    def typed(line: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(line + "\n"))

    typed(PASSWORD)
    return typed


@pytest.fixture
def server(db):
    settings = ServerSettings(name="oat-1", kind="oat-1.6", url="http://127.0.0.1:8001", simulated=True)
    return add_server(COMMAND_LINE, settings, now=timezone.now())


# --- account


def test_an_account_can_log_in_with_its_roles(db, typed, rf):
    command("account", "add", "ann", "--role", "operator", "--role", "approver")
    assert authenticate(rf.post("/login/"), username="ann", password=PASSWORD) == User.objects.get()
    assert command("account", "list") == "ann: approver, operator, viewer\n"
    assert Activity.objects.filter(verb="add account", target="ann", actor="command line").exists()


def test_a_password_is_never_recorded(db, typed):
    command("account", "add", "ann")
    assert PASSWORD not in json.dumps(list(Activity.objects.values("detail", "target")))


@pytest.mark.parametrize(
    ("name", "password", "sentence"),
    [
        ("ann", "short", "too short"),
        ("ann", "", "too short"),
        ("ann", "q1w2e3r4t5y6", "too common"),
        ("no spaces", PASSWORD, "valid username"),
        ("Worker", PASSWORD, "means the product itself"),
        ("", PASSWORD, "cannot be blank"),
    ],
)
def test_what_can_not_be_an_account_is_said(db, typed, name, password, sentence):
    typed(password)
    with pytest.raises(CommandError, match=sentence):
        command("account", "add", name)
    assert not User.objects.exists()


def test_a_name_can_not_be_taken_twice(db, typed):
    command("account", "add", "ann")
    typed(PASSWORD)
    with pytest.raises(CommandError, match="already exists"):
        command("account", "add", "ann")


def test_a_new_password_ends_sessions(db, typed):
    command("account", "add", "ann")
    before = User.objects.get(username="ann").get_session_auth_hash()
    typed("another good password")
    command("account", "set-password", "ann")
    user = User.objects.get(username="ann")
    assert user.check_password("another good password")
    assert user.get_session_auth_hash() != before


def test_an_account_can_be_disabled_and_enabled(db, typed):
    command("account", "add", "ann")
    command("account", "disable", "ann")
    assert command("account", "list") == "ann: viewer (disabled)\n"
    command("account", "enable", "ann")
    assert User.objects.get(username="ann").is_active


@pytest.mark.parametrize("verb", ["set-password", "disable", "enable"])
def test_an_account_that_is_not_there(db, typed, verb):
    with pytest.raises(CommandError, match="There is no account named bob"):
        command("account", verb, "bob")


# --- load_hosts, load_baselines


def test_hosts_come_from_a_file(server, tmp_path):
    file = tmp_path / "hosts.csv"
    file.write_text("\ufeffhost,pool\nnode-1,blue\nnode-2,\n", encoding="utf-8")
    assert command("load_hosts", file, "--server", "oat-1") == "Loaded 2 hosts of oat-1.\n"
    assert list(Host.objects.values_list("name", "pool")) == [("node-1", "blue"), ("node-2", "")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must begin with the line host,pool"),
        (b"node-1,blue\n", "must begin with the line host,pool"),
        (b"host,pool\nnode-1\n", "Line 2 of .* has 1 values, not two"),
        (b"host,pool\n\xff,blue\n", "no CSV file in UTF-8"),
        (b'host,pool\n"node-1,blue\n', "no CSV file in UTF-8"),
        (b"host,pool\nnode 1,blue\nnode-2,blue\nnode-2,green\n", "'node 1' is no host name.*node-2 is there twice"),
    ],
)
def test_a_file_that_is_no_list_of_hosts_changes_nothing(server, tmp_path, content, sentence):
    (tmp_path / "hosts.csv").write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        command("load_hosts", tmp_path / "hosts.csv", "--server", "oat-1")
    assert not Host.objects.exists()


def test_hosts_of_a_server_that_is_not_there(db, tmp_path):
    (tmp_path / "hosts.csv").write_text("host,pool\nnode-1,blue\n")
    with pytest.raises(CommandError, match="no attestation server named oat-9"):
        command("load_hosts", tmp_path / "hosts.csv", "--server", "oat-9")


@pytest.mark.parametrize("arguments", [["load_baselines", "--reason", "x"], ["load_hosts", "--server", "oat-1"]])
def test_a_file_that_is_not_there(server, tmp_path, arguments):
    with pytest.raises(CommandError, match="nowhere can't be used: No such file or directory"):
        command(*arguments, tmp_path / "nowhere")


def test_baselines_come_from_a_file(server, tmp_path):
    (tmp_path / "golden.json").write_text(json.dumps(GOLDEN))
    said = command("load_baselines", tmp_path / "golden.json", "--reason", "The first day.")
    proposal = Proposal.objects.get()
    assert said == f"Proposal {proposal.pk} waits for approval: it touches 2 entries.\n"
    proposed = {change["after"].get("name") for change in proposal.patch["changes"].values()}
    assert proposed == {"kernel 6.1", None}
    assert current_reference().baselines == ()


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b"\xff"])
def test_a_file_that_holds_no_baselines_changes_nothing(server, tmp_path, content):
    (tmp_path / "golden.json").write_bytes(content)
    with pytest.raises(CommandError, match="The file"):
        command("load_baselines", tmp_path / "golden.json", "--reason", "The first day.")


def test_a_locked_database_is_a_sentence(server, tmp_path, monkeypatch):
    (tmp_path / "golden.json").write_text(json.dumps(GOLDEN))

    def locked(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("txt_dashboard.management.commands.load_baselines.propose_file", locked)
    with pytest.raises(CommandError, match="The database can't be used: database is locked"):
        command("load_baselines", tmp_path / "golden.json", "--reason", "The first day.")


# --- prune_history, create_vault_key


def event(host: Host, days: int) -> None:
    at = timezone.now() - timedelta(days=days)
    HostEvent.objects.create(host=host, at=at, previous_state="unknown", state="trusted", reason="trusted")


def test_history_is_pruned_by_age(db):
    host = Host.objects.create(name="node-1", since=timezone.now(), created_at=timezone.now())
    for days in (500, 50, 5):
        event(host, days)
    assert command("prune_history") == "Removed 1 changes older than 400 days.\n"
    assert command("prune_history", "--days", 30) == "Removed 1 changes older than 30 days.\n"


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_an_age_that_makes_no_sense(db, days):
    with pytest.raises(CommandError, match="--days must be"):
        command("prune_history", "--days", days)


def test_a_vault_key_is_made_once(settings, tmp_path):
    settings.TXT_VAULT_KEY_FILE = tmp_path / "new.key"
    assert "Made" in command("create_vault_key")
    assert settings.TXT_VAULT_KEY_FILE.stat().st_mode & 0o777 == 0o600
    before = settings.TXT_VAULT_KEY_FILE.read_text()
    assert "is there already" in command("create_vault_key")
    assert settings.TXT_VAULT_KEY_FILE.read_text() == before


def test_a_vault_key_that_can_not_be_written(settings):
    settings.TXT_VAULT_KEY_FILE = Path("/proc/nowhere/vault.key")
    with pytest.raises(CommandError, match="can't be used"):
        command("create_vault_key")


def test_run_is_only_for_the_demonstration(settings):
    settings.TXT_DEMO = False
    with pytest.raises(CommandError, match="Start it as"):
        command("run")
