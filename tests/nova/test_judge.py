"""The cache, and who is trusted at this moment."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard_nova.answers import Verdict
from txt_dashboard_nova.cache import Cache
from txt_dashboard_nova.client import Unanswered
from txt_dashboard_nova.judge import Judge

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Scene:
    """A server whose hosts a test trusts, and one clock for all."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.now = 0.0
        self.ends = {"hv1": 60.0, "hv2": 60.0}  # trusted until
        self.away = False
        self.takes = 0.0  # seconds for an answer
        self.asked: list[list[str]] = []
        self.judge = Judge(self.poll, Cache(seconds, ticks=lambda: self.now), clock=self.clock)

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=self.now)

    def poll(self, hosts) -> bytes:
        self.asked.append(list(hosts))
        if self.away:
            raise Unanswered("no answer within 3 s")
        rows = [self.row(host) for host in hosts]
        self.now += self.takes
        return json.dumps({"hosts": rows}).encode()

    def row(self, host: str) -> dict[str, str]:
        ends = self.ends.get(host, 0.0)
        level = "trusted" if ends > self.now else "untrusted"
        until = (NOON + timedelta(seconds=ends)).isoformat()
        return {"host_name": host, "trust_lvl": level, "vtime": self.clock().isoformat(), "valid_until": until}

    def trusts(self, host: str) -> bool:
        return self.judge.verdicts([host])[host].trusted


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_all_hosts_are_asked_for_at_once(scene):
    found = scene.judge.verdicts(["hv1", "hv2", "hv3", "hv1"])
    assert {host: verdict.trusted for host, verdict in found.items()} == {"hv1": True, "hv2": True, "hv3": False}
    assert scene.asked == [["hv1", "hv2", "hv3"]]


def test_what_was_answered_a_moment_ago_is_not_asked_again(scene):
    scene.judge.verdicts(["hv1", "hv3"])
    scene.judge.verdicts(["hv1", "hv2", "hv3"])
    assert scene.asked == [["hv1", "hv3"], ["hv2"]]


def test_after_its_time_it_is(scene):
    assert scene.trusts("hv1")
    del scene.ends["hv1"]
    scene.now = 4.9
    assert scene.trusts("hv1")
    scene.now = 5.0
    assert not scene.trusts("hv1")


def test_no_trust_outlives_its_evidence(scene):
    scene.ends["hv1"] = 2.0
    assert scene.trusts("hv1")
    scene.away = True
    scene.now = 2.0
    assert not scene.trusts("hv1")


def test_the_time_that_an_answer_took_counts_against_it(scene):
    scene.takes = 3.0
    assert scene.trusts("hv1")
    scene.away = True
    scene.now = 4.9
    assert scene.trusts("hv1")
    scene.now = 5.1
    assert not scene.trusts("hv1")


def test_where_nobody_answers_nobody_is_trusted_and_the_reason_is_told(scene):
    scene.away = True
    assert scene.judge.verdicts(["hv1"]) == {
        "hv1": Verdict(trusted=False, why="PollHosts could not be asked: no answer within 3 s")
    }


def test_a_server_that_is_away_is_not_asked_for_every_instance(scene):
    scene.away = True
    for _ in range(10):
        scene.trusts("hv1")
    assert len(scene.asked) == 1
    scene.away = False
    scene.now = 2.0
    assert scene.trusts("hv1")


def test_the_cache_has_a_largest_size():
    cache = Cache(60.0, ticks=lambda: 0.0, most=10)
    for number in range(100):
        cache.keep({f"hv{number}": Verdict(trusted=True, why="")}, 0.0)
    assert len(cache.find(f"hv{number}" for number in range(100))) == 10
    assert cache.find(["hv99"])


def test_a_name_beyond_all_measure_is_not_even_asked_for(scene):
    assert not scene.trusts("x" * 256)
    assert scene.asked == []


def test_a_cache_of_no_seconds_keeps_nothing():
    scene = Scene(seconds=0.0)
    scene.trusts("hv1")
    scene.trusts("hv1")
    assert len(scene.asked) == 2


@given(
    ends=st.floats(0, 30),
    steps=st.lists(st.floats(0, 10), max_size=8),
    seconds=st.floats(0, 20),
    takes=st.floats(0, 2),
)
def test_never_trusted_after_the_end_whatever_the_times(ends, steps, seconds, takes):
    scene = Scene(seconds)
    scene.takes = takes
    scene.ends["hv1"] = ends
    for step in steps:
        scene.now += step
        began = scene.now
        if scene.trusts("hv1"):
            # Judged at the moment of the question: what passed since then is the answer's own time.
            assert began < ends + 1e-6
