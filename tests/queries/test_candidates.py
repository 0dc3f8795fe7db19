"""What could be proposed: from a host, from hosts that drifted alike, and on the first day."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import silent
from tests.factories import BASELINES, GOOD, NOON, evidence, value, without
from tests.rows import make_server, write_reference
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import Part
from txt_dashboard.models import Attestation, Host
from txt_dashboard.queries.candidates import SHOWN, first_day, of_group, of_host
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db


@pytest.fixture
def nothing_approved(server):
    write_reference(server, [])


def kernel(name: str, bios: str = "good 0"):
    return evidence({0: value(bios), 18: value(name)})


def from_host(name: str):
    return of_host(Host.objects.get(name=name), current_reference(), NOON)


def test_a_host_gives_a_draft_for_each_part(poll) -> None:
    poll(hv1=kernel("kernel 38"))
    platform, vmm = sorted(from_host("hv1"), key=lambda each: each.draft.part)
    assert (platform.draft.part, platform.finding, platform.closest.name) == (Part.PLATFORM, None, "BIOS 1")
    assert (vmm.draft.part, vmm.finding.reason, vmm.closest.name) == (
        Part.VMM,
        Reason.REGISTERS_DIFFER,
        "VMM 1",
    )
    assert vmm.draft.values == {17: GOOD[17], 18: value("kernel 38")}
    assert (vmm.hosts, vmm.pools, vmm.servers, vmm.examples, vmm.refused) == (1, ("az1",), ("oat-1",), ("hv1",), ())
    assert vmm.draft.name == "vmm of hv1"


def test_a_host_that_shows_nothing_gives_nothing(poll) -> None:
    poll(hv1=silent(Reason.NOT_KNOWN_TO_SERVER), hv2=without(evidence(), [0, 17]))
    assert from_host("hv1") == ()
    assert from_host("hv2") == ()


def test_a_drift_group_gives_what_differs_with_all_its_hosts(poll) -> None:
    poll("az1", hv1=kernel("kernel 38"), hv2=kernel("kernel 38"), hv3=kernel("kernel 39"))
    poll("az2", hv4=kernel("kernel 38"))
    key = Attestation.objects.get(host__name="hv1").drift_key
    (candidate,) = of_group(key, current_reference(), NOON)
    assert (candidate.draft.part, candidate.hosts, candidate.pools) == (Part.VMM, 3, ("az1", "az2"))
    assert candidate.draft.values[18] == value("kernel 38")
    assert of_group("", current_reference(), NOON) == of_group("unknown", current_reference(), NOON) == ()


def test_the_first_day_is_a_handful_of_candidates(poll, nothing_approved) -> None:
    poll("az1", **{f"hv{at:03}": kernel(f"kernel {at % 2}", f"bios {at % 3}") for at in range(60)})
    poll("az2", late=kernel("kernel 1", "bios 1"))
    day = first_day(current_reference(), NOON)
    assert (day.total, day.after, day.hosts, day.covered) == (5, "", 61, 0)
    assert [each.hosts for each in day.candidates] == [31, 30, 21, 20, 20]
    most = day.candidates[0]
    assert (most.draft.part, most.pools, most.examples) == (Part.VMM, ("az1", "az2"), ("hv001", "hv003", "hv005"))
    assert most.finding.reason is Reason.NO_BASELINE
    assert all(each.refused == () for each in day.candidates)


def test_progress_is_told_by_hosts_that_have_something_to_be_compared_with(poll, server) -> None:
    write_reference(server, BASELINES[:1])
    poll(hv1=evidence(), hv2=kernel("kernel 38"))
    day = first_day(current_reference(), NOON)
    assert (day.total, day.hosts, day.covered) == (2, 2, 0)
    write_reference(server, BASELINES)
    day = first_day(current_reference(), NOON)
    assert (day.total, day.hosts, day.covered) == (0, 2, 2)


def test_after_the_first_approval_what_differs_can_be_listed_too(poll) -> None:
    poll(hv1=evidence(), hv2=kernel("kernel 38"))
    day = first_day(current_reference(), NOON, differing=True)
    assert [each.examples for each in day.candidates] == [("hv2",)]


def test_values_that_are_refused_say_why(poll, nothing_approved) -> None:
    poll(hv1=evidence(dict.fromkeys((17, 18), b"\xff" * 20)), hv2=evidence({7: bytes(20)}))
    refused = {
        each.refused for each in first_day(current_reference(), NOON, differing=True).candidates if each.refused
    }
    assert {sentence[:21] for sentences in refused for sentence in sentences} == {
        "Register 7 is all 00:",
        "Register 17 is all ff",
        "Register 18 is all ff",
    }


def test_two_servers_that_show_the_same_of_a_host_count_it_once(poll, nothing_approved, clock, scripted) -> None:
    poll(hv1=evidence())
    other = make_server("oat-2")
    write_reference(other, [])
    Attestation.objects.create(host=Host.objects.get(name="hv1"), server=other, due_at=NOON)
    Worker(clock, lambda row, clock: scripted).turn()
    day = first_day(current_reference(), NOON)
    assert [(each.hosts, each.servers) for each in day.candidates] == [(1, ("oat-1", "oat-2"))] * 2


def test_thousands_of_values_come_page_by_page(poll, nothing_approved) -> None:
    poll(**{f"hv{at}": kernel(f"kernel {at}") for at in range(SHOWN * 2)})
    poll(twin=kernel("kernel 7"))
    seen, after = [], ""
    while True:
        day = first_day(current_reference(), NOON, after=after)
        seen += [each.key for each in day.candidates]
        if not (after := day.after):
            break
    assert len(seen) == len(set(seen)) == day.total == SHOWN * 2 + 1


@pytest.mark.parametrize("after", ["x", "5", "~", "-1~a", "²~a"])
def test_a_place_that_is_none_is_refused(after) -> None:
    with pytest.raises(ValueError, match="page"):
        first_day(current_reference(), NOON, after=after)


def test_the_number_of_queries_does_not_grow(poll, nothing_approved) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            first_day(current_reference(), NOON)
        return len(captured)

    poll(hv1=kernel("kernel 1"))
    few = queries()
    poll(**{f"many{at}": kernel(f"kernel {at}") for at in range(60)})
    assert queries() == few
