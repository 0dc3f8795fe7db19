"""How an MLE is named after the baseline that it publishes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part
from txt_dashboard.servers.base import NotTaken
from txt_dashboard.servers.mle import MleKind, MleRef, mle_for
from txt_dashboard.servers.oat_rules import V1, V2

VALUE, OTHER = bytes(range(20)), bytes(20)
LIKE = MleRef(MleKind.VMM, "old", "1", os_name="Debian", os_version="12")
ALL = frozenset(range(24))


def made(identity="baseline:0123456789abcdef", name="VMM 6.1.0-39", bank=Bank.SHA1, like=LIKE, takes=ALL, **values):
    shown = values or {"r18": VALUE}
    return mle_for(identity, name, bank, {int(key[1:]): value for key, value in shown.items()}, like, takes)


def test_people_know_it_again():
    mle = made()
    assert (mle.ref.name, mle.description) == ("VMM 6.1.0-39", "Trusted Compute, baseline 0123456789abcdef")
    assert mle.ref.version.startswith("0123456789abcdef-")
    assert (mle.ref.kind, mle.ref.os_name, mle.ref.os_version, mle.ref.oem) == (MleKind.VMM, "Debian", "12", "")
    assert mle.values == {18: VALUE}


def test_the_same_baseline_gives_the_same_mle_and_all_else_another_version():
    assert made() == made()
    others = [
        made(identity="baseline:fedcba9876543210"),
        made(r18=OTHER),
        made(r18=VALUE, r19=VALUE),
        made(like=MleRef(MleKind.VMM, "old", "1", os_name="Debian", os_version="13")),
        made(like=MleRef(MleKind.BIOS, "old", "1", oem="Dell Inc.")),
    ]
    versions = {each.ref.version for each in (made(), *others)}
    assert len(versions) == 6


def test_another_name_alone_is_no_other_version():
    assert made(name="renamed").ref.version == made().ref.version


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("2.06-13+deb12u1", "2.06-13-deb12u1"),
        ('a: "b" & c', "a- -b- - c"),
        ("VMware ESXi 5.1", "VMware E-Xi 5.1"),
        ("Kern 6.1 für alle", "Kern 6.1 f-r alle"),
        ("\u202e", "-"),
        ("   ", "baseline"),
        (80 * "n", 50 * "n"),
    ],
)
def test_names_that_openattestation_refuses_or_misunderstands_are_made_plain(name, plain):
    assert made(name=name).ref.name == plain


def test_only_registers_that_the_server_takes_are_published():
    mle = made(takes=V2.registers[MleKind.VMM], r4=VALUE, r17=VALUE, r18=VALUE)
    assert sorted(mle.values) == [17, 18]


def test_nothing_is_published_where_none_is_taken():
    with pytest.raises(NotTaken, match="none of the registers 4, 7 in a VMM whitelist"):
        made(takes=V2.registers[MleKind.VMM], r4=VALUE, r7=VALUE)


def test_values_of_another_bank_are_not_taken():
    with pytest.raises(NotTaken, match="SHA-1 values only, and the baseline's are sha256"):
        made(bank=Bank.SHA256, r18=bytes(32))


def test_each_kind_is_one_of_our_parts():
    assert [kind.part for kind in MleKind] == [Part.PLATFORM, Part.VMM]


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_a_baseline_is_called_both_generations_take_its_mle(identity, name):
    mle = made(identity=identity, name=name)
    V1.check_mle(mle)
    V2.check_mle(mle)
