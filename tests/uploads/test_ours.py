"""Our own baseline file, as drafts."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part
from txt_dashboard.uploads.ours import read_document
from txt_dashboard.uploads.reading import MOST_ENTRIES, MOST_SENTENCES, Unusable

GOLDEN = {"name": "VMM 1", "part": "vmm", "bank": "sha1", "values": {"17": "aa" * 20, "18": "BB" * 20}}
POLICY = {"server": "oat-1", "parts": {"vmm": {"bank": "sha1", "registers": [18, 17]}}, "validity_s": 600}


def document(*baselines: object, policies: object = ()) -> bytes:
    return json.dumps({"format": "txt-dashboard baselines 1", "baselines": baselines, "policies": policies}).encode()


def refused(raw: bytes) -> tuple[str, ...]:
    with pytest.raises(Unusable) as caught:
        read_document(raw)
    return caught.value.sentences


def test_a_file_holds_baselines_and_policies() -> None:
    read = read_document(
        document({**GOLDEN, "pools": ["az1"], "not_after": "2027-06-30T00:00:00Z"}, policies=[POLICY])
    )
    (draft,), (policy,) = read.baselines, read.policies
    assert (draft.name, draft.part, draft.bank, draft.pools) == ("VMM 1", Part.VMM, Bank.SHA1, {"az1"})
    assert draft.values == {17: b"\xaa" * 20, 18: b"\xbb" * 20}
    assert draft.not_after is not None
    assert (policy.server, policy.pool, policy.policy.requirements[0].indexes) == ("oat-1", "", (17, 18))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"values": {"17": "aa" * 19}}, 'Baseline "VMM 1": register 17: a sha1 value has 20 bytes'),
        ({"values": {"17": "xy" * 20}}, "register 17"),
        ({"values": {"17": "aa" * 20, "x": ""}}, "no register index"),
        ({"values": {"07": "aa" * 20, "7": "bb" * 20}}, "register 7 is named twice"),
        ({"values": {"24": "aa" * 20}}, "register 24 does not exist"),
        ({"bank": "sm3"}, "sm3"),
        ({"colour": "red"}, "colour"),
        ({"values": {"17": 5}}, "form"),
    ],
)
def test_a_bad_entry_is_named_with_its_register(change, says) -> None:
    (sentence,) = refused(document(GOLDEN, {**GOLDEN, **change}))
    assert says in sentence


def test_every_bad_entry_is_named_up_to_a_limit() -> None:
    bad = {**GOLDEN, "values": {"17": "aa"}}
    assert len(refused(document(bad, GOLDEN, bad))) == 2
    assert len(refused(document(*[bad] * 100))) == MOST_SENTENCES


def test_what_a_file_says_is_shown_cut_and_escaped() -> None:
    (sentence,) = refused(document({**GOLDEN, "name": "a\u202eb" + "x" * 500, "values": {"17": "aa"}}))
    assert "\u202e" not in sentence
    assert len(sentence) < 250


def test_the_number_of_entries_and_bytes_is_limited() -> None:
    assert "more than" in refused(document(*[GOLDEN] * (MOST_ENTRIES + 1)))[0]
    assert "larger than 16 MiB" in refused(b" " * (16 * 1024 * 1024 + 1))[0]


def test_policies_that_cant_be_are_named() -> None:
    wrong = [{**POLICY, "validity_s": 0}, {**POLICY, "validity_s": 10**18}, {**POLICY, "parts": {}}]
    assert all(each.startswith('Policy of "oat-1"') for each in refused(document(policies=wrong)))


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'{"format": "other"}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_baseline_file_is_refused(raw) -> None:
    assert len(refused(raw)) == 1


@given(st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_a_refusal(raw) -> None:
    refused(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*GOLDEN, "pools", "not_before", "not_after"], JSON)))
def test_no_entry_ends_in_anything_but_drafts_or_a_refusal(change) -> None:
    with suppress(Unusable):
        assert len(read_document(document({**GOLDEN, **change})).baselines) == 1
