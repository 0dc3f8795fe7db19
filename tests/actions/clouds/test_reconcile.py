"""Traits follow from what is known of hosts, and from nothing else."""

import json
from datetime import timedelta

import pytest

from tests.actions.clouds.conftest import TRAIT
from tests.cloud.fake import answer
from tests.cloud.living import STALE
from tests.factories import NOON
from tests.people import person
from tests.rows import count
from txt_dashboard import conf
from txt_dashboard.actions.clouds import hand
from txt_dashboard.actions.clouds.decide import acknowledge_trait, take_over_traits
from txt_dashboard.actions.permissions import Conflict, Invalid, NotAllowed, NotFound, Role
from txt_dashboard.cloud import heartbeat
from txt_dashboard.keyring import public_keys
from txt_dashboard.models import Activity, Attestation, Cloud, TraitHold, TraitIntent
from txt_dashboard.queries.told import told as told_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(judge, turn, living):
    """hv1 and hv2 are trusted and have the trait, hv3 is neither."""
    judge("hv1")
    judge("hv2.example.org")
    judge("hv3", "untrusted")
    turn()
    assert living.holders(TRAIT) == {"u1", "u2"}


def puts(living) -> int:
    return sum(each.method == "PUT" and each.path.endswith("/traits") for each in living.asked)


def test_exactly_the_trusted_hosts_have_it_and_other_traits_stay(two, living):
    assert [sorted(each.traits) for each in living.providers.values()] == [
        ["COMPUTE_NODE", TRAIT],
        ["COMPUTE_NODE", TRAIT],
        ["COMPUTE_NODE"],
    ]


def test_where_nothing_differs_nothing_is_touched(two, living, turn):
    before = puts(living)
    for _ in range(3):
        turn()
    assert puts(living) == before


def test_who_is_trusted_no_more_loses_it_at_the_next_tick(two, living, turn, judge):
    judge("hv1", "untrusted")
    turn(after=2)
    assert living.holders(TRAIT) == {"u2"}
    assert not TraitIntent.objects.filter(provider="u1").exists()


def test_so_does_whose_evidence_ran_out_though_nobody_noticed(two, living, turn):
    Attestation.objects.filter(host__name="hv1").update(valid_until=NOON + timedelta(seconds=17))
    turn(after=2)
    assert living.holders(TRAIT) == {"u2"}


def test_so_do_all_where_what_is_in_force_can_not_be_verified(two, living, turn, settings, server):
    count(server)
    settings.TXT_PUBLIC_KEYS_FILE.write_text("")
    turn(after=2)
    assert living.holders(TRAIT) == set()


def test_and_where_only_an_observed_server_says_so(two, living, turn, server):
    count(server, counts=False)
    turn(after=2)
    assert living.holders(TRAIT) == set()


def test_it_comes_back_with_trust(two, living, turn, judge):
    judge("hv1", "untrusted")
    turn(after=2)
    judge("hv1")
    turn()
    assert living.holders(TRAIT) == {"u1", "u2"}


def test_one_that_somebody_removed_comes_back(two, living, turn):
    living.providers["u1"].traits.discard(TRAIT)
    turn()
    assert living.holders(TRAIT) == {"u1", "u2"}


def test_a_host_that_cannot_be_changed_costs_only_itself(two, living, turn, judge, monkeypatch):
    judge("hv1", "untrusted")
    judge("hv2.example.org", "untrusted")
    living.before_put = lambda uuid: answer({}, 503) if uuid == "u1" else None
    cloud = turn(after=2)
    assert living.holders(TRAIT) == {"u1"}
    assert "503" in cloud.problem
    living.before_put = lambda _uuid: None
    cloud = turn(after=2)
    assert (living.holders(TRAIT), cloud.problem) == (set(), "")


