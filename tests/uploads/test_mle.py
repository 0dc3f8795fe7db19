"""OpenAttestation's MLEs, as drafts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part
from txt_dashboard.uploads.mle import read_mles
from txt_dashboard.uploads.reading import MOST_ENTRIES, Unusable

VMM = {
    "Name": "tboot", "Version": "6.1.0-38", "OsName": "Debian", "OsVersion": "12", "Attestation_Type": "PCR",
    "MLE_Type": "VMM", "Description": "", "MLE_Manifests": [{"Name": "18", "Value": "ab" * 20}],
}  # fmt: skip
BIOS = {
    "Name": "R640", "Version": "2.19", "OemName": "Dell", "MLE_Type": "BIOS",
    "MLE_Manifests": [{"Name": "0", "Value": "AB" * 32}, {"Name": "7", "Value": "cd" * 32}],
}  # fmt: skip


def refused(what: object) -> tuple[str, ...]:
    with pytest.raises(Unusable) as caught:
        read_mles(what if isinstance(what, bytes) else json.dumps(what).encode())
    return caught.value.sentences


def test_a_vmm_mle_is_a_draft_of_the_vmm_part() -> None:
    (draft,) = read_mles(json.dumps(VMM).encode())
    assert (draft.name, draft.part, draft.bank) == ("tboot 6.1.0-38 (Debian 12)", Part.VMM, Bank.SHA1)
    assert draft.values == {18: b"\xab" * 20}


def test_a_list_may_hold_both_kinds_and_values_of_any_bank() -> None:
    _, draft = read_mles(json.dumps([VMM, BIOS]).encode())
    assert (draft.name, draft.part, draft.bank) == ("R640 2.19 (Dell)", Part.PLATFORM, Bank.SHA256)
    assert sorted(draft.values) == [0, 7]


def manifests(*pairs: tuple[str, str]) -> dict[str, object]:
    return {**VMM, "MLE_Manifests": [{"Name": name, "Value": value} for name, value in pairs]}


@pytest.mark.parametrize(
    ("mle", "says"),
    [
        (manifests(("18", "ab" * 19)), "register 18: a value of 19 bytes belongs to no bank"),
        (manifests(("18", "zz" * 20)), "register 18"),
        (manifests(("99", "ab" * 20)), "register 99 does not exist"),
        (manifests(("18", "ab" * 20), ("18", "cd" * 20)), "register 18 is named twice"),
        (manifests(("17", "ab" * 20), ("18", "cd" * 32)), "register 17 holds a sha1 value and register 18 a sha256"),
        (manifests(), "names no register"),
        ({**VMM, "Attestation_Type": "MODULE"}, "not attested by registers"),
    ],
)
def test_a_bad_mle_is_named_with_its_register(mle, says) -> None:
    (sentence,) = refused([BIOS, mle])
    assert sentence.startswith('VMM MLE "tboot"')
    assert says in sentence


@pytest.mark.parametrize(
    "what", [[], {}, {**VMM, "MLE_Type": "OTHER"}, {**VMM, "Name": 5}, "text", b"", b"\xff", b"[" * 99_999]
)
def test_what_is_no_mle_is_refused(what) -> None:
    assert len(refused(what)) == 1


def test_their_number_is_limited() -> None:
    assert "more than" in refused([VMM] * (MOST_ENTRIES + 1))[0]


@given(st.lists(st.tuples(st.text(max_size=3), st.text("0123456789abcdefx ", max_size=41)), max_size=4))
def test_no_manifest_ends_in_anything_but_a_draft_or_a_refusal(pairs) -> None:
    try:
        (draft,) = read_mles(json.dumps(manifests(*pairs)).encode())
    except Unusable:
        return
    assert draft.values
    assert all(len(value) == draft.bank.size for value in draft.values.values())
