"""The Host page: what it measured against what was approved, both verdicts, nothing better than it is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import silent
from tests.factories import BASELINES, GOOD, PLATFORM, POLICY, VMM, baseline, evidence, value, without
from tests.rows import make_host, make_server, write_reference
from tests.web.visitors import text, visitor
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Part, Policy
from txt_dashboard.models import Attestation, Host, Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(clock, scripted) -> Worker:
    return Worker(clock, lambda row, clock: scripted)


def read(path: str, role: str = "operator") -> str:
    """The page's text, as a person reads it: one space between words."""
    response = visitor(role).get(path)
    assert response.status_code == 200
    return text(response)


# --- Golden against actual ----------------------------------------------------------------------


def test_a_difference_shows_both_values_and_marks_the_first_byte_that_differs(fleet) -> None:
    other = GOOD[18][:6] + b"\x00" + GOOD[18][7:]
    fleet(hv1=evidence({18: other}, at=timezone.now()))
    page = read("/hosts/hv1/")
    assert "1 of 4 registers differs</b>" in page
    golden, actual = GOOD[18].hex(), other.hex()
    assert f"{golden[:12]}<mark>{golden[12:20]}</mark>{golden[20:]}" in page
    assert f"{actual[:12]}<mark>{actual[12:20]}</mark>{actual[20:]}" in page
    assert "VMM 1" in page
    assert "3 registers match: 0, 7, 17" in page


def test_what_commonly_changes_a_register_is_labelled_as_general_knowledge(fleet) -> None:
    fleet(hv1=evidence({18: value("new")}, at=timezone.now()))
    page = read("/hosts/hv1/")
    assert "Commonly changed by an update of the kernel" in page
    assert "General knowledge, not what happened here." in page


def test_differences_come_before_what_matches(fleet) -> None:
    fleet(hv1=evidence({18: value("new")}, at=timezone.now()))
    page = read("/hosts/hv1/")
    assert page.index("<b>differs</b>") < page.index("registers match")


def test_a_missing_value_is_shown_as_missing_and_never_as_a_match(fleet) -> None:
    fleet(hv1=without(evidence(at=timezone.now()), [18]))
    page = read("/hosts/hv1/")
    assert "<b>missing</b>" in page
    assert "2 of 4 registers match</b>" in page
    assert "The evidence holds no value for the required PCR 18." in page
    assert "badge is-unknown" in page


def test_a_part_without_a_baseline_is_not_compared_and_says_why(oat, fleet) -> None:
    write_reference(oat, BASELINES[:1])
    fleet(hv1=None)
    page = read("/hosts/hv1/")
    assert "No approved baseline applies to the vmm part of this host." in page
    assert "2 registers could not be compared: 17, 18" in page


def test_registers_outside_the_policy_are_folded_and_not_judged(fleet) -> None:
    fleet(hv1=evidence({10: value("ima")}, at=timezone.now()))
    page = read("/hosts/hv1/")
    assert "other registers, which no policy requires: 10, 19, 20, 21, 22" in page
    assert value("ima").hex() in page


def test_the_appraisal_follows_the_rules_in_force_now(oat, fleet) -> None:
    fleet(hv1=None)
    changed = baseline(Part.VMM, {17: GOOD[17], 18: value("approved since")}, "VMM 2")
    write_reference(oat, [BASELINES[0], changed])
    page = read("/hosts/hv1/")
    assert "1 of 4 registers differs</b>" in page
    assert "The rules changed after the host's state was set." in page


def test_no_measured_launch_is_named_instead_of_guessing_at_updates(fleet) -> None:
    fleet(hv1=evidence(dict.fromkeys(range(17, 23), b"\xff" * 20), at=timezone.now()))
    page = read("/hosts/hv1/")
    assert "No measured launch happened" in page
    assert "Commonly changed by" not in page


# --- Two verdicts -------------------------------------------------------------------------------


def test_both_verdicts_are_shown_and_agree(fleet) -> None:
    fleet(hv1=None)
    page = read("/hosts/hv1/")
    assert "They agree." in page
    assert "The rules changed" not in page
    assert "badge is-trusted" in page
    assert "oat-1's word, no quote given" in page


def test_a_server_that_trusts_what_nobody_approved_is_a_finding_of_its_own(fleet) -> None:
    fleet(hv1=evidence({18: value("new")}, verdict=Verdict.TRUSTED, at=timezone.now()))
    page = read("/hosts/hv1/")
    assert "oat-1 disagrees with us." in page
    assert "its own list of expected values is not the approved one" in page


