"""Answers that can't be taken as they are: without their report, or with a date that can't be."""

from datetime import timedelta

import pytest

from tests.actions.turns import poll_later, state_of
from tests.factories import BASELINES, NOON, baseline, evidence, value
from tests.rows import make_host, write_reference
from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Part
from txt_dashboard.models import Attestation

pytestmark = pytest.mark.django_db


def test_a_verdict_without_its_report_renews_nothing(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    until = Attestation.objects.get().valid_until
    missing = Finding(Reason.REPORT_UNAVAILABLE, {"detail": "timeout"})
    scripted.answers["hv1"] = lambda: Evidence(Verdict.TRUSTED, clock(), finding=missing)
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")
    assert Attestation.objects.get().valid_until == until
    scripted.answers["hv1"] = lambda: Evidence(Verdict.UNTRUSTED, clock(), finding=missing)
    poll_later(worker, clock)
    assert state_of("hv1") == ("untrusted", "server_untrusted_alone")


def test_a_clock_ahead_leaves_the_host_open_and_recovers(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = lambda: evidence(at=clock() + timedelta(seconds=61))
    poll_later(worker, clock)
    assert state_of("hv1") == ("unknown", "clock_ahead")
    del scripted.answers["hv1"]
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")


def test_a_server_whose_time_goes_back_is_doubted(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = lambda: evidence(at=NOON - timedelta(seconds=1))
    poll_later(worker, clock)
    assert state_of("hv1") == ("unknown", "clock_backwards")


def test_our_own_clock_going_back_makes_nothing_trusted(server, worker, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    Attestation.objects.update(due_at=NOON + timedelta(days=1))
    clock.now = NOON - timedelta(hours=1)
    worker.turn()
    assert state_of("hv1")[0] == "stale"


def test_doubt_survives_a_change_of_the_rules(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    scripted.answers["hv1"] = lambda: evidence(at=clock() + timedelta(hours=1))
    worker.turn()
    write_reference(server, (*BASELINES, baseline(Part.VMM, {17: value("a"), 18: value("b")}, "VMM 3")))
    clock.advance(seconds=2)
    worker.turn()
    assert state_of("hv1") == ("unknown", "clock_ahead")
