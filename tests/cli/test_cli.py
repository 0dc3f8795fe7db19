"""The command over the API, against a real HTTP server."""

import json
import stat

import pytest
from django.core.cache import caches
from django.utils import timezone

from tests.api.callers import caller, key_of, post
from tests.api.test_baselines import WANTED
from tests.cloud.fake import answer
from tests.clouds import connected, look
from tests.factories import NOON, evidence, value
from tests.people import approver
from tests.web.conftest import fleet, oat, static_root  # noqa: F401 - the same fleet as the pages'
from txt_dashboard.actions.keystone import token_name
from txt_dashboard.actions.permissions import Role
from txt_dashboard.cli.__main__ import main
from txt_dashboard.models import Attestation, Cloud, Decision

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def served(live_server, fleet, settings, monkeypatch, tmp_path):  # noqa: F811 - the fixture
    """A fleet behind a server, and a key in a file."""
    fleet(hv1=None, hv2=evidence({17: value("other")}, at=timezone.now()))
    settings.TXT_KEYSTONE_CLOUD = "east"
    caches["api"].clear()
    file = tmp_path / "key"
    file.write_text(key_of(Role.OPERATOR) + "\n")
    file.chmod(stat.S_IRUSR)
    for name in ("TXT_API_KEY", "OS_TOKEN", "TXT_API_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TXT_API_URL", live_server.url)
    monkeypatch.setenv("TXT_API_KEY_FILE", str(file))
    return live_server


def test_hosts_as_a_table_and_as_json(served, capsys):
    assert main(["hosts", "--state", "untrusted"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["HOST", "POOL", "STATE", "SINCE", "WHY"]
    assert row.startswith("hv2")
    assert main(["--json", "hosts"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["hv1", "hv2"]


def test_a_difference_is_told_by_the_exit_code(served, capsys):
    assert main(["diff", "hv1"]) == 0
    assert main(["diff", "hv2"]) == 4
    assert value("other").hex() in capsys.readouterr().out


def test_baselines_and_what_waits(served, capsys):
    post(caller(Role.OPERATOR, name="eve"), "/v1/baselines", WANTED)
    assert main(["baselines"]) == 0
    told = capsys.readouterr().out
    assert "VMM 1" in told
    assert "VMM 2" in told


def test_a_person_approves_what_was_shown(served, capsys, monkeypatch):
    made = post(caller(Role.OPERATOR, name="eve"), "/v1/baselines", WANTED).json()
    assert main(["approve", str(made["id"]), "--reason", "Checked.", "--yes"]) == 1
    assert "Only a person" in capsys.readouterr().err
    monkeypatch.delenv("TXT_API_KEY_FILE")
    monkeypatch.setenv("OS_TOKEN", "t" * 32)
    caches["api"].set(token_name("t" * 32), approver("ada"))
    assert main(["approve", str(made["id"]), "--reason", "Checked."]) == 2
    assert not Decision.objects.exists()
    assert main(["approve", str(made["id"]), "--reason", "Checked.", "--yes"]) == 0
    told = capsys.readouterr()
    assert "Approved by 1 of 2." in told.out
    assert "baseline" in told.err


@pytest.fixture
def cloud(served, monkeypatch, tmp_path, settings):
    """A cloud as workers saw it just now, and an administrator's key."""
    monkeypatch.delenv("TXT_API_KEY_FILE")
    monkeypatch.setenv("TXT_API_KEY", key_of(Role.ADMINISTRATOR, name="root"))
    with connected(tmp_path, settings) as made:
        look(timezone.now)
        yield made


def test_flavors_as_a_table_and_as_json(cloud, capsys):
    cloud.flavors["f-1"].specs["trusted_host"] = "trusted"
    Cloud.objects.update(flavors_due_at=None)
    look(timezone.now)
    assert main(["flavors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:5] for line in lines[-2:]] == [
        ["f-2", "m1.safe", "trait", "1", "0"],
        ["f-1", "m1.small", "-", "1", "0"],
    ]
    assert lines[-1].endswith("unscoped_key")
    assert main(["--json", "flavors", "--cloud", "east"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)["items"]] == ["f-2", "f-1"]


def test_a_flavor_is_made_trusted_and_ordinary_again(cloud, capsys):
    assert main(["flavor", "trust", "f-1", "--on", "--by", "both", "--reason", "Contract 12."]) == 0
    assert capsys.readouterr().out.startswith("m1.small asks for trusted hosts, by both.")
    assert cloud.flavors["f-1"].specs["trust:trusted_host"] == "trusted"
    assert main(["flavor", "trust", "f-1", "--off", "--reason", "It ended."]) == 0
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"}


def test_what_the_cloud_refuses_fails_the_command(cloud, capsys):
    cloud.on("POST /nova/v2.1/flavors/f-1/os-extra_specs", answer({}, 403))
    assert main(["flavor", "trust", "f-1", "--on", "--reason", "Contract 12."]) == 1
    assert "the account needs the role admin" in capsys.readouterr().err


def test_a_poll_is_waited_for(served, capsys, monkeypatch):
    def answer(_seconds: float) -> None:
        Attestation.objects.update(asked_at=timezone.now(), answered=True)

    monkeypatch.setattr("time.sleep", answer)
    assert main(["poll"]) == 0
    told = capsys.readouterr()
    assert "2 of 2 hosts gave evidence." in told.out
    assert "0 of 2 hosts" in told.err


def test_a_poll_that_takes_too_long_fails(served):
    Attestation.objects.update(asked_at=NOON)
    assert main(["poll", "--host", "hv1", "--timeout", "0"]) == 4


def test_what_the_service_refuses_is_said_in_its_own_words(served, capsys):
    assert main(["diff", "hv9"]) == 1
    assert capsys.readouterr().err == "There is no host named hv9.\n"


@pytest.mark.parametrize(
    ("name", "setting", "code"),
    [
        ("TXT_API_URL", "", 2),
        ("TXT_API_URL", "http://trust.example.org", 2),
        ("TXT_API_URL", "http://127.0.0.1:1", 3),
        ("TXT_API_KEY_FILE", "/nowhere", 2),
        ("TXT_API_KEY_FILE", "", 2),
        ("TXT_API_KEY", "txt_1_x", 1),
        ("TXT_API_KEY", "a\nb", 2),
    ],
)
def test_what_is_wrong_is_told_by_the_exit_code(served, monkeypatch, capsys, name, setting, code):
    monkeypatch.setenv(name, setting)
    assert main(["hosts"]) == code
    told = capsys.readouterr().err
    assert told.endswith(".\n")
    assert "Traceback" not in told


def test_a_netrc_does_not_take_the_keys_place(served, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login a password b\nmachine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert main(["hosts"]) == 0


def test_no_argument_takes_a_secret(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out.lower()
    assert "--key" not in told
    assert "--token" not in told