def test_a_server_that_objects_to_what_matches_is_named(fleet) -> None:
    fleet(hv1=evidence(verdict=Verdict.UNTRUSTED, at=timezone.now()))
    page = read("/hosts/hv1/")
    assert "oat-1 disagrees with us." in page
    assert "oat-1 says untrusted, although all required registers match" in page


def test_trust_on_the_servers_word_alone_is_said_plainly(oat, fleet) -> None:
    write_reference(oat, [], Policy((PLATFORM, VMM), POLICY.validity, word_is_enough=True))
    fleet(hv1=None)
    page = read("/hosts/hv1/")
    assert "Trusted on the word of oat-1 alone." in page
    assert "on oat-1's word alone" in page


def test_a_report_that_does_not_belong_to_the_verdict_is_not_ours_to_trust(fleet) -> None:
    doubtful = evidence(at=timezone.now(), finding=Finding(Reason.REPORT_OLDER))
    fleet(hv1=doubtful)
    page = read("/hosts/hv1/")
    assert "The register report is older than the verdict" in page
    assert "Both must say trusted, and we can't tell." in page


# --- Never better than it is --------------------------------------------------------------------


def test_a_host_stored_as_trusted_with_evidence_that_ran_out_is_shown_stale(fleet) -> None:
    [host] = fleet(hv1=None)
    ended = timezone.now() - timedelta(minutes=3)
    Attestation.objects.update(valid_until=ended, counts_from=ended - timedelta(minutes=5))
    Host.objects.update(since=ended - timedelta(hours=2))
    assert Host.objects.get(id=host.id).state == "trusted"
    for path in ("/hosts/hv1/", "/hosts/hv1/evidence/"):
        page = read(path, role="viewer" if "evidence" in path else "operator")
        assert "badge is-stale" in page
        assert "badge is-trusted" not in page
        assert "Was trusted" in page
        assert "was trusted for 2 hours" in page.replace("\xa0", " ")


def test_a_host_that_its_server_forgot_shows_old_values_as_counting_no_more(fleet, scripted, worker, clock) -> None:
    fleet(hv1=None)
    scripted.answers["hv1"] = silent(Reason.NOT_KNOWN_TO_SERVER)
    clock.advance(seconds=120)
    worker.turn()
    page = read("/hosts/hv1/")
    assert "oat-1 does not know this host." in page
    assert "and count no more" in page
    assert "badge is-trusted" not in page


def test_a_host_that_was_never_attested_says_so(oat) -> None:
    make_host("hv1", oat)
    page = read("/hosts/hv1/")
    assert "No evidence has been received for this host yet." in page
    assert "oat-1 has given no evidence for this host." in page


# --- Others alike -------------------------------------------------------------------------------


def test_hosts_that_drifted_alike_are_counted_and_linked(fleet) -> None:
    alike, alone = evidence({18: value("new")}, at=timezone.now()), evidence({18: value("other")}, at=timezone.now())
    fleet(hv1=alike, hv2=alike, hv3=alike, hv4=alone)
    page = read("/hosts/hv1/")
    assert "2 more hosts" in page
    assert "/hosts/hv2/" in page
    assert "/hosts/hv4/" not in page
    assert f"?group={Attestation.objects.get(host__name='hv1').drift_key}" in page


# --- Servers that are only observed -------------------------------------------------------------


def test_what_an_observed_server_says_is_marked_as_not_counting(oat, fleet) -> None:
    [host] = fleet(hv1=None)
    other = make_server("oat-2", counts=False)
    Attestation.objects.create(host=host, server=other, due_at=timezone.now())
    page = read("/hosts/hv1/")
    assert page.count("This does not count.") == 1
    assert "Nobody approved that what oat-2 says counts" in page
    assert "is-trusted" in page


def test_a_host_that_only_observed_servers_attest_is_marked_in_the_fleet_too(fleet) -> None:
    fleet(hv1=None)
    assert "only observed" not in read("/")
    Server.objects.update(counts=False)
    assert "only observed" in read("/", "viewer")


def test_an_observed_server_whose_evidence_ran_out_takes_no_trust(oat, fleet) -> None:
    [host] = fleet(hv1=None)
    other = make_server("oat-2", counts=False)
    ended = timezone.now() - timedelta(hours=1)
    Attestation.objects.create(
        host=host, server=other, due_at=ended, counts_from=ended - timedelta(hours=1), valid_until=ended
    )
    page = read("/hosts/hv1/")
    assert "was trusted before" not in page
    assert "was trusted for" not in page
