"""What a change would do: for every host the same as looking at that host alone."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.factories import BASELINES, GOOD, NOON, PLATFORM, POLICY, VMM, baseline, evidence, value, without
from tests.queries.fleets import LATER, naive, names, random_fleet, write
from tests.rows import make_server, write_reference
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.actions.hosts import load_hosts
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part, Policy, ReferenceSet, Requirement
from txt_dashboard.models import Attestation, Host
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.impact import EXAMPLES, affected, impact, showing, stragglers, turning_points
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.table import Cursor, page

pytestmark = pytest.mark.django_db

# A seed can't be shrunk to anything smaller.
WITHOUT_SHRINKING = settings(
    max_examples=75,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NEW = baseline(Part.VMM, {17: GOOD[17], 18: value("kernel 38")}, "VMM 2")


def kernel(name: str = "kernel 38", **more):
    return evidence({18: value(name)}, **more)


def added(*baselines) -> ReferenceSet:
    before = current_reference()
    return replace(before, baselines=(*before.baselines, *baselines))


def found(after: ReferenceSet, **more):
    return impact(current_reference(), after, NOON, **more)


@pytest.mark.timeout(600)  # some hundred fleets, each in the database
@settings(
    max_examples=100,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_every_host_fares_as_it_would_alone(db, seed: int) -> None:
    fleet = random_fleet(seed)
    note(fleet)
    before, after = fleet.sets[0], fleet.sets[1]
    with transaction.atomic():
        write(fleet)
        for at in (NOON, LATER):
            was = [naive(made, before, NOON) for made in fleet.hosts.values()]
            becomes = [naive(made, after, at) for made in fleet.hosts.values()]
            would_be = [naive(made, before, NOON, fresh=True) for made in fleet.hosts.values()]
            would_become = [naive(made, after, at, fresh=True) for made in fleet.hosts.values()]
            gained, lost = names(fleet, was, becomes)
            once_gained, once_lost = (each - gained - lost for each in names(fleet, would_be, would_become))
            seen = impact(before, after, NOON, at=at)
            expected = {
                Change.GAINED: gained,
                Change.LOST: lost,
                Change.GAINED_ONCE_FRESH: once_gained,
                Change.LOST_ONCE_FRESH: once_lost,
            }
            for change, hosts in expected.items():
                assert set(affected(seen, change).values_list("name", flat=True)) == hosts, change
                assert seen[change] == len(hosts)
                pools = Counter(fleet.hosts[name].pool for name in hosts)
                assert {pool: counts[change] for pool, counts in seen.pools.items() if change in counts} == pools
                assert set(seen.examples.get(change, ())) <= hosts
                assert len(seen.examples.get(change, ())) == min(EXAMPLES, len(hosts))
            moves = Counter(pair for pair in zip(was, becomes, strict=True) if pair[0] is not pair[1])
            assert seen.moves == moves
            assert seen.hosts == len(fleet.hosts)
        transaction.set_rollback(True)


def test_approving_what_hosts_show_gains_them_and_says_by_which_part_and_where(poll) -> None:
    poll("az1", hv1=kernel(), hv2=kernel(), hv3=evidence())
    poll("az2", hv4=kernel(), hv5=kernel("kernel 39"))
    seen = found(added(NEW))
    assert seen.counts == {Change.GAINED: 3}
    assert seen.pools == {"az1": {Change.GAINED: 2}, "az2": {Change.GAINED: 1}}
    assert seen.parts == {Part.VMM: {Change.GAINED: 3}}
    assert seen.moves == {(State.UNTRUSTED, State.TRUSTED): 3}
    assert set(seen.examples[Change.GAINED]) == {"hv1", "hv2", "hv4"}
    assert (seen.hosts, seen.unchanged) == (5, 2)


def test_retiring_what_hosts_rest_on_loses_them(poll) -> None:
    poll(hv1=evidence(), hv2=kernel())
    seen = found(replace(current_reference(), baselines=BASELINES[:1]))
    assert seen.counts == {Change.LOST: 1}
    assert seen.parts == {Part.VMM: {Change.LOST: 1}}
    assert seen.moves == {(State.TRUSTED, State.UNKNOWN): 1, (State.UNTRUSTED, State.UNKNOWN): 1}


def test_the_same_set_changes_nothing(poll) -> None:
    poll(hv1=evidence(), hv2=kernel())
    appraiser = Appraiser()
    seen = found(current_reference(), appraiser=appraiser)
    assert (seen.counts, seen.moves, appraiser.appraisals) == ({}, {}, 0)


def test_one_appraisal_for_each_distinct_measurement(poll) -> None:
    poll(**{f"hv{at}": kernel(f"kernel {at % 3}") for at in range(12)})
    appraiser = Appraiser()
    found(added(NEW), appraiser=appraiser)
    assert appraiser.appraisals == 4


def test_the_number_of_queries_does_not_grow_with_the_fleet(poll) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            found(added(NEW))
        return len(captured)

    poll(**{f"few{at}": kernel() for at in range(6)})
    few = queries()
    poll(**{f"many{at}": kernel(f"kernel {at % 30}") for at in range(90)})
    assert queries() == few


def test_stale_hosts_gain_nothing_and_are_counted_as_what_they_would_be(poll, clock) -> None:
    poll(hv1=kernel())
    seen = impact(current_reference(), added(NEW), clock.advance(hours=1))
    assert seen.counts == {Change.GAINED_ONCE_FRESH: 1}
    assert seen.moves == {(State.UNTRUSTED, State.STALE): 1}
    assert seen.examples == {Change.GAINED_ONCE_FRESH: ("hv1",)}


def test_hosts_that_their_server_calls_untrusted_wait_for_its_word(poll) -> None:
    poll(hv1=kernel(verdict=Verdict.UNTRUSTED), hv2=evidence(verdict=Verdict.UNTRUSTED))
    seen = found(added(NEW))
    assert seen.counts == {Change.GAINED_ONCE_VOUCHED: 1}
    assert list(affected(seen, Change.GAINED_ONCE_VOUCHED).values_list("name", flat=True)) == ["hv1"]


def test_all_servers_of_a_host_must_agree_after_the_change_too(poll, server, clock, scripted) -> None:
    poll(hv1=kernel(), hv2=kernel())
    other = make_server("oat-2")
    write_reference(other, BASELINES)
    Attestation.objects.create(host=Host.objects.get(name="hv2"), server=other, due_at=NOON)
    scripted.answers["hv2"] = kernel("kernel 40")
    Worker(clock, lambda row, clock: scripted).turn()
    assert found(added(NEW)).examples == {Change.GAINED: ("hv1",)}


def test_a_new_server_of_a_host_is_heard_before_a_worker_has_settled_the_host(poll) -> None:
    poll(hv1=evidence(), hv2=evidence())
    make_server("oat-2")
    load_hosts(COMMAND_LINE, [("hv2", "az1")], server="oat-2", now=NOON)
    assert found(replace(current_reference(), baselines=())).examples == {Change.LOST: ("hv1",)}


def test_a_policy_that_requires_another_register_judges_by_its_latest_values(poll) -> None:
    poll(hv1=evidence({1: value("serial 1")}), hv2=evidence({1: value("serial 2")}))
    wider = Policy((PLATFORM, Requirement(Part.VMM, Bank.SHA1, frozenset({1, 17, 18}))), POLICY.validity)
    golden = baseline(Part.VMM, {**BASELINES[1].values, 1: value("serial 1")})
    seen = found(ReferenceSet((BASELINES[0], golden), {("oat-1", ""): wider}, current_reference().servers))
    assert seen.counts == {Change.LOST: 1}
    assert list(affected(seen, Change.LOST).values_list("name", flat=True)) == ["hv2"]


def test_what_is_on_file_of_one_host_is_no_answer_for_another_that_shows_more(poll, server, clock, scripted) -> None:
    """Both were measured by register 0 alone: the first shows no other, the second was not asked for it then."""
    only = replace(POLICY, requirements=(Requirement(Part.PLATFORM, Bank.SHA1, frozenset({0})), VMM))
    poll(hv1=without(evidence(), [7]))
    in_force = current_reference()
    write_reference(server, BASELINES, only)
    poll(hv2=evidence())
    write_reference(server, BASELINES)
    Attestation.objects.filter(host__name="hv1").update(rules_key=in_force.rules("oat-1", "az1", NOON).key)
    Attestation.objects.filter(host__name="hv1").update(match="undetermined", reason="registers_missing")
    keys = set(Host.objects.values_list("evidence_key", flat=True))
    assert len(keys) == 1
    assert found(replace(in_force, baselines=BASELINES[1:])).examples == {Change.LOST: ("hv2",)}


def test_a_validity_that_shortens_loses_what_is_older(poll, clock) -> None:
    poll(hv1=evidence())
    policies = {("oat-1", ""): replace(POLICY, validity=timedelta(minutes=2))}
    shorter = replace(current_reference(), policies=policies)
    assert impact(current_reference(), shorter, clock.advance(minutes=3)).counts == {Change.LOST: 1}


def test_stragglers_are_those_that_lose_at_the_end_of_what_they_match(poll) -> None:
    end = NOON + timedelta(days=7)
    poll(hv1=evidence(), hv2=kernel())
    ending = replace(BASELINES[1], not_after=end)
    after = replace(current_reference(), baselines=(BASELINES[0], ending, NEW))
    assert turning_points(current_reference(), after, NOON) == (end,)
    seen = impact(current_reference(), after, NOON, at=end)
    assert seen.examples == {Change.GAINED: ("hv2",), Change.LOST: ("hv1",)}
    assert stragglers(after, NOON, end).examples == {Change.LOST: ("hv1",)}
    assert stragglers(after, NOON, end - timedelta(seconds=1)).counts == {}


def test_hosts_that_show_exactly_these_values_are_counted(poll) -> None:
    poll(hv1=kernel(), hv2=kernel(), hv3=evidence())
    reference = current_reference()
    assert showing(reference, NEW.part, NEW.bank, NEW.values) == 2
    assert showing(reference, NEW.part, NEW.bank, {**NEW.values, 19: bytes(20)}) == 2
    assert showing(reference, NEW.part, NEW.bank, {18: NEW.values[18]}) == 0
    assert showing(reference, Part.PLATFORM, NEW.bank, NEW.values) == 0


def test_the_digest_changes_with_what_is_shown_and_with_nothing_else(poll) -> None:
    poll(hv1=kernel(), hv2=evidence())
    shown = found(added(NEW)).digest
    poll(hv3=evidence(), hv4=kernel("kernel 39"))
    assert found(added(NEW)).digest == shown
    poll(hv5=kernel())
    assert found(added(NEW)).digest != shown


def test_all_hosts_that_gain_can_be_paged_by_name(poll) -> None:
    poll(**{f"hv{at:03}": kernel(f"kernel {38 + at % 2}") for at in range(150)})
    chosen = affected(found(added(NEW)), Change.GAINED)
    first = page(chosen, "name", None, current_reference(), NOON)
    second = page(chosen, "name", Cursor(first.after), current_reference(), NOON)
    shown = [row.name for row in (*first.rows, *second.rows)]
    assert shown == [f"hv{at:03}" for at in range(0, 150, 2)]
    assert second.after == ""
