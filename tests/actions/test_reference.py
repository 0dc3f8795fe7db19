"""Golden values from a file: whole or not at all, and each refusal with its reason."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import NOON
from tests.rows import make_server, put_set
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Invalid, NotAllowed, Role
from txt_dashboard.actions.reference import propose_file
from txt_dashboard.models import Proposal
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db

GOLDEN = {"name": "VMM 1", "part": "vmm", "bank": "sha1", "values": {"17": "aa" * 20, "18": "BB" * 20}}
POLICY = {"server": "oat-1", "parts": {"vmm": {"bank": "sha1", "registers": [17, 18]}}, "validity_s": 600}


def document(baselines=(GOLDEN,), policies=(POLICY,), **more) -> bytes:
    return json.dumps(
        {"format": "txt-dashboard baselines 1", "baselines": baselines, "policies": policies, **more}
    ).encode()


def load(raw: bytes) -> Proposal:
    return propose_file(COMMAND_LINE, raw, title="Golden values", reason="The first day.", now=NOON)


def put_in_force(proposal: Proposal) -> None:
    put_set({id_: change["after"] for id_, change in proposal.patch["changes"].items()})


def test_a_file_only_proposes() -> None:
    make_server()
    proposal = load(document())
    assert current_reference().rules("oat-1", "any pool", NOON) is None
    put_in_force(proposal)
    rules = current_reference().rules("oat-1", "any pool", NOON)
    assert rules is not None
    assert rules.baselines[0].values == {17: b"\xaa" * 20, 18: b"\xbb" * 20}


def test_what_is_in_force_already_is_not_proposed_again() -> None:
    make_server()
    put_in_force(load(document()))
    with pytest.raises(Invalid, match="in force already"):
        load(document())


def test_a_policy_of_a_pool_goes_before_the_servers_own() -> None:
    make_server()
    wider = {**POLICY, "pool": "edge", "validity_s": 60}
    put_in_force(load(document(policies=(POLICY, wider))))
    reference = current_reference()
    seconds = [reference.rules("oat-1", pool, NOON).policy.validity.total_seconds() for pool in ("az1", "edge")]
    assert seconds == [600, 60]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"values": {"17": "aa" * 19}}, "20 bytes"),
        ({"values": {"10": "aa" * 20}}, "never a reference value"),
        ({"values": {"24": "aa" * 20}}, "does not exist"),
        ({"values": {}}, "no register"),
        ({"values": {"17": "xy" * 20}}, "hexadecimal"),
        ({"bank": "sm3"}, "sm3"),
        ({"part": "disk"}, "disk"),
        ({"name": ""}, "printable"),
        ({"name": "a\nb"}, "printable"),
        ({"colour": "red"}, "colour"),
        ({"not_before": "2027-01-01T00:00:00Z", "not_after": "2026-01-01T00:00:00Z"}, "ends before"),
        ({"not_after": "2026-01-01T00:00:00"}, "time zone"),
    ],
)
def test_a_baseline_that_cant_be_is_refused_with_its_reason(change, says) -> None:
    make_server()
    with pytest.raises(Invalid, match=says):
        load(document(baselines=(GOLDEN, {**GOLDEN, **change})))
    assert not Proposal.objects.exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"server": "oat-9"}, "no attestation server"),
        ({"parts": {}}, "at least one part"),
        ({"parts": {"vmm": {"bank": "sha1", "registers": []}}}, "requires no register"),
        ({"parts": {"vmm": {"bank": "sha1", "registers": [16]}}}, "can't be required"),
        ({"validity_s": 0}, "valid for some time"),
        ({"validity_s": 10**30}, "more than 7 days|out of range|int|too large"),
    ],
)
def test_a_policy_that_cant_be_is_refused_with_its_reason(change, says) -> None:
    make_server()
    with pytest.raises(Invalid, match=says):
        load(document(policies=({**POLICY, **change},)))


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'{"format": "other"}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_baseline_file_is_refused(raw) -> None:
    with pytest.raises(Invalid):
        load(raw)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_a_refusal(raw) -> None:
    with pytest.raises(Invalid):
        load(raw)


def test_a_viewer_proposes_nothing() -> None:
    make_server()
    with pytest.raises(NotAllowed):
        propose_file(Actor("vera", frozenset({Role.VIEWER}), user=1), document(), title="x", reason="y", now=NOON)
