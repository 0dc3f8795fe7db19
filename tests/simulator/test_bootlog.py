"""Event logs of simulated boots: they replay to the values shown, hold what they claim, tell differences right."""

import pytest

from txt_dashboard.attest.eventlog.checks import problems
from txt_dashboard.attest.eventlog.log import Log, parse
from txt_dashboard.attest.eventlog.replay import Standing, judge, replay
from txt_dashboard.attest.eventlog.story import stories
from txt_dashboard.attest.eventlog.varying import Structure, baseline, compare
from txt_dashboard.attest.eventlog.why import explain
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.simulator.bootlog import event_log
from txt_dashboard.simulator.fleet import APPROVED_BOOT, Boot, Host, build_fleet, host_values
from txt_dashboard.simulator.story import NEW_KERNEL, ODD_LOADER

HOSTS = {host.hardware.model: host for host in build_fleet().hosts}
COVERED = {*range(10), 14, 17, 18, 19, 20, 22}


def log_of(host: Host, boot: Boot = APPROVED_BOOT, seed: int = 1) -> Log:
    return parse(event_log(host, boot, seed))


def test_there_are_three_models():
    assert sorted(HOSTS) == ["DL360", "R640", "SR630"]


@pytest.mark.parametrize("boot", [APPROVED_BOOT, Boot(kernel=NEW_KERNEL), Boot(loader=ODD_LOADER)])
@pytest.mark.parametrize("bank", [Bank.SHA1, Bank.SHA256])
@pytest.mark.parametrize("model", HOSTS)
def test_it_replays_to_exactly_what_the_host_shows(model, bank, boot):
    log, values = log_of(HOSTS[model], boot), host_values(HOSTS[model], boot, 1, bank=bank)
    assert replay(log, bank) == {index: values[index] for index in COVERED}
    standing = judge(log, bank, values)
    assert {index for index, each in standing.items() if each is not Standing.EXPLAINED} == {10}


@pytest.mark.parametrize("bank", [Bank.SHA1, Bank.SHA256])
def test_without_a_measured_launch_it_says_nothing_of_one(bank):
    boot = Boot(launched=False)
    log, values = log_of(HOSTS["R640"], boot), host_values(HOSTS["R640"], boot, 1, bank=bank)
    assert replay(log, bank) == {index: values[index] for index in COVERED if index < 17}
    assert values[17] == b"\xff" * bank.size


@pytest.mark.parametrize("model", HOSTS)
def test_nothing_about_it_is_odd(model):
    log = log_of(HOSTS[model])
    assert problems(log) == ()
    assert all(story.error is None for story in stories(log.events))


def test_it_is_the_same_for_a_seed_and_another_for_another():
    host = HOSTS["R640"]
    assert event_log(host, APPROVED_BOOT, 1) == event_log(host, APPROVED_BOOT, 1)
    assert event_log(host, APPROVED_BOOT, 1) != event_log(host, APPROVED_BOOT, 2)


def test_the_kernel_update_is_told_register_by_register():
    found = explain(log_of(HOSTS["R640"]), log_of(HOSTS["R640"], Boot(kernel=NEW_KERNEL)))
    assert sorted(found.registers) == [8, 9, 18, 19]
    assert found.registers[8].sentence == "the log says: GRUB's commands changed"
    assert "the kernel was replaced" in found.registers[9].sentence
    told = [pair for pair in found.registers[8].changed if "vmlinuz" in pair[0].story.text]
    assert [(f"vmlinuz-{NEW_KERNEL}" in new.story.text, "6.1.0-37" in old.story.text) for old, new in told] == [
        (True, True)
    ]


def test_the_odd_boot_loader_is_named():
    found = explain(log_of(HOSTS["DL360"]), log_of(HOSTS["DL360"], Boot(loader=ODD_LOADER)))
    assert found.sentence == "the log says: grubx64.efi was replaced"
    assert list(found.registers) == [4]


def test_hosts_of_one_model_differ_in_what_is_their_own_alone():
    one, other = (host for host in build_fleet().pool("edge")[:2])
    assert list(explain(log_of(one), log_of(other)).registers) == [1, 5]


def test_one_hosts_disk_is_anothers_within_the_limits_of_a_baseline_by_events():
    one, other = (log_of(host) for host in build_fleet().pool("edge")[:2])
    golden = baseline(one, Bank.SHA256, 5, {1: Structure.PARTITIONS})
    assert compare(golden, other, replay(other, Bank.SHA256)[5]) is None


def test_a_baseline_by_events_can_be_made_of_the_boot_order():
    log = log_of(HOSTS["R640"])
    at = [each.kind for each in log.extended[1]].index(0x80000002)
    golden = baseline(log, Bank.SHA256, 1, {at: Structure.BOOT_ORDER})
    assert compare(golden, log, replay(log, Bank.SHA256)[1]) is None
