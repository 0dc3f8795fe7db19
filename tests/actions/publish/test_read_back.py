"""What servers really hold: read back, held against what people approved, and told."""

from datetime import timedelta

import pytest

from tests.actions.publish.conftest import BEFORE, WAVE
from tests.factories import NOON, baseline, value
from tests.rows import make_server, put_set
from txt_dashboard.actions.publish.read_back import READING
from txt_dashboard.attest.entries import baseline_entry
from txt_dashboard.attest.reference import Part
from txt_dashboard.models import Activity, Host, Whitelisted, WhitelistReading
from txt_dashboard.queries.publishing import holds, is_approved, kept_back, published, unapproved
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.simulator.fleet import R640, Boot, shared_values
from txt_dashboard.simulator.story import NEW_KERNEL

pytestmark = pytest.mark.django_db


def found(lab):
    return [(row.server.name, row.mle["name"], row.hosts) for row in unapproved(current_reference(), lab.clock())]


def there(lab, name):
    (one,) = [each for each in published(current_reference(), lab.clock()) if each.baseline.name == name]
    return one


def test_what_was_approved_is_no_finding(lab):
    lab.turn(BEFORE)
    assert Whitelisted.objects.count() == 6
    assert found(lab) == []
    assert {each.there for each in published(current_reference(), lab.clock())} == {True}


def test_a_value_that_somebody_changed_there_is_told_and_hosts_are_judged_by_the_approved_one_again(lab):
    lab.turn(BEFORE)
    key = lab.registry.hosts[lab.canary].vmm
    lab.registry.set_values(key, {17: bytes(20)})
    changed = len([each for each in lab.registry.hosts.values() if each.vmm == key])
    lab.turn(BEFORE, seconds=READING.total_seconds())
    assert found(lab) == [("oat-1", key[0], changed)]
    (entry,) = Activity.objects.filter(verb="unapproved values")
    assert entry.detail == {"mle": f"{key[0]} {key[1]}", "hosts": changed}
    assert set(lab.states().values()) == {"trusted"}

    lab.turn(BEFORE, seconds=5)
    assert found(lab) == []
    assert Activity.objects.filter(verb="unapproved values").count() == 1


def test_somebody_at_the_server_who_lets_an_unapproved_kernel_pass_is_found_once_and_nothing_is_trusted(lab):
    updated = lab.story.kernel_update.hosts[0]
    values = shared_values(R640, Boot(kernel=NEW_KERNEL), lab.served.fleet.seed)
    lab.registry.set_values(lab.registry.hosts[updated].vmm, {index: values[index] for index in (4, 17, 18, 19)})
    for _ in range(3):
        lab.turn(WAVE, seconds=READING.total_seconds())
    assert [(name, hosts) for _, name, hosts in found(lab)] == [("VMM 6.1.0-37 (R640)", 1)]
    assert Activity.objects.filter(verb="unapproved values").count() == 1
    assert lab.served.client.poll([updated])[0]["trust_lvl"] == "trusted"
    assert Host.objects.get(name=updated).state == "untrusted"


def test_an_mle_without_values_is_a_finding(lab):
    key = lab.registry.hosts[lab.canary].vmm
    lab.registry.set_values(key, {})
    lab.turn(BEFORE)
    (row,) = unapproved(current_reference(), lab.clock())
    assert row.problem == "it names no register, so it matches every host"


def test_what_is_approved_for_other_pools_only_is_a_finding(lab):
    lab.turn(BEFORE)
    (row,) = [row for row in Whitelisted.objects.all() if row.mle["name"] == "VMM 6.1.0-37 (DL360)"]
    assert "az2" in row.pools
    (old,) = [each for each in current_reference().baselines if each.name == row.mle["name"]]
    put_set({old.id: {**baseline_entry(old), "pools": ["az1"]}})
    assert [each.mle["name"] for each in unapproved(current_reference(), lab.clock())] == [row.mle["name"]]


def test_the_mle_of_a_baseline_that_retired_is_a_finding_while_hosts_are_judged_by_it(lab):
    lab.turn(BEFORE)
    (old,) = [each for each in current_reference().baselines if each.name == "VMM 6.1.0-37 (DL360)"]
    put_set({old.id: {**baseline_entry(old), "not_after": (lab.clock() + timedelta(hours=1)).isoformat()}})
    assert unapproved(current_reference(), lab.clock()) == []
    lab.clock.advance(hours=1)
    assert [each.mle["name"] for each in unapproved(current_reference(), lab.clock())] == [old.name]


def test_a_baseline_is_not_yet_there_until_a_host_was_found_good_by_it(lab):
    lab.turn(WAVE)
    new = lab.approve()
    lab.worker = lab.another()
    assert (there(lab, new.name).there, there(lab, new.name).waiting) == (False, 0)
    lab.fail = _nothing_is_added
    lab.turn(WAVE)
    waiting = there(lab, new.name)
    assert (waiting.there, waiting.waiting) == (False, 1 + len(lab.others))
    assert waiting.problem.startswith("the connection broke") or not waiting.problem

    lab.fail = lambda said: None
    lab.turn(WAVE, seconds=400)
    assert (there(lab, new.name).there, there(lab, new.name).waiting) == (True, 0)


def _nothing_is_added(said):
    if said == "POST mles":
        raise ConnectionResetError


def test_what_was_written_is_read_with_the_next_turn(lab):
    lab.turn(BEFORE)
    lab.approve()
    lab.turn(WAVE)
    lab.turn(WAVE, seconds=2)
    names = {row.mle["name"] for row in Whitelisted.objects.all()}
    assert "VMM 6.1.0-39" in names


def test_each_server_is_read_every_ten_minutes(lab):
    lab.turn(BEFORE)
    read_at = WhitelistReading.objects.get().read_at
    lab.turn(BEFORE)
    assert WhitelistReading.objects.get().read_at == read_at
    lab.turn(BEFORE, seconds=READING.total_seconds())
    assert WhitelistReading.objects.get().read_at > read_at


def test_a_server_that_can_not_be_read_keeps_what_was_read_and_says_why(lab):
    lab.turn(BEFORE)

    def fail(said):
        if said == "GET manifest":
            raise ConnectionResetError

    lab.fail = fail
    lab.turn(BEFORE, seconds=READING.total_seconds())
    assert Whitelisted.objects.count() == 6
    assert WhitelistReading.objects.get().problem.startswith("the connection broke")


def test_hosts_that_are_kept_back_are_counted_by_why(lab):
    lab.turn(BEFORE)
    lab.approve()
    odd = lab.registry.hosts[lab.others[0]]
    lab.registry.edit_host(odd.__class__(**{**odd.__dict__, "description": "a: b"}), mles_too=True)
    lab.turn(WAVE)
    (kept,) = kept_back()
    assert (kept.server, kept.hosts) == ("oat-1", 1)
    assert "description" in kept.problem


GOLDEN = baseline(Part.VMM, {17: value("a"), 18: value("b")})


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ({17: value("a"), 18: value("b")}, True),
        ({17: value("a")}, True),
        ({17: value("b")}, False),
        ({17: value("a"), 19: value("c")}, False),
        ({}, False),
    ],
)
def test_an_mle_holds_a_baseline_where_it_names_nothing_else(values, same):
    assert holds(values, GOLDEN) is same


def test_without_a_baseline_nothing_is_approved():
    row = Whitelisted(server=make_server(), part="vmm", values={"17": "00"}, pools=["az1"], hosts=1)
    assert not is_approved(row, current_reference(), NOON)