def test_while_a_trait_could_not_be_taken_no_heartbeat_says_that_all_is_well(two, living, turn, judge):
    before = Cloud.objects.get().heartbeat
    judge("hv1", "untrusted")
    living.before_put = lambda _uuid: answer({}, 503)
    assert turn().heartbeat == before


def test_a_generation_that_is_stale_twenty_times_is_merged_in_the_end(two, living, turn, judge):
    left = [20]

    def stale(uuid):
        if left[0]:
            left[0] -= 1
            living.providers[uuid].traits.add(f"CUSTOM_{left[0]}")
            return answer(STALE, 409)
        return None

    living.before_put = stale
    judge("hv1", "untrusted")
    turn(after=2)
    assert living.holders(TRAIT) == {"u2"}
    assert len(living.providers["u1"].traits) == 21


def test_a_cloud_that_is_away_is_told_and_tried_again(two, living, turn, judge):
    judge("hv1", "untrusted")
    living.down = True
    cloud = turn()
    assert "503" in cloud.problem
    assert "503" in cloud.match_problem
    living.down = False
    cloud = turn()
    assert (cloud.problem, cloud.match_problem, living.holders(TRAIT)) == ("", "", {"u2"})


def test_that_nova_can_not_be_asked_keeps_no_trait_in_place(two, living, turn, judge):
    living.on("GET /nova/v2.1/os-hypervisors/detail", answer({}, 500))
    judge("hv1", "untrusted")
    cloud = turn()
    assert cloud.match_problem
    assert living.holders(TRAIT) == {"u2"}


def test_a_hypervisor_that_is_gone_takes_its_intent_along(two, living, turn):
    for each in (living.providers, living.hypervisors):
        del each["u1"]
    cloud = turn()
    assert (cloud.problem, living.holders(TRAIT)) == ("", {"u2"})
    assert not TraitIntent.objects.filter(provider="u1").exists()


def test_another_name_for_the_trait_takes_the_old_one_away(two, living, turn, settings):
    settings.TXT_CLOUD_TRAIT = "CUSTOM_MEASURED"
    turn()
    assert living.holders(TRAIT) == set()
    assert living.holders("CUSTOM_MEASURED") == {"u1", "u2"}


# Killed in the middle.


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("when", ["before the PUT", "after the PUT"])
@pytest.mark.parametrize("state", ["trusted", "untrusted"])
def test_a_worker_killed_while_giving_leaves_nothing_that_is_taken_for_somebody_elses(
    judge, turn, living, monkeypatch, when, state
):
    judge("hv1")

    def killed(connection, wanted, *, present):
        if when == "after the PUT":
            original(connection, wanted, present=present)
        raise Killed

    original = hand._ask
    monkeypatch.setattr(hand, "_ask", killed)
    with pytest.raises(Killed):
        turn()
    monkeypatch.setattr(hand, "_ask", original)
    judge("hv1", state)
    turn(after=61)
    assert living.holders(TRAIT) == ({"u1"} if state == "trusted" else set())
    assert not TraitHold.objects.exists()


@pytest.mark.parametrize("when", ["before the PUT", "after the PUT"])
def test_a_worker_killed_while_taking_is_finished_by_the_next(two, judge, turn, living, monkeypatch, when):
    def killed(connection, wanted, *, present):
        if when == "after the PUT":
            original(connection, wanted, present=present)
        raise Killed

    original = hand._ask
    monkeypatch.setattr(hand, "_ask", killed)
    judge("hv1", "untrusted")
    with pytest.raises(Killed):
        turn(after=2)
    monkeypatch.setattr(hand, "_ask", original)
    turn(after=2)
    assert living.holders(TRAIT) == {"u2"}
    assert not TraitHold.objects.exists()


def test_a_lease_that_a_dead_worker_left_runs_out(two, judge, turn, living, clock):
    Cloud.objects.update(lease_until=clock() + timedelta(seconds=60))
    judge("hv1", "untrusted")
    turn(after=2)
    assert living.holders(TRAIT) == {"u1", "u2"}
    turn(after=59)
    assert living.holders(TRAIT) == {"u2"}


