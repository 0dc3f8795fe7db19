"""Hosts that a server does not know yet are registered from a list, by workers."""

import pytest
from django.core.management import CommandError, call_command

from tests.actions.publish.conftest import BEFORE, WAVE
from tests.factories import NOON
from tests.rows import make_server
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Invalid, NotAllowed, NotFound, Role
from txt_dashboard.actions.publish import publisher
from txt_dashboard.actions.publish.register_hosts import register_hosts
from txt_dashboard.models import Activity, Host, Registering
from txt_dashboard.servers.registrations import HEADER
from txt_dashboard.simulator.startkit import registrations_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def listed(lab):
    """The whole fleet, and among it the one host that is not enrolled."""
    return registrations_csv(lab.served.fleet)


def test_workers_register_the_hosts_of_a_list_and_then_ask_for_them(lab, listed):
    (new,) = lab.story.not_enrolled.hosts
    assert register_hosts(COMMAND_LINE, listed, server="oat-1", now=lab.clock()) == 37
    lab.turn(BEFORE, seconds=1)
    assert lab.changes() == ["POST hosts"]  # the others are registered just so
    assert new in lab.registry.hosts
    assert Host.objects.get(name=new).state == "trusted"
    assert Host.objects.get(name=new).pool == "edge"
    assert not Registering.objects.exists()
    assert Activity.objects.get(verb="register hosts").detail["hosts"] == 37


def test_a_host_that_the_server_refuses_says_why_and_costs_no_other(lab, listed):
    (new,) = lab.story.not_enrolled.hosts
    line = next(line for line in listed.splitlines() if line.startswith(new))
    wrong = listed.replace(line, line.replace("VMM 6.1.0-37 (SR630)", "none"))
    register_hosts(COMMAND_LINE, wrong, server="oat-1", now=lab.clock())
    lab.turn(BEFORE, seconds=1)
    (kept,) = Registering.objects.all()
    assert kept.attestation.host.name == new
    assert "lacks an MLE that it shall be judged by" in kept.problem
    assert Host.objects.get(name=new).reason == "not_known_to_server"
    assert Host.objects.filter(state="trusted").count() == 36


def test_hosts_for_which_there_was_no_time_are_registered_later(lab, listed, monkeypatch):
    (new,) = lab.story.not_enrolled.hosts
    register_hosts(COMMAND_LINE, listed, server="oat-1", now=lab.clock())
    with monkeypatch.context() as patch:
        patch.setattr(publisher, "BUDGET", NOON - NOON)
        lab.turn(BEFORE, seconds=1)
    assert new not in lab.registry.hosts
    assert Host.objects.get(name=new).reason == "never_attested"
    lab.turn(BEFORE)
    assert Host.objects.get(name=new).state == "trusted"


def test_hosts_that_wait_to_be_registered_keep_no_other_from_being_registered_anew(lab, listed):
    lab.turn(BEFORE)
    (new,) = lab.story.not_enrolled.hosts
    line = next(line for line in listed.splitlines() if line.startswith(new))
    register_hosts(COMMAND_LINE, f"{','.join(HEADER)}\n{line}\n", server="oat-1", now=lab.clock())
    Registering.objects.update(try_at=lab.clock().replace(year=2030))
    lab.approve()
    lab.turn(WAVE)
    assert set(lab.states().values()) == {"trusted"}
    assert lab.lost() == set()


def test_a_list_is_taken_as_a_whole_or_not_at_all(lab):
    with pytest.raises(Invalid, match=r"Line 2: it has 1 values, not 11\."):
        register_hosts(COMMAND_LINE, f"{','.join(HEADER)}\nhv1\n", server="oat-1", now=NOON)
    assert not Registering.objects.exists()


def test_a_server_that_is_only_observed_is_told_nothing(db):
    make_server(counts=False)
    with pytest.raises(Invalid, match="must be of a kind that takes registrations, and count"):
        register_hosts(COMMAND_LINE, "", server="oat-1", now=NOON)


def test_who_may_and_where(db):
    with pytest.raises(NotFound):
        register_hosts(COMMAND_LINE, "", server="oat-1", now=NOON)
    with pytest.raises(NotAllowed):
        register_hosts(Actor("ada", frozenset({Role.ADMINISTRATOR})), "", server="oat-1", now=NOON)


def test_the_command_says_what_will_happen(lab, listed, tmp_path, capsys):
    (tmp_path / "hosts.csv").write_text(listed)
    call_command("register_hosts", str(tmp_path / "hosts.csv"), "--server", "oat-1")
    assert capsys.readouterr().out == "37 hosts will be registered with oat-1 by the workers.\n"
    (tmp_path / "hosts.csv").write_bytes(b"\xff")
    with pytest.raises(CommandError, match="no text in UTF-8"):
        call_command("register_hosts", str(tmp_path / "hosts.csv"), "--server", "oat-1")
