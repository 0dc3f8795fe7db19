"""Hosts come, go and are renamed, and each is the hypervisor that it was first matched with."""

import pytest

from tests.people import person
from tests.rows import make_host, make_server
from txt_dashboard.actions.clouds.decide import release_pin, set_hypervisor
from txt_dashboard.actions.permissions import Invalid, NotAllowed, NotFound, Role
from txt_dashboard.models import Activity, Cloud, CloudHost, Host, UnmatchedHost
from txt_dashboard.queries.told import told

pytestmark = pytest.mark.django_db
STARTED = 3  # hypervisors


@pytest.fixture
def admin():
    return person("ada", Role.ADMINISTRATOR)


@pytest.fixture
def matched(keeper, clock):
    """One look; who is which hypervisor afterwards, and why others are none."""

    def look() -> dict[str, str]:
        clock.advance(seconds=16)
        keeper.match()
        return {row.provider: row.host.name if row.host else row.why for row in CloudHost.objects.all()}

    return look


def unmatched() -> dict[str, str]:
    return dict(UnmatchedHost.objects.values_list("host__name", "why"))


def test_by_full_and_short_names_and_the_rest_says_why(living, judge, matched):
    for name in ("hv1", "hv2.example.org", "controller"):
        judge(name)
    assert matched() == {"u1": "hv1", "u2": "hv2.example.org", "u3": "no_host"}
    assert unmatched() == {"controller": "no_node"}


def test_nothing_is_written_where_nothing_changed(living, judge, matched):
    judge("hv1")
    matched()
    since, entries = CloudHost.objects.first().since, Activity.objects.count()
    matched()
    assert (CloudHost.objects.first().since, Activity.objects.count()) == (since, entries)


def test_a_hypervisor_that_is_renamed_stays_the_same_host(living, judge, matched):
    judge("hv1")
    matched()
    living.hypervisors["u1"] = ("rack7-node1", "rack7-node1")
    assert matched()["u1"] == "hv1"
    assert CloudHost.objects.get(provider="u1").hypervisor_hostname == "rack7-node1"


def test_one_that_takes_over_a_name_takes_over_no_trust(living, judge, matched, admin, clock):
    judge("hv1")
    matched()
    living.hypervisors["u1"] = ("other", "other")
    living.add("u9", "hv1.example.org")
    for _ in range(2):
        found = matched()
        assert found["u1"] == "no_host"
        assert found["u9"] == "no_host"
        assert unmatched()["hv1"] == "taken_over"
    assert told(["hv1.example.org"], clock())["hv1.example.org"].level == "unknown"
    release_pin(admin, "east", "u1", reason="hv1 was replaced.", now=clock())
    assert matched()["u9"] == "hv1"
    with pytest.raises(NotFound):
        release_pin(admin, "east", "u1", reason="Again.", now=clock())


def test_one_that_was_set_up_anew_is_matched_anew(living, judge, matched):
    judge("hv1")
    matched()
    del living.hypervisors["u1"]
    living.add("u9", "hv1.example.org")
    assert matched() == {"u9": "hv1", "u2": "no_host", "u3": "no_host"}


def test_hosts_may_change_places_in_one_look(living, judge, matched, admin, clock):
    for name in ("hv1", "hv2"):
        judge(name)
    matched()
    for provider in ("u1", "u2"):
        release_pin(admin, "east", provider, reason="Renamed both.", now=clock())
    living.hypervisors["u1"], living.hypervisors["u2"] = living.hypervisors["u2"], living.hypervisors["u1"]
    assert matched() == {"u1": "hv2", "u2": "hv1", "u3": "no_host"}


def test_a_server_that_is_only_observed_can_not_make_names_ambiguous(living, judge, matched):
    judge("hv1")
    make_host("hv1.example.org", make_server("stranger", counts=False))
    assert matched()["u1"] == "hv1"


def test_a_controller_is_no_hypervisor_and_not_unmatched(living, judge, matched, admin, clock):
    for name in ("hv1", "controller"):
        judge(name)
    matched()
    with pytest.raises(NotAllowed):
        set_hypervisor(person("otto", Role.OPERATOR), "controller", is_one=False, reason="x", now=clock())
    with pytest.raises(Invalid):
        set_hypervisor(admin, "controller", is_one=False, reason="", now=clock())
    for name, losses in (("controller", None), ("hv1", 1)):
        how = {"reason": "It runs the API.", "confirmed_losses": losses, "now": clock()}
        set_hypervisor(admin, name, is_one=False, **how)
    assert CloudHost.objects.get(provider="u1").host is None, "at once"
    assert matched()["u1"] == "no_host"
    assert unmatched() == {}
    set_hypervisor(admin, "hv1", is_one=True, reason="A mistake.", now=clock())
    assert matched()["u1"] == "hv1"


def test_hypervisors_whose_names_nothing_can_hold_are_left_out(living, judge, matched):
    living.add("u" * 65, "hv4")
    living.add("u4", "h" * 256)
    living.add("u5", "h\0v")
    assert len(matched()) == STARTED


def test_a_host_that_is_removed_leaves_its_hypervisor_unmatched(living, judge, matched):
    judge("hv1").delete()
    matched()
    host = judge("hv2")
    matched()
    host.attestations.all().delete()
    Host.objects.filter(pk=host.pk).delete()
    assert matched()["u2"] == "no_host"


# By which names PollHosts knows them.


def test_once_a_cloud_is_connected_hypervisors_go_by_their_own_names(living, judge, matched, clock):
    for name in ("hv1", "hv2.example.org", "controller"):
        judge(name)
    matched()
    asked = ["hv1.example.org", "hv1", "HV1.example.org", "hv2.example.org", "hv3.example.org", "controller"]
    found = {name: each.level.value for name, each in told(asked, clock()).items()}
    assert found == {
        "hv1.example.org": "trusted",
        "hv1": "unknown",  # it goes by another name
        "HV1.example.org": "unknown",
        "hv2.example.org": "trusted",
        "hv3.example.org": "unknown",
        "controller": "trusted",  # no hypervisor, so by its own
    }


def test_a_host_is_not_asked_for_by_the_name_of_a_hypervisor_that_it_is_not(living, judge, matched, clock):
    judge("hv1")
    matched()
    living.hypervisors["u1"] = ("elsewhere", "elsewhere")
    living.hypervisors["u2"] = ("hv1", "hv1")
    matched()
    found = told(["hv1", "elsewhere"], clock())
    assert [each.level for each in found.values()] == ["unknown", "unknown"], "taken over: nobody can say"


def test_a_name_in_two_clouds_means_nobody(living, judge, matched, clock):
    judge("hv1")
    matched()
    west = Cloud.objects.create(name="west")
    CloudHost.objects.create(
        cloud=west, provider="w1", hypervisor_hostname="hv1.example.org", service_host="hv1", since=clock()
    )
    assert told(["hv1.example.org"], clock())["hv1.example.org"].level == "unknown"


def test_many_names_are_told_like_few(living, judge, matched, clock):
    judge("hv1")
    matched()
    crowd = [f"nobody-{number}" for number in range(600)]
    assert told(["hv1.example.org", *crowd], clock())["hv1.example.org"].level == "trusted"
