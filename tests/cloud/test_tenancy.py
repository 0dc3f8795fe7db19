"""What an instance's owner is told, by table: a wrong "trusted" is the worst that could be said."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from txt_dashboard.attest.appraisal import State
from txt_dashboard.cloud.tenancy import (
    HELD,
    HOST_NOT_KNOWN,
    NOT_ATTESTED,
    Why,
    at_stake,
    host_id,
    hosts_by_id,
    is_settled,
    judge,
    rounded,
    standing_of,
)

SINCE = datetime(2026, 11, 27, 10, 53, 59, tzinfo=UTC)
TRUSTED = standing_of(State.TRUSTED, SINCE)
UNTRUSTED = standing_of(State.UNTRUSTED, SINCE)
STALE = standing_of(State.STALE, SINCE)


def test_host_ids_are_those_that_nova_computes():
    told = "1d39e8b87a71f8544ab8e151630e18dd8d84167e873bb85d185c82f0"
    assert host_id("0d5dd43ff34b4ff49c45a0ef32b2c83f", "hv1") == told


def test_only_hosts_of_the_same_project_and_name_are_found():
    wanted = [host_id("p1", "hv1"), host_id("p2", "hv2"), "", "nonsense"]
    assert hosts_by_id("p1", ["hv1", "hv2"], wanted) == {host_id("p1", "hv1"): "hv1"}


@pytest.mark.parametrize(
    ("status", "task", "placed", "host", "state", "why"),
    [
        ("ACTIVE", "", True, TRUSTED, State.TRUSTED, Why.AS_APPROVED),
        ("SHUTOFF", "", True, TRUSTED, State.TRUSTED, Why.AS_APPROVED),
        ("ACTIVE", "", True, UNTRUSTED, State.UNTRUSTED, Why.NOT_AS_APPROVED),
        ("ACTIVE", "", True, STALE, State.STALE, Why.EVIDENCE_OLD),
        ("ACTIVE", "", True, standing_of(State.UNKNOWN, SINCE), State.UNKNOWN, Why.UNDETERMINED),
        ("ACTIVE", "", True, HELD, State.UNKNOWN, Why.HELD),
        ("ACTIVE", "", True, NOT_ATTESTED, State.UNKNOWN, Why.NOT_ATTESTED),
        ("ACTIVE", "", True, HOST_NOT_KNOWN, State.UNKNOWN, Why.HOST_NOT_KNOWN),
        ("ACTIVE", "", False, HOST_NOT_KNOWN, State.UNKNOWN, Why.NO_HOST),
        ("SHELVED_OFFLOADED", "", False, HOST_NOT_KNOWN, State.UNKNOWN, Why.NO_HOST),
        ("BUILD", "scheduling", False, HOST_NOT_KNOWN, State.UNKNOWN, Why.ON_ITS_WAY),
        ("MIGRATING", "migrating", True, TRUSTED, State.UNKNOWN, Why.ON_ITS_WAY),
        ("ACTIVE", "rebuilding", True, TRUSTED, State.UNKNOWN, Why.ON_ITS_WAY),
        ("RESIZE", "", True, TRUSTED, State.UNKNOWN, Why.ON_ITS_WAY),
        ("VERIFY_RESIZE", "", True, TRUSTED, State.UNKNOWN, Why.ON_ITS_WAY),
        ("ERROR", "", True, TRUSTED, State.UNKNOWN, Why.ON_ITS_WAY),
        ("UNKNOWN", "", False, HOST_NOT_KNOWN, State.UNKNOWN, Why.OUT_OF_SIGHT),
        ("UNKNOWN", "", True, TRUSTED, State.UNKNOWN, Why.OUT_OF_SIGHT),
        ("A_LATER_NOVAS_STATUS", "", True, TRUSTED, State.UNKNOWN, Why.ON_ITS_WAY),
    ],
)
def test_what_is_said_of_an_instance(status, task, placed, host, state, why):
    said = judge(status, task, placed=placed, host=host)
    assert (said.state, said.why) == (state, why)


def test_nothing_is_trusted_but_a_settled_instance_on_a_trusted_host():
    statuses = ["ACTIVE", "SHUTOFF", "BUILD", "REBUILD", "MIGRATING", "ERROR", "UNKNOWN", "SHELVED_OFFLOADED", "?"]
    hosts = [TRUSTED, UNTRUSTED, STALE, HELD, NOT_ATTESTED, HOST_NOT_KNOWN]
    for status, task, placed, host in itertools.product(statuses, ["", "x"], [True, False], hosts):
        said = judge(status, task, placed=placed, host=host)
        expected = status in ("ACTIVE", "SHUTOFF") and not task and placed and host is TRUSTED
        assert said.trusted is expected
        assert is_settled(status, task, placed=placed) or said.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("asks", "placed", "host", "stake"),
    [
        (True, True, UNTRUSTED, True),
        (True, True, STALE, True),
        (True, True, HOST_NOT_KNOWN, True),
        (True, True, HELD, True),
        (True, True, TRUSTED, False),
        (True, False, HOST_NOT_KNOWN, False),
        (False, True, UNTRUSTED, False),
        (None, True, UNTRUSTED, False),
    ],
)
def test_which_instances_are_at_stake(asks, placed, host, stake):
    assert at_stake(asks=asks, placed=placed, host=host) is stake


def test_moments_are_told_to_five_minutes_and_never_later():
    assert rounded(SINCE) == datetime(2026, 11, 27, 10, 50, tzinfo=UTC)
    assert rounded(None) is None
    for seconds in range(0, 700, 7):
        told = rounded(SINCE + timedelta(seconds=seconds))
        assert told is not None
        assert (told.minute % 5, told.second, told.microsecond) == (0, 0, 0)


def test_no_sentence_has_anything_to_fill_in():
    assert not [why for why in Why if "{" in why.sentence or "%" in why.sentence]