# Set by somebody else.


def test_a_trait_that_somebody_else_set_is_taken_and_reported_and_the_host_held(
    two, turn, living, told, judge, clock
):
    living.set_by_hand("u3", TRAIT)
    turn()
    assert living.holders(TRAIT) == {"u1", "u2"}
    assert ("trait set by somebody else", "hv3", None) in told()
    judge("hv3")
    turn()
    assert living.holders(TRAIT) == {"u1", "u2"}, "trusted by its evidence, but held"
    names = ["hv3", "hv3.example.org", "hv1.example.org"]
    assert [each.level for each in told_of(names, clock()).values()] == ["unknown", "unknown", "trusted"]


def test_one_set_below_a_hypervisor_holds_its_host_too(two, turn, living, clock):
    living.add("gpu1", "hv1_gpu", parent="u1")
    living.set_by_hand("gpu1", TRAIT)
    turn()
    turn(after=2)
    assert living.holders(TRAIT) == {"u2"}
    assert told_of(["hv1.example.org"], clock())["hv1.example.org"].level == "unknown"


def test_once_acknowledged_the_host_is_trusted_again(two, turn, living, judge, clock):
    living.set_by_hand("u3", TRAIT)
    turn()
    judge("hv3")
    hold = TraitHold.objects.get()
    approver = person("anna", Role.APPROVER)
    with pytest.raises(Invalid):
        acknowledge_trait(approver, hold.pk, times=1, reason=" ", now=clock())
    acknowledge_trait(approver, hold.pk, times=1, reason="A test by the cloud's team.", now=clock())
    with pytest.raises(NotFound):
        acknowledge_trait(approver, hold.pk, times=1, reason="Twice.", now=clock())
    turn()
    assert living.holders(TRAIT) == {"u1", "u2", "u3"}
    entry = Activity.objects.filter(verb="acknowledge trait").get()
    assert (entry.actor, entry.host, entry.detail["reason"]) == ("anna", "hv3", "A test by the cloud's team.")


def test_what_happened_again_meanwhile_is_not_acknowledged_unseen(two, turn, living, clock):
    for times in (1, 2):
        living.set_by_hand("u3", TRAIT)
        turn()
        assert TraitHold.objects.get().times == times
    with pytest.raises(Conflict):
        acknowledge_trait(person("anna", Role.APPROVER), TraitHold.objects.get().pk, times=1, reason="x", now=clock())


def test_nor_while_the_trait_is_still_there(two, turn, living, clock, told):
    living.before_put = lambda _uuid: answer({}, 503)
    living.set_by_hand("u3", TRAIT)
    for _ in range(3):
        turn()
    assert [each[0] for each in told()].count("trait set by somebody else") == 1, "reported once"
    with pytest.raises(Conflict, match="still has"):
        acknowledge_trait(person("anna", Role.APPROVER), TraitHold.objects.get().pk, times=1, reason="x", now=clock())


def test_who_only_looks_may_not(two, turn, living, clock):
    living.set_by_hand("u3", TRAIT)
    turn()
    with pytest.raises(NotAllowed):
        acknowledge_trait(person("vera", Role.OPERATOR), TraitHold.objects.get().pk, times=1, reason="x", now=clock())


# The first connection.


