"""Who is who: attested hosts, hypervisors, and the hosts behind `hostId`."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.cloud.matching import Why, host_id, host_ids, is_settled, match
from txt_dashboard.cloud.values import Hypervisor, Instance


def node(uuid: str, hostname: str, host: str = "") -> Hypervisor:
    return Hypervisor(uuid, hostname, host or hostname, "QEMU", up=True, enabled=True)


def matched(attested, *nodes, **pinned):
    return match(attested, nodes, pinned)


@pytest.mark.parametrize(
    ("attested", "hostname"),
    [
        ("hv1", "hv1"),
        ("hv1.example.org", "hv1.example.org"),
        ("HV1.Example.org.", "hv1.example.org"),
        ("hv1", "hv1.example.org"),
        ("hv1.example.org", "hv1"),
        ("10.0.0.1", "10.0.0.1"),
        ("fd00::1", "fd00::1"),
    ],
)
def test_these_names_mean_the_same_host(attested, hostname):
    assert matched([attested], node("u1", hostname)).nodes == {attested: "u1"}


@pytest.mark.parametrize(
    ("attested", "hostname"),
    [
        ("hv1", "hv10"),
        ("hv1.a.example.org", "hv1.b.example.org"),
        ("10.0.0.1", "10.0.0.2"),
        ("10", "10.0.0.1"),
        ("hv1.example", "hv1.example.org"),
        ("", "hv1"),
    ],
)
def test_these_names_do_not(attested, hostname):
    found = matched([attested], node("u1", hostname))
    assert found.nodes == {}
    assert found.unmatched_hosts == {attested: Why.NO_NODE}
    assert found.unmatched_nodes == {"u1": Why.NO_HOST}


def test_either_name_of_a_hypervisor_will_do():
    kvm = node("u1", "hv1.example.org", host="compute-a")
    assert matched(["hv1.example.org"], kvm).nodes == {"hv1.example.org": "u1"}
    assert matched(["compute-a"], kvm).nodes == {"compute-a": "u1"}


def test_a_name_that_fits_two_hypervisors_matches_none():
    found = matched(["hv1"], node("u1", "hv1.a.example.org"), node("u2", "hv1.b.example.org"))
    assert found.nodes == {}
    assert found.unmatched_hosts == {"hv1": Why.SEVERAL_NODES}


def test_a_full_name_decides_where_a_short_one_would_fit_others_too():
    found = matched(["hv1.a.example.org"], node("u1", "hv1.a.example.org"), node("u2", "hv1"))
    assert found.nodes == {"hv1.a.example.org": "u1"}


def test_one_hypervisor_under_the_names_of_two_attested_hosts_matches_neither():
    found = matched(["hv1", "hv1.example.org"], node("u1", "hv1.example.org"))
    assert found.nodes == {}
    assert found.unmatched_hosts == {"hv1": Why.SEVERAL_HOSTS, "hv1.example.org": Why.SEVERAL_HOSTS}
    assert found.unmatched_nodes == {"u1": Why.SEVERAL_HOSTS}


def test_a_name_that_is_one_hypervisors_and_another_ones_service_matches_none():
    assert matched(["hv1"], node("u1", "hv1", "a"), node("u2", "hv2", "hv1")).nodes == {}


def test_a_pin_outlives_a_new_name_of_the_hypervisor():
    assert matched(["hv1"], node("u1", "renamed"), hv1="u1").nodes == {"hv1": "u1"}


def test_a_pin_ends_with_its_hypervisor():
    assert matched(["hv1"], node("u2", "hv1"), hv1="u1").nodes == {"hv1": "u2"}
    assert matched(["hv1"], hv1="u1").unmatched_hosts == {"hv1": Why.NO_NODE}


def test_where_another_hypervisor_took_the_name_nobody_can_say_which_is_meant():
    found = matched(["hv1"], node("u1", "renamed"), node("u2", "hv1"), hv1="u1")
    assert found.nodes == {}
    assert found.unmatched_hosts == {"hv1": Why.TAKEN_OVER}


def test_a_pin_decides_between_two_that_fit():
    assert matched(["hv1"], node("u1", "hv1.a.org"), node("u2", "hv1.b.org"), hv1="u2").nodes == {"hv1": "u2"}


NAMES = st.sampled_from(["hv1", "hv2", "hv1.a.org", "hv1.b.org", "HV1", "hv2.a.org", "10.0.0.1", "c1", ""])


@given(
    attested=st.lists(NAMES, max_size=6),
    names=st.lists(st.tuples(NAMES, NAMES), max_size=5),
    pins=st.dictionaries(NAMES, st.sampled_from(["u0", "u1", "u2", "gone"]), max_size=3),
)
def test_nobody_is_two_hosts_and_nobody_is_forgotten(attested, names, pins):
    nodes = [node(f"u{number}", *pair) for number, pair in enumerate(names)]
    found = match(attested, nodes, pins)
    assert len(set(found.nodes.values())) == len(found.nodes)
    assert set(found.nodes) | set(found.unmatched_hosts) == set(attested)
    assert not set(found.nodes) & set(found.unmatched_hosts)
    assert set(found.nodes.values()) | set(found.unmatched_nodes) == {each.uuid for each in nodes}
    again = match(reversed(attested), nodes[::-1], pins)
    assert again.nodes == found.nodes
    assert match(attested, nodes, pins | dict(found.nodes)).nodes == found.nodes


def test_host_id_is_what_nova_shows():
    assert host_id("5f0a", "compute1") == "7c254c8d1f63f2a45846da5acb68c518430cec844b5883577b12577b"
    assert host_id("5f0a", "") == ""
    assert host_ids("5f0a", ["a", "", "b"]) == {host_id("5f0a", "a"): "a", host_id("5f0a", "b"): "b"}


RUNNING = Instance("i", "web", "p", "ACTIVE", "", "0" * 56, "h", "h", "nova", "m1", {})


def test_a_running_instance_has_one_host():
    assert is_settled(RUNNING)
    assert is_settled(dataclasses.replace(RUNNING, task="rebooting"))


@pytest.mark.parametrize(
    "change",
    [
        {"host_id": ""},
        {"status": "MIGRATING"},
        {"status": "VERIFY_RESIZE"},
        {"status": "BUILD"},
        {"status": "UNKNOWN"},
        {"task": "migrating"},
        {"task": "rebuild_spawning"},
        {"task": "a task that came with a later Nova"},
    ],
    ids=str,
)
def test_while_it_may_be_moving_nobody_can_say_where_it_is(change):
    assert not is_settled(dataclasses.replace(RUNNING, **change))
