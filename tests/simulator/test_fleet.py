"""The fleet: the same for a seed, in the pools' proportions, and with values that are real extends."""

import hashlib

import pytest

from txt_dashboard.attest import ima
from txt_dashboard.attest.pcr import Bank, Launch, launch_state
from txt_dashboard.simulator.fleet import (
    APPROVED_BOOT,
    DL360,
    R640,
    Boot,
    before_ima,
    build_fleet,
    components,
    host_values,
    pool_sizes,
    shared_values,
)
from txt_dashboard.simulator.imalist import aggregate, ima_list


def replayed(contents: list[bytes]) -> bytes:
    """An extend of each component's hash, written without the product's own code."""
    value = bytes(20)
    for each in contents:
        digest = hashlib.new("sha1", each, usedforsecurity=False).digest()
        value = hashlib.new("sha1", value + digest, usedforsecurity=False).digest()
    return value


def test_the_same_seed_gives_the_same_fleet_and_values():
    one, same, other = build_fleet(seed=7), build_fleet(seed=7), build_fleet(seed=8)
    assert one == same
    assert [host.serial for host in one.hosts] != [host.serial for host in other.hosts]
    assert host_values(one.hosts[0], APPROVED_BOOT, 7, 5) == host_values(same.hosts[0], APPROVED_BOOT, 7, 5)
    assert shared_values(R640, APPROVED_BOOT, 7)[0] != shared_values(R640, APPROVED_BOOT, 8)[0]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (420, {"az1": 180, "az2": 160, "edge": 80}),
        (10, {"az1": 4, "az2": 4, "edge": 2}),
        (10_000, {"az1": 4286, "az2": 3809, "edge": 1905}),
    ],
)
def test_pools_keep_their_proportion(count, sizes):
    assert pool_sizes(count) == sizes


def test_every_count_is_shared_out_in_full():
    assert all(sum(pool_sizes(count).values()) == count for count in range(10, 1000))


def test_names_are_unique_and_as_wide_as_the_pool_needs():
    small, large = build_fleet(420), build_fleet(10_000)
    assert small.hosts[0].name == "az1-001"
    assert large.hosts[-1].name == "edge-1905"
    assert len(large.by_name) == 10_000
    with pytest.raises(ValueError, match="at least 10 hosts"):
        build_fleet(9)


@pytest.mark.parametrize("register", [0, 2, 3, 4, 6, 7, 8, 9, 14, 17, 18, 19, 20, 22])
def test_values_are_extends_of_the_named_components(register):
    measured = [each.contents for each in components(R640, APPROVED_BOOT, 1) if each.register == register]
    assert measured
    assert shared_values(R640, APPROVED_BOOT, 1)[register] == replayed(measured)


def test_components_name_what_boots():
    names = [each.name for each in components(R640, APPROVED_BOOT, 1)]
    assert {"shim", "grubx64.efi", "tboot", "vmlinuz-6.1.0-37-amd64", "initrd.img-6.1.0-37-amd64"} <= set(names)


def test_all_registers_are_there_and_the_unused_are_zero():
    values = host_values(build_fleet().hosts[0], APPROVED_BOOT, 1)
    assert sorted(values) == list(range(24))
    assert {index for index, value in values.items() if not any(value)} == {11, 12, 13, 15, 16, 21, 23}
    assert launch_state(values) is Launch.LAUNCHED


def test_a_host_without_a_measured_launch_shows_ff():
    values = shared_values(R640, Boot(launched=False), 1)
    assert launch_state(values) is Launch.NOT_LAUNCHED
    assert values[0] == shared_values(R640, APPROVED_BOOT, 1)[0]


def test_register_1_is_each_hosts_own():
    hosts = build_fleet().hosts
    values = {host_values(host, APPROVED_BOOT, 1)[1] for host in hosts}
    assert len(values) == len(hosts)


def test_register_10_begins_with_the_boot_aggregate_and_grows():
    host = build_fleet().hosts[0]
    values = host_values(host, APPROVED_BOOT, 1)
    assert values[10] == replayed([aggregate(values).data])
    assert len({host_values(host, APPROVED_BOOT, 1, entries)[10] for entries in range(5)}) == 5


@pytest.mark.parametrize("bank", [Bank.SHA1, Bank.SHA256])
def test_the_list_leads_to_register_10_in_every_bank_and_names_the_violation(bank):
    host = build_fleet().hosts[0]
    data = ima_list(before_ima(host, APPROVED_BOOT, 1), 9, 1)
    outcome = ima.replay(ima.parse(data), host_values(host, APPROVED_BOOT, 1, 9, bank)[10])
    assert (outcome.matched, outcome.entries, outcome.problems) == (10, 10, ())
    assert [each.name for each in outcome.violations] == ["/var/log/measured.log"]


@pytest.mark.parametrize("registers", [(0, 2, 7), (4, 17, 18, 19)])
def test_a_few_measurements_cover_the_fleet(registers):
    shown = {
        tuple(host_values(host, APPROVED_BOOT, 1)[index] for index in registers) for host in build_fleet(10_000).hosts
    }
    assert len(shown) == 3


def test_models_share_the_boot_loader_but_not_the_firmware():
    one, other = shared_values(R640, APPROVED_BOOT, 1), shared_values(DL360, APPROVED_BOOT, 1)
    assert {index for index in one if one[index] != other[index]} == {0, 2, 3, 6, 7, 17}
