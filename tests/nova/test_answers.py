"""What PollHosts answers, read so that doubt never reads as trust."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard_nova.answers import BadAnswer, Verdict, read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


def row(**more: object) -> dict[str, object]:
    return {"host_name": "hv1", "trust_lvl": "trusted", "vtime": at(0), "valid_until": at(60)} | more


def verdict(*rows: object, now: datetime = NOON) -> Verdict:
    return read(json.dumps({"hosts": list(rows)}).encode(), ["hv1"], now)["hv1"]


def test_a_trusted_host_is_trusted_until_its_evidence_runs_out():
    assert verdict(row()) == Verdict(trusted=True, why="", seconds=60)


def test_a_server_that_says_no_end_is_believed_for_the_moment():
    openattestation = {"host_name": "hv1", "trust_lvl": "trusted", "vtime": "2016-02-29T22:29:26.365+0000"}
    assert verdict(openattestation) == Verdict(trusted=True, why="")


@pytest.mark.parametrize("level", ["untrusted", "unknown", "timeout", "pending"])
def test_every_other_level_is_named(level):
    assert verdict(row(trust_lvl=level)) == Verdict(trusted=False, why=f"the trust level is {level}")


@pytest.mark.parametrize("level", ["Trusted", "trusted ", "", None, True, 1, ["trusted"], {"trusted": 1}, "<script>"])
def test_what_only_looks_like_trusted_is_not(level):
    found = verdict(row(trust_lvl=level))
    assert not found.trusted
    assert found.why == "the trust level is something else than trusted"


@pytest.mark.parametrize("end", [None, 1, "", "soon", "2026-03-01T12:01:00", "9999-99-99T00:00:00Z"])
def test_an_end_that_nobody_can_read_is_no_end_in_sight(end):
    assert not verdict(row(valid_until=end)).trusted


def test_evidence_that_ran_out_does_not_count():
    assert verdict(row(valid_until=at(-1))).why == "its evidence ran out at 2026-03-01T11:59:59+00:00"
    assert not verdict(row(valid_until=at(0))).trusted


def test_a_slow_clock_of_ours_can_not_stretch_it():
    assert verdict(row(), now=NOON - timedelta(hours=1)).seconds == 60


def test_nor_can_a_slow_clock_of_theirs():
    assert verdict(row(vtime=at(-3600))).seconds == 60


def test_a_host_that_was_left_out_is_not_trusted():
    assert verdict() == Verdict(trusted=False, why="the answer left it out")
    assert not verdict(row(host_name="HV1")).trusted
    assert not verdict(row(host_name=["hv1"]), 1, None, "hv1").trusted


def test_a_host_that_is_there_twice_is_trusted_only_where_both_agree():
    assert verdict(row(), row()).trusted
    assert not verdict(row(), row(trust_lvl="untrusted")).trusted
    assert not verdict(row(trust_lvl="untrusted"), row()).trusted
    assert not verdict(row(trust_lvl="untrusted"), row(), row()).trusted


def test_nobody_is_answered_for_who_was_not_asked_for():
    assert read(json.dumps({"hosts": [row(host_name="hv2")]}).encode(), ["hv1"], NOON).keys() == {"hv1"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[]", b'{"hosts": {}}', b"[" * 100_000, b"\xff"])
def test_what_is_no_answer_is_refused(body):
    with pytest.raises(BadAnswer):
        read(body, ["hv1"], NOON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["hv1", "trusted", at(60)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(row())), inner, max_size=4),
    max_leaves=8,
)


@given(rows=st.lists(JSON, max_size=4))
def test_whatever_comes_only_the_word_itself_makes_trusted(rows):
    found = verdict(*rows)
    if found.trusted:
        assert any(isinstance(each, dict) and each.get("trust_lvl") == "trusted" for each in rows)
        assert found.seconds is None or found.seconds > 0
