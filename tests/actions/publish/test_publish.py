"""Golden values that people approved reach the server before its no takes a host out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.actions.publish.conftest import BEFORE, CANARY, FEW, WAVE
from tests.rows import count
from txt_dashboard.actions.publish import records
from txt_dashboard.actions.publish import round as rounds
from txt_dashboard.models import Activity, Attestation, Host, HostEvent, Publication, Registering

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("api", "needs"), [("1.6", None), ("2.x", FEW)])
def test_after_a_canary_was_approved_no_host_of_the_wave_loses_trust(labs, api, needs):
    lab = labs(api, **({"needs": needs} if needs else {}))
    lab.turn(BEFORE)
    assert set(lab.states().values()) == {"trusted"}
    lab.turn(CANARY)
    assert lab.states()[lab.canary] == "untrusted"

    lab.approve()
    lab.turn(CANARY)
    assert lab.states()[lab.canary] == "trusted"
    assert list(Publication.objects.values_list("state", "first_host")) == [("proven", lab.canary)]

    lab.turn(WAVE)
    assert set(lab.states().values()) == {"trusted"}
    assert lab.lost() == {lab.canary}
    assert not Registering.objects.exists()


def test_without_a_canary_one_host_goes_first_and_none_loses_trust(lab):
    lab.turn(BEFORE)
    lab.approve()
    lab.turn(WAVE)
    assert set(lab.states().values()) == {"trusted"}
    assert lab.lost() == set()
    told = [each for each in lab.asked if each in ("DELETE hosts", "POST PollHosts")]
    others = len(lab.others) * ["DELETE hosts"]
    assert told == ["POST PollHosts", "DELETE hosts", "POST PollHosts", *others, "POST PollHosts"]


def test_values_that_nobody_approved_are_never_told_to_a_server(lab):
    lab.turn(BEFORE)
    lab.turn(WAVE)
    assert set(lab.states().values()) == {"untrusted"}
    assert lab.changes() == []
    assert not Publication.objects.exists()


def test_a_host_that_was_untrusted_becomes_trusted_once_its_values_are_approved(lab):
    lab.turn(WAVE)
    lab.approve()
    lab.turn(WAVE)
    assert set(lab.states().values()) == {"trusted"}


def test_a_server_that_is_only_observed_is_told_nothing(lab):
    lab.approve()
    count(lab.row, counts=False)
    lab.turn(WAVE)
    assert lab.changes() == []


def test_nothing_is_told_twice(lab):
    lab.approve()
    lab.turn(WAVE)
    lab.turn(WAVE)
    assert lab.changes() == []
    assert lab.asked.count("POST PollHosts") == 1


def test_each_round_leaves_two_entries(lab):
    baseline = lab.approve()
    lab.turn(WAVE)
    begun, ended = Activity.objects.filter(verb__in=("publish", "published")).order_by("id")
    assert (begun.verb, begun.actor, begun.target) == ("publish", "worker", "oat-1")
    assert begun.detail["hosts"] == 1 + len(lab.others)
    assert begun.detail["mles"][0].startswith(baseline.name)
    assert ended.detail == {"registered": 1 + len(lab.others), "postponed": 0, "why": {}}


def test_a_server_that_breaks_off_in_between_takes_no_host_out(lab):
    lab.turn(BEFORE)
    lab.approve()
    lab.turn(CANARY)
    broken = iter(range(3))  # the first host of the wave, with all repetitions

    def fail(said):
        if said == "POST hosts" and next(broken, None) is not None:
            raise ConnectionResetError

    lab.fail = fail
    lab.turn(WAVE)
    (waiting,) = Registering.objects.all()
    out = waiting.attestation.host.name
    assert waiting.wanted["host"] == out
    assert out not in lab.registry.hosts
    assert lab.lost() == set()

    lab.turn(WAVE, seconds=5)
    assert out in lab.registry.hosts
    assert set(lab.states().values()) == {"trusted"}
    assert lab.lost() == set()
    assert not Registering.objects.exists()


def test_while_one_host_is_out_no_other_is_taken_out_and_none_stays_trusted_for_ever(lab):
    lab.turn(BEFORE)
    lab.approve()

    def fail(said):
        if said == "POST hosts":
            raise ConnectionResetError

    lab.fail = fail
    lab.turn(WAVE)
    lab.turn(WAVE, seconds=5)
    assert lab.changes().count("DELETE hosts") == 0  # no other before the first one is in again
    assert lab.lost() == set()
    assert set(lab.states().values()) == {"trusted"}  # by their last evidence, which goes on to run out
    lab.turn(WAVE, seconds=700)
    assert "trusted" not in lab.states().values()


def test_a_worker_that_dies_in_between_is_made_good_by_another(lab):
    lab.turn(BEFORE)
    lab.approve()

    class Killed(BaseException):
        """As a signal does."""

    killed = Killed()
    begin = records.begin

    def die(attestation_id, wanted, *rest):
        begin(attestation_id, wanted, *rest)
        lab.registry.delete_host(wanted.host)
        raise killed

    lab.served.move(WAVE)
    lab.clock.advance(seconds=70)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "begin", die)
        with pytest.raises(Killed):
            lab.worker.turn()
    assert Attestation.objects.exclude(lease="").exists()

    lab.worker = lab.another()
    lab.turn(WAVE, seconds=200)
    assert set(lab.states().values()) == {"trusted"}
    assert lab.lost() == set()


def test_another_mle_of_that_name_fails_the_publication_and_is_told(lab):
    lab.approve()
    lab.turn(WAVE)
    version = Publication.objects.get().version
    (key,) = [key for key in lab.registry.mles if key[1] == version]
    lab.registry.set_values(key, {17: bytes(20)})
    Publication.objects.all().update(state="proving")

    lab.turn(WAVE)
    assert set(lab.states().values()) == {"untrusted"}
    failed = Publication.objects.get()
    assert (failed.state, failed.problem[:35]) == ("failed", "the server has an MLE VMM 6.1.0-39 ")
    assert set(Registering.objects.values_list("problem", flat=True)) == {failed.problem}
    assert lab.registry.mles[key].values == {17: bytes(20)}


def test_what_failed_is_left_alone_for_a_while(lab):
    lab.approve()
    lab.turn(WAVE)
    (key,) = [key for key in lab.registry.mles if key[1] == Publication.objects.get().version]
    values = lab.registry.mles[key].values
    lab.registry.set_values(key, {17: bytes(20)})
    lab.turn(WAVE)
    lab.turn(WAVE)
    assert lab.asked == ["POST PollHosts"]

    lab.registry.set_values(key, values)
    lab.turn(WAVE, seconds=400)
    assert set(lab.states().values()) == {"trusted"}


def test_a_server_that_says_untrusted_for_another_reason_is_believed(lab, monkeypatch):
    lab.turn(BEFORE)
    row = lab.served.server.dialect._row
    monkeypatch.setattr(lab.served.server.dialect, "_row", lambda *given: {**row(*given), "trust_lvl": "untrusted"})
    lab.turn(BEFORE)
    assert set(lab.states().values()) == {"untrusted"}
    assert lab.changes() == []
    assert {why[:51] for why in Registering.objects.values_list("problem", flat=True)} == {
        "the server judges it by the values that it shows, a"
    }


def test_while_another_worker_tries_the_first_host_the_others_wait(lab):
    lab.turn(BEFORE)
    lab.approve()
    lab.turn(WAVE)
    Publication.objects.update(state="proving", lease_until=lab.clock() + timedelta(seconds=600))
    lab.register_with_the_old_kernel(*lab.others)
    lab.turn(WAVE)
    assert lab.changes() == []
    assert lab.lost() == set()
    due = Attestation.objects.filter(host__name__in=lab.others).values_list("due_at", flat=True)
    assert set(due) == {lab.clock() + rounds.PAUSE}

    Publication.objects.update(lease_until=lab.clock())
    lab.turn(WAVE, seconds=5)
    assert lab.lost() == set()
    assert not HostEvent.objects.filter(state="untrusted").exists()


def test_hosts_for_which_there_was_no_time_are_due_again_at_once(lab, monkeypatch):
    lab.turn(BEFORE)
    lab.approve()
    monkeypatch.setattr(rounds, "BUDGET", timedelta(0))
    lab.turn(WAVE)
    assert lab.changes() == []
    assert lab.lost() == set()
    monkeypatch.undo()
    lab.turn(WAVE, seconds=5)
    assert lab.lost() == set()
    assert len(lab.changes()) > 2


def test_2_x_is_not_published_to_where_its_whitelists_would_hide_required_registers(labs):
    lab = labs("2.x")
    lab.approve()
    lab.turn(WAVE)
    assert set(lab.states().values()) == {"untrusted"}
    assert lab.changes() == []
    (why,) = set(Registering.objects.values_list("problem", flat=True))
    assert why == "the policy requires register 4, which this kind of server takes in no whitelist"


def test_a_host_whose_registration_can_not_be_taken_anew_costs_no_other(lab):
    lab.turn(BEFORE)
    lab.approve()
    odd = lab.registry.hosts[lab.others[0]]
    lab.registry.edit_host(replace(odd, description="rack: 3"), mles_too=True)
    lab.turn(WAVE)
    assert lab.lost() == {odd.name}
    assert "holds :" in Registering.objects.get().problem
    assert Host.objects.exclude(name=odd.name).filter(state="trusted").count() == len(lab.others)
