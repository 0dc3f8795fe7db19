"""The list of hosts to register: read line by line, each wrong line named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.servers.mle import MleKind, MleRef, Registration
from txt_dashboard.servers.registrations import HEADER, MOST_PROBLEMS, Listed, Problem, read_registrations
from txt_dashboard.simulator.fleet import build_fleet
from txt_dashboard.simulator.startkit import registrations_csv

FIRST = ",".join(HEADER)
HV1 = "hv1,10.0.0.1,9999,az1,BIOS,2.19,Dell Inc.,VMM,6.1,Debian,12"


def read(*lines):
    return read_registrations("\n".join((FIRST, *lines)) + "\n")


def test_a_line_is_a_host_with_all_that_a_registration_needs():
    bios = MleRef(MleKind.BIOS, "BIOS", "2.19", oem="Dell Inc.")
    vmm = MleRef(MleKind.VMM, "VMM", "6.1", os_name="Debian", os_version="12")
    found = read(HV1)
    assert found.hosts == (Listed(Registration("hv1", "10.0.0.1", 9999, bios, vmm), "az1"),)
    assert found.problems == ()


def test_what_the_simulator_writes_can_be_read():
    found = read_registrations(registrations_csv(build_fleet()))
    assert (len(found.hosts), found.problems) == (420, ())


def test_a_byte_order_mark_blank_lines_quotes_and_spaces_are_nothing_wrong():
    quoted = '"hv1" ,10.0.0.1,9999,,"BIOS",2.19,"Dell, Inc.",VMM,6.1,Debian,12'.replace('"hv1" ', '"hv1"')
    found = read_registrations(f"\ufeff{FIRST}\r\n\r\n{quoted}\r\n")
    assert found.problems == ()
    assert found.hosts[0].registration.bios.oem == "Dell, Inc."
    assert found.hosts[0].pool == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("hv1,10.0.0.1", "it has 2 values, not 11"),
        (HV1.replace("hv1", " "), "host is empty"),
        (HV1.replace("hv1", "höst"), "no host can have this name"),
        (HV1.replace("9999", "0"), "port must be a number from 1 to 65535"),
        (HV1.replace("9999", "65536"), "port must be a number from 1 to 65535"),
        (HV1.replace("9999", "٣"), "port must be a number from 1 to 65535"),
        (HV1.replace("Dell Inc.", ""), "bios_oem is empty"),
        (HV1.replace("Debian", 256 * "D"), "vmm_os_name is longer than 255 characters"),
        (HV1.replace("Debian", "De\u202ebian"), "vmm_os_name is longer than 255 characters, or holds some"),
        ('hv1,"10.0.0.1"x,1', "it is no CSV"),
        (f"hv1,{'1' * 200_000}", "it is no CSV"),
    ],
)
def test_a_wrong_line_is_named_and_costs_no_other_before_it(line, sentence):
    found = read(HV1.replace("hv1", "hv0"), line)
    assert [each.registration.host for each in found.hosts] == ["hv0"]
    assert [each.line for each in found.problems] == [3]
    assert found.problems[0].sentence.startswith(sentence)


def test_a_host_counts_once():
    found = read(HV1, HV1.replace("10.0.0.1", "10.0.0.2"))
    assert found.hosts[0].registration.address == "10.0.0.1"
    assert found.problems == (Problem(3, "host hv1 stands further up already"),)


@pytest.mark.parametrize("text", ["", "host,pool\nhv1,az1\n", "\n", f"x{FIRST}"])
def test_another_file_is_told_what_this_one_must_begin_with(text):
    (problem,) = read_registrations(text).problems
    assert problem.line == 1
    assert FIRST in problem.sentence


def test_problems_are_bounded():
    assert len(read(*(MOST_PROBLEMS + 50) * ["x"]).problems) == MOST_PROBLEMS


@given(st.text(), st.lists(st.lists(st.text(max_size=20), min_size=10, max_size=12)))
def test_whatever_it_is_given_it_never_fails(text, rows):
    for each in (text, f"{FIRST}\n{text}", "\n".join((FIRST, *map(",".join, rows)))):
        found = read_registrations(each)
        assert len(found.problems) <= MOST_PROBLEMS
        assert all(listed.registration.host for listed in found.hosts)
