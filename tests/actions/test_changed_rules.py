"""Rules that change: what is on file is judged anew, without a poll."""

from datetime import timedelta

import pytest

from tests.actions.turns import state_of
from tests.factories import BASELINES, GOOD, NOON, POLICY, baseline, evidence, value
from tests.rows import make_host, make_server, write_reference
from txt_dashboard.attest.reference import Part, Policy
from txt_dashboard.models import Attestation

pytestmark = pytest.mark.django_db


def test_a_baseline_taken_away_takes_trust_away_without_a_poll(server, worker, clock, scripted) -> None:
    make_host("hv1", server)
    worker.turn()
    write_reference(server, BASELINES[:1])
    clock.advance(seconds=2)
    worker.turn()
    assert len(scripted.asked) == 1
    assert state_of("hv1") == ("unknown", "no_baseline")


def test_a_baseline_put_in_force_gives_trust_without_a_poll(server, worker, clock, scripted) -> None:
    make_host("hv1", server)
    scripted.answers["hv1"] = lambda: evidence({18: value("new kernel")}, at=clock())
    worker.turn()
    new = baseline(Part.VMM, {17: GOOD[17], 18: value("new kernel")}, "VMM 2")
    write_reference(server, (*BASELINES, new))
    clock.advance(seconds=2)
    worker.turn()
    assert len(scripted.asked) == 1
    assert state_of("hv1") == ("trusted", "matches")
    assert Attestation.objects.get().drift_key == ""


def test_a_policy_that_asks_for_more_measures_what_is_on_file(server, worker, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    wider = POLICY.requirements[1].__class__(Part.VMM, POLICY.requirements[1].bank, frozenset({17, 18, 19}))
    write_reference(server, BASELINES, Policy((POLICY.requirements[0], wider), POLICY.validity))
    clock.advance(seconds=2)
    worker.turn()
    assert state_of("hv1") == ("unknown", "baseline_incomplete")
    assert set(Attestation.objects.get().vmm.values) == {"17", "18", "19"}


def test_trust_ends_with_the_baseline_even_if_no_worker_looks(server, worker) -> None:
    end = NOON + timedelta(minutes=2)
    ending = baseline(Part.VMM, {17: GOOD[17], 18: GOOD[18]}, "VMM 1", not_after=end)
    write_reference(server, (BASELINES[0], ending))
    make_host("hv1", server)
    worker.turn()
    assert Attestation.objects.get().valid_until == end


def test_without_a_policy_nothing_is_trusted(worker) -> None:
    make_host("hv1", make_server())
    worker.turn()
    assert state_of("hv1") == ("unknown", "no_policy")