def test_traits_that_were_there_before_us_are_asked_about_once_and_left_alone(judge, turn, living, told, clock):
    judge("hv1")
    living.set_by_hand("u2", TRAIT)
    living.set_by_hand("u3", TRAIT)
    for _ in range(3):
        turn()
    assert living.holders(TRAIT) == {"u1", "u2", "u3"}
    assert [each[0] for each in told()].count("traits found") == 1
    assert [hold.name for hold in TraitHold.objects.filter(at_first=True)] == ["hv2.example.org", "hv3.example.org"]
    with pytest.raises(NotAllowed):
        take_over_traits(person("vera", Role.OPERATOR), "east", reason="Ours.", now=clock())
    judge("hv3")
    assert (
        take_over_traits(person("ada", Role.ADMINISTRATOR), "east", reason="Set by our old tool.", now=clock()) == 2
    )
    turn()
    assert living.holders(TRAIT) == {"u1", "u3"}, "hv2 is not trusted"
    with pytest.raises(NotFound):
        take_over_traits(person("adam", Role.ADMINISTRATOR), "east", reason="Again.", now=clock())


# What is told of it.


def test_each_act_has_two_entries(two, told, turn, judge):
    given = Activity.objects.get(verb="give trait", of=None)
    done = Activity.objects.get(verb="give trait", of=given.id)
    assert given.detail["intended"]
    assert (done.detail["outcome"], done.detail["hosts"], done.detail["first"]) == (
        "done",
        2,
        ["hv1", "hv2.example.org"],
    )
    judge("hv1", "untrusted")
    turn(after=2)
    taken = Activity.objects.get(verb="take trait", of=None)
    assert ("take trait", "hv1", taken.id) in told()


def test_an_act_that_is_tried_again_and_again_has_one_intention(two, told, turn, judge, living):
    judge("hv1", "untrusted")
    living.before_put = lambda _uuid: answer({}, 503)
    for _ in range(3):
        turn(after=2)
    living.before_put = lambda _uuid: None
    turn(after=2)
    takes = [each for each in told() if each[0] == "take trait"]
    assert [of is None for _, _, of in takes] == [True, False]


def test_a_heartbeat_is_signed_after_each_look_that_ended_well(two, turn, clock, client):
    cloud = turn()
    beat = heartbeat.read(cloud.heartbeat.encode(), public_keys(conf.public_keys_file()))
    assert (beat.cloud, beat.at) == ("east", clock())
    turn(after=2)
    assert Cloud.objects.get().heartbeat == cloud.heartbeat, "a tick that compares nothing vouches for nothing"


def test_without_a_key_there_is_no_heartbeat_and_traits_are_kept_all_the_same(judge, turn, living, settings):
    settings.TXT_SIGNING_KEY_FILE.unlink(missing_ok=True)
    judge("hv1")
    settings.TXT_SIGNING_KEY_FILE.unlink(missing_ok=True)
    assert turn().heartbeat == ""
    assert living.holders(TRAIT) == {"u1"}


def test_intents_hold_no_secret_and_entries_are_json(two):
    for entry in Activity.objects.all():
        assert "password" not in json.dumps(entry.detail)


def test_nothing_to_do_costs_at_most_two_requests(two, living, turn):
    turn()
    before = len(living.asked)
    turn()
    asked = [each for each in living.asked[before:] if each.path.startswith("/placement")]
    assert len(asked) <= 2
    assert {each.method for each in asked} == {"GET"}


def test_a_tick_between_two_looks_asks_nobody(two, living, turn):
    before = len(living.asked)
    turn(after=2)
    assert len(living.asked) == before


def test_a_worker_that_comes_too_late_takes_back_what_it_gave(judge, turn, living, monkeypatch):
    """Its lease ran out while it waited, and another one has taken the host's trait and the intent meanwhile."""
    judge("hv1")
    original = hand._ask

    def overtaken(connection, wanted, *, present):
        if present:
            TraitIntent.objects.all().delete()
        return original(connection, wanted, present=present)

    monkeypatch.setattr(hand, "_AT_ONCE", 1)
    monkeypatch.setattr(hand, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(hand, "_ask", overtaken)
    turn()
    assert living.holders(TRAIT) == set()


class Inline:
    """Does all at once in the test's own thread, which sees the test's database."""

    def __init__(self, _workers: int) -> None:
        """As the executor."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """As the executor."""

    map = staticmethod(map)
