"""The signed set: one form, one number, one signature; patches that touch only what they name."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import BASELINES, NOON, POLICY
from txt_dashboard.attest.entries import (
    PolicyOf,
    baseline_entry,
    baseline_id,
    policy_entry,
    policy_id,
    read_entry,
    server_entry,
    server_id,
)
from txt_dashboard.attest.reference import Endpoint, InvalidReference
from txt_dashboard.attest.signed_set import (
    EMPTY,
    Change,
    InvalidSet,
    Outdated,
    Patch,
    SignedSet,
    entry_hash,
    open_set,
)
from txt_dashboard.attest.signing import PublicKeys, Purpose, Signature, SigningError, SigningKey

KEY = SigningKey.generate()
KEYS = PublicKeys({}).with_key(KEY.public)
SERVER = Endpoint("oat-1", "oat-1.6", "https://oat-1:8443", "", counts=True)
ENTRIES = {
    **{baseline_id(each): baseline_entry(each) for each in BASELINES},
    policy_id("oat-1", ""): policy_entry(PolicyOf("oat-1", "", POLICY)),
    server_id("oat-1"): server_entry(SERVER),
}
FIRST = EMPTY.after(EMPTY.patch(ENTRIES), NOON)
PLATFORM, VMM = (baseline_id(each) for each in BASELINES)
HOUR = timedelta(hours=1)


def values(found: SignedSet, now=NOON) -> set[str]:
    rules = found.reference.rules("oat-1", "az1", now)
    return {each.name for each in rules.baselines} if rules else set()


def test_entries_come_back_as_what_they_were() -> None:
    reference = FIRST.reference
    assert {each.key for each in reference.baselines} == {each.key for each in BASELINES}
    assert {each.id for each in reference.baselines} == {PLATFORM, VMM}
    assert reference.policies == {("oat-1", ""): POLICY}
    assert reference.servers == {"oat-1": SERVER}
    assert reference.counting == {"oat-1"}


def test_a_signed_document_opens_as_the_set_that_it_was() -> None:
    opened = open_set(FIRST.document, FIRST.signed(KEY), KEYS)
    assert (opened.number, opened.digest, opened.reference.policies) == (1, FIRST.digest, FIRST.reference.policies)


@given(st.data())
def test_no_changed_byte_opens(data) -> None:
    document = bytearray(FIRST.document)
    at = data.draw(st.integers(0, len(document) - 1))
    document[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidSet, match="signature"):
        open_set(bytes(document), FIRST.signed(KEY), KEYS)


@given(st.binary(max_size=300))
def test_what_is_no_set_of_ours_is_refused_even_if_it_is_signed(document: bytes) -> None:
    with pytest.raises(InvalidSet):
        open_set(document, KEY.sign(Purpose.SIGNED_SET, document), KEYS)


def test_another_form_of_the_same_content_is_refused() -> None:
    document = json.dumps(json.loads(FIRST.document), indent=1).encode()
    with pytest.raises(InvalidSet, match="canonical"):
        open_set(document, KEY.sign(Purpose.SIGNED_SET, document), KEYS)


def test_a_key_that_is_unknown_or_void_signs_nothing() -> None:
    signature = FIRST.signed(KEY)
    with pytest.raises(InvalidSet, match="not one of the public keys"):
        open_set(FIRST.document, signature, PublicKeys({}))
    with pytest.raises(InvalidSet, match="compromised"):
        open_set(FIRST.document, signature, KEYS.with_all_void())
    with pytest.raises(SigningError, match="compromised"):
        KEYS.with_all_void().with_key(KEY.public)


def test_a_signature_for_another_purpose_is_none() -> None:
    with pytest.raises(InvalidSet):
        open_set(FIRST.document, KEY.sign(Purpose.AUDIT_HEAD, FIRST.document), KEYS)
    with pytest.raises(InvalidSet):
        open_set(FIRST.document, Signature(KEY.key_id, b""), KEYS)


def test_public_keys_are_read_as_they_were_written_and_void_wins() -> None:
    assert PublicKeys.parse(KEYS.text()).keys == KEYS.keys
    both = KEYS.text() + KEYS.with_all_void().text() + KEYS.text()
    assert PublicKeys.parse(both).keys == KEYS.with_all_void().keys


@pytest.mark.parametrize(
    "text", ["x", "a b c", "{key} AAAA valid", "{key} AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= valid"]
)
def test_a_file_of_keys_that_holds_something_else_is_refused(text: str) -> None:
    with pytest.raises(SigningError):
        PublicKeys.parse(text.format(key=KEY.key_id))


def test_patches_of_different_entries_do_not_disturb_each_other() -> None:
    retire, keep = FIRST.patch({PLATFORM: None}), FIRST.patch({server_id("oat-1"): {**ENTRIES["server:oat-1"]}})
    assert keep.changes == {}  # nothing changes by it
    other = FIRST.patch({server_id("oat-1"): server_entry(replace(SERVER, counts=False))})
    after = FIRST.after(retire, NOON).after(other, NOON)
    assert after.number == 3
    assert after.reference.counting == frozenset()
    assert PLATFORM not in after.entries


def test_a_patch_of_what_changed_meanwhile_is_outdated() -> None:
    patch = FIRST.patch({PLATFORM: None})
    second = FIRST.after(FIRST.patch({PLATFORM: {**ENTRIES[PLATFORM], "pools": ["az1"]}}), NOON)
    with pytest.raises(Outdated):
        second.after(patch, NOON)
    with pytest.raises(Outdated):
        FIRST.after(patch, NOON).after(patch, NOON)


def test_the_content_hash_covers_every_change_and_nothing_else() -> None:
    patch = FIRST.patch({PLATFORM: None})
    second = FIRST.after(FIRST.patch({VMM: None}), NOON)
    assert second.patch({PLATFORM: None}).content_hash == patch.content_hash
    assert FIRST.patch({VMM: None}).content_hash != patch.content_hash
    assert Patch(patch.changes, restores=True).content_hash != patch.content_hash
    assert Patch({PLATFORM: Change("0" * 64, None)}).content_hash != patch.content_hash
    assert Patch.read(json.loads(json.dumps(patch.stored()))).content_hash == patch.content_hash


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {},
        {"changes": {}},
        {"changes": {}, "restores": False},
        {"changes": {"baseline:a": {}}, "restores": False},
        {"changes": {"baseline:a": {"before": 1, "after": None}}, "restores": False},
        {"changes": {"baseline:a": {"before": None, "after": None}}, "restores": 1},
    ],
)
def test_what_is_no_patch_is_refused(stored: object) -> None:
    with pytest.raises(InvalidSet):
        Patch.read(stored)


def test_an_emergency_ends_by_itself_and_what_was_before_is_back() -> None:
    new = replace(BASELINES[1], name="VMM 2", values={17: b"a" * 20, 18: b"b" * 20})
    until = NOON + 4 * HOUR
    patch = FIRST.patch({baseline_id(new): baseline_entry(new), PLATFORM: None})
    urgent = FIRST.after(patch, NOON, emergency_until=until)
    assert values(urgent, until - HOUR) == {"VMM 1", "VMM 2"}
    assert values(urgent, until) == {"BIOS 1", "VMM 1"}


def test_an_emergency_can_be_made_to_last_in_the_ordinary_way() -> None:
    new = replace(BASELINES[1], name="VMM 2", values={17: b"a" * 20, 18: b"b" * 20})
    wanted = {baseline_id(new): baseline_entry(new)}
    urgent = FIRST.after(FIRST.patch(wanted), NOON, emergency_until=NOON + HOUR)
    lasting = urgent.after(urgent.patch(wanted), NOON)
    assert "VMM 2" in values(lasting, NOON + 2 * HOUR)


def test_an_emergency_on_top_of_an_emergency_is_refused() -> None:
    wanted = {PLATFORM: None}
    urgent = FIRST.after(FIRST.patch(wanted), NOON, emergency_until=NOON + HOUR)
    again = urgent.patch({PLATFORM: ENTRIES[PLATFORM]})
    with pytest.raises(InvalidSet, match="emergency"):
        urgent.after(again, NOON, emergency_until=NOON + HOUR)


def test_an_emergency_changes_neither_policies_nor_servers() -> None:
    patch = FIRST.patch({server_id("oat-1"): server_entry(replace(SERVER, counts=False))})
    with pytest.raises(InvalidSet, match="only baselines"):
        FIRST.after(patch, NOON, emergency_until=NOON + HOUR)


@pytest.mark.parametrize(
    ("id_", "change"),
    [
        (PLATFORM, {"values": {"0": "00"}}),
        (PLATFORM, {"values": {"10": "aa" * 20}}),
        (PLATFORM, {"values": {"0": "aa" * 20, "00": "bb" * 20}}),
        (PLATFORM, {"not_before": "2026-01-01T00:00:00"}),
        (PLATFORM, {"not_before": "soon"}),
        (PLATFORM, {"pools": "az1"}),
        (PLATFORM, {"name": "a\nb"}),
        (PLATFORM, {"more": 1}),
        (policy_id("oat-1", ""), {"validity_s": True}),
        (policy_id("oat-1", ""), {"validity_s": 10**9}),
        (policy_id("oat-1", ""), {"word_is_enough": 1}),
        (policy_id("oat-1", ""), {"pool": "another"}),
        (server_id("oat-1"), {"counts": "yes"}),
        (server_id("oat-1"), {"name": "oat-2"}),
        ("key:x", {}),
        ("baseline", {}),
    ],
)
def test_an_entry_that_cant_be_is_refused(id_: str, change: dict[str, object]) -> None:
    with pytest.raises(InvalidReference):
        read_entry(id_, {**ENTRIES.get(id_, {}), **change})


def test_a_set_with_an_entry_that_cant_be_is_never_made() -> None:
    with pytest.raises(InvalidSet):
        FIRST.after(Patch({PLATFORM: Change(entry_hash(ENTRIES[PLATFORM]), {"name": "x"})}), NOON)
