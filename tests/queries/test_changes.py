"""What changed: hosts that drifted alike are one change."""

import pytest

from tests.factories import BASELINES, GOOD, NOON, evidence, value
from tests.rows import make_host, make_server, write_reference
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.queries.changes import SHOWN, changes
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db


@pytest.fixture
def poll(clock, scripted):
    server = make_server()
    write_reference(server, BASELINES)

    def ask(pool: str = "az1", **answers) -> None:
        for name, answer in answers.items():
            make_host(name, server, pool)
            scripted.answers[name] = answer
        Worker(clock, lambda row, clock: scripted).turn()

    return ask


def found():
    return changes(current_reference(), NOON)


def test_hosts_that_match_are_no_change(poll) -> None:
    poll(hv1=evidence())
    assert found().shown == ()


def test_hosts_with_identical_values_are_one_change_across_pools(poll) -> None:
    new = evidence({18: value("kernel 38")})
    poll(hv1=new, hv2=new)
    poll("az2", hv3=new, hv4=evidence({0: value("BIOS 2")}))
    kernel, firmware = found().shown
    assert (kernel.hosts, kernel.pools, kernel.registers) == (3, ("az1", "az2"), (18,))
    assert (firmware.hosts, firmware.pools, firmware.registers) == (1, ("az2",), (0,))
    (difference,) = kernel.differences
    assert (difference.golden, difference.actual) == (GOOD[18], value("kernel 38"))


def test_hosts_that_only_their_server_calls_untrusted_are_a_change_of_their_own(poll) -> None:
    poll(hv1=evidence(verdict=Verdict.UNTRUSTED), hv2=evidence(verdict=Verdict.UNTRUSTED))
    (change,) = found().shown
    assert (change.hosts, change.group, change.server, change.reason) == (2, "", "oat-1", "server_untrusted")


def test_the_largest_groups_are_shown_and_the_others_counted(poll) -> None:
    poll(**{f"hv{number}": evidence({18: value(f"kernel {number}")}) for number in range(SHOWN + 3)})
    poll(twin=evidence({18: value("kernel 1")}))
    shown = found()
    assert (len(shown.shown), shown.more) == (SHOWN, 3)
    assert shown.shown[0].hosts == 2
