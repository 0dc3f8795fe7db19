"""What the simulated server was told outlives it, in a file that holds nothing else."""

import json
import threading

import pytest

from txt_dashboard.simulator.fleet import build_fleet
from txt_dashboard.simulator.registry import Exists, InUse, Missing, Registered, Registry, UnusableState
from txt_dashboard.simulator.simulation import Simulation
from txt_dashboard.simulator.whitelist import Mle, MleType

FLEET = build_fleet(20)
VALUE = bytes(range(20))
NEW = Mle("New", "1", MleType.BIOS, {0: VALUE}, oem="Dell Inc.", description="about")


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state.json"


def begin(state=None, fleet=FLEET):
    return Simulation(fleet, lambda: 0.0, state).registry


def told_all(registry: Registry) -> None:
    """One of each thing that it can be told."""
    registry.add_oem("New Maker")
    registry.add_os(("New OS", "1"))
    registry.add_mle(NEW, by_name_alone=True)
    first, second, third = list(registry.hosts.values())[:3]
    registry.edit_host(Registered(first.name, "10.0.0.1", "1", NEW.key, first.vmm, "a@b", "c", "d"), mles_too=True)
    registry.delete_host(second.name)
    registry.set_values(third.vmm, {17: VALUE})
    unused = Mle("Unused", "1", MleType.VMM, {}, os_name="New OS", os_version="1")
    registry.add_mle(unused, by_name_alone=False)
    registry.delete_mle(unused.key)


def everything(registry: Registry):
    return registry.mles, registry.hosts, registry.oems, registry.oses


def test_a_restart_forgets_nothing(state):
    told = begin(state)
    told_all(told)
    assert everything(begin(state)) == everything(told)
    assert everything(begin(state)) != everything(begin())


def test_without_a_file_nothing_is_kept():
    before = everything(begin())
    told_all(begin())
    assert everything(begin()) == before


def test_the_file_holds_only_what_was_told(state):
    begin(state)
    assert not state.exists()
    registry = begin(state)
    registry.delete_host("az1-001")
    document = json.loads(state.read_text())
    assert document["hosts"] == {"az1-001": None}
    assert document["mles"] == document["gone_mles"] == []


def test_an_mle_of_the_beginning_can_be_gone(state):
    registry = begin(state)
    host = registry.hosts["az1-001"]
    for name in [each.name for each in registry.hosts.values() if each.bios == host.bios]:
        registry.delete_host(name)
    registry.delete_mle(host.bios)
    assert host.bios not in begin(state).mles


def test_an_interrupted_write_leaves_the_file_as_it_was(state):
    registry = begin(state)
    registry.add_oem("New Maker")
    state.with_suffix(".new").write_text('{"half')
    assert "New Maker" in begin(state).oems
    registry.add_oem("Newer Maker")
    assert "Newer Maker" in begin(state).oems


def test_another_fleets_file_is_refused(state):
    begin(state).add_oem("New Maker")
    for fleet in (build_fleet(21), build_fleet(20, seed=2)):
        with pytest.raises(UnusableState, match="another fleet"):
            begin(state, fleet)


@pytest.mark.parametrize(
    "change",
    [
        {"hosts": {"az1-001": {"name": "az1-001"}}},
        {"hosts": {"nobody": None}},
        {"gone_mles": [["none"]]},
        {"gone_mles": [["none", "1", "", "", ""]]},
        {"mles": [{"name": "x"}]},
        {"oses": [["x"]]},
        {"oems": 7},
    ],
)
def test_a_file_that_can_not_be_is_refused(state, change):
    begin(state).add_oem("New Maker")
    state.write_text(json.dumps(json.loads(state.read_text()) | change))
    with pytest.raises(UnusableState, match="can't be read"):
        begin(state)


def test_hosts_are_never_judged_by_what_is_not_there(state):
    registry = begin(state)
    host = registry.hosts["az1-001"]
    with pytest.raises(InUse):
        registry.delete_mle(host.vmm)
    with pytest.raises(Missing):
        registry.add_host(Registered("x", "", "", NEW.key, host.vmm))
    with pytest.raises(Exists):
        registry.add_host(host)
    begin(state).add_oem("New Maker")
    document = json.loads(state.read_text())
    document["hosts"] = {"x": {**Registered("x", "", "", NEW.key, host.vmm).__dict__}}
    state.write_text(json.dumps(document))
    with pytest.raises(UnusableState):
        begin(state)


def test_many_may_tell_it_at_once(state):
    registry = begin(state)
    threads = [threading.Thread(target=registry.add_oem, args=(f"Maker {number}",)) for number in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(begin(state).oems - begin().oems) == 16
