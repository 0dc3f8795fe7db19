"""The story: each chapter changes exactly the registers it should, on the hosts it names, when it says."""

import pytest

from txt_dashboard.simulator.fleet import IMA_REGISTER, build_fleet, host_values
from txt_dashboard.simulator.story import Story

BEFORE, AFTER = 0.0, 470.0  # the first part
END = 1000.0  # of the second


def changed(story: Story, before: float, after: float) -> dict[str, set[int]]:
    """Which registers of which hosts differ between two moments, IMA's apart."""
    seed = story.fleet.seed
    found = {}
    for host in story.fleet.hosts:
        old, new = (host_values(host, story.boot(host, seconds), seed) for seconds in (before, after))
        if registers := {index for index in old if old[index] != new[index]} - {IMA_REGISTER}:
            found[host.name] = registers
    return found


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(build_fleet())


def test_chapters_name_the_hosts_of_the_demonstration(story):
    assert story.kernel_update.hosts == tuple(f"az1-{number:03}" for number in range(25, 39))
    assert story.odd_loader.hosts == ("az2-078",)
    assert story.no_answer.hosts == ("edge-017",)
    assert story.not_enrolled.hosts == ("edge-004", "edge-005", "edge-006")
    assert story.silence.hosts == ()


def test_chapters_come_in_their_order(story):
    assert [chapter.start for chapter in story.chapters] == [0, 40, 60, 90, 300, 480, 840]
    assert len({chapter.name for chapter in story.chapters}) == len(story.chapters)


def test_nothing_happens_before_its_time(story):
    assert changed(story, BEFORE, 39.9) == {}


def test_the_odd_boot_loader_moves_register_4(story):
    assert changed(story, BEFORE, 40) == {"az2-078": {4}}


def test_the_kernel_update_moves_18_and_19(story):
    assert changed(story, 59.9, AFTER) == {name: {18, 19} for name in story.kernel_update.hosts}


def test_hosts_reboot_one_after_another(story):
    counts = [len(changed(story, 59.9, seconds)) for seconds in (59.9, 60, 105, 149.9, 150, AFTER)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[1] == 1
    assert counts[3:] == [14, 14, 14]


def test_the_fourteen_changed_the_same_way(story):
    members = [story.fleet.by_name[name] for name in story.kernel_update.hosts]
    assert len({host_values(host, story.boot(host, AFTER), 1)[18] for host in members}) == 1


def test_a_host_stops_answering_for_good(story):
    host = story.fleet.by_name["edge-017"]
    assert [story.answers(host, seconds) for seconds in (0, 89.9, 90, AFTER)] == [True, True, False, False]
    assert all(story.answers(each, AFTER) for each in story.fleet.hosts if each is not host)


def test_the_silence_comes_once(story):
    running = [story.silence.running(seconds) for seconds in (299.9, 300, 379.9, 380, 100_000)]
    assert running == [False, True, True, False, False]


def test_a_reboot_starts_ima_anew(story):
    host = story.fleet.by_name["az1-025"]
    assert [story.ima_entries(host, seconds) for seconds in (0, 59, 60, 61, 160)] == [0, 7, 0, 1, 10]
    assert story.ima_entries(host, 10**7) == 200


def test_one_host_boots_the_next_kernel_long_before_the_others(story):
    assert story.canary.hosts == ("az2-001",)
    assert changed(story, AFTER, 479.9) == {}
    assert changed(story, AFTER, 480) == {"az2-001": {18, 19}}
    assert changed(story, AFTER, 839.9) == {"az2-001": {18, 19}}


def test_the_others_of_its_model_follow_within_90_seconds_but_for_two(story):
    model = story.fleet.by_name["az2-001"].hardware
    same = {host.name for host in story.fleet.hosts if host.hardware == model}
    assert {host.pool for host in story.fleet.hosts if host.name in same} == {"az2"}
    followed = changed(story, AFTER, 930).keys()
    assert story.stragglers == ("az2-158", "az2-159")
    assert followed == same - {*story.odd_loader.hosts, *story.stragglers}
    assert changed(story, AFTER, 930) == changed(story, AFTER, 100_000)
    assert len(followed) == 117


def test_whoever_follows_shows_what_the_first_one_showed(story):
    first, *others = (story.fleet.by_name[name] for name in (*story.canary.hosts, *story.wave.hosts))
    expected = host_values(first, story.boot(first, END), 1)
    shown = [host_values(host, story.boot(host, END), 1) for host in others]
    assert all(values[index] == expected[index] for values in shown for index in (0, 2, 4, 7, 17, 18, 19))


def test_the_next_kernel_is_not_that_of_the_first_part(story):
    early, late = (story.fleet.by_name[name] for name in (story.kernel_update.hosts[0], "az2-001"))
    assert story.boot(early, END).kernel != story.boot(late, END).kernel


@pytest.mark.parametrize("count", [10, 11, 12, 37, 420, 10_000])
def test_every_fleet_has_the_whole_story(count):
    story = Story(build_fleet(count))
    named = [chapter.hosts for chapter in story.chapters if chapter is not story.silence]
    assert all(named)
    together = [name for hosts in named for name in hosts]
    assert len(set(together)) == len(together)
    assert set(together) <= story.fleet.by_name.keys()
    assert set(changed(story, BEFORE, AFTER)) == {*story.odd_loader.hosts, *story.kernel_update.hosts}
    assert set(changed(story, AFTER, END)) == {*story.canary.hosts, *story.wave.hosts}
    assert set(together).isdisjoint(story.stragglers)
