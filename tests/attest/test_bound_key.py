"""Which key is whose: entries of the signed set, read strictly, and worth nothing where two hosts have one key."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.attest.forge import Forge
from tests.factories import BASELINES, NOON, POLICY, evidence
from txt_dashboard.attest.appraisal import Match, appraise
from txt_dashboard.attest.bound_key import BoundKey, KeySource, bind
from txt_dashboard.attest.entries import (
    PolicyOf,
    key_entry,
    key_id,
    policy_entry,
    policy_id,
    read_entry,
)
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import InvalidReference, Policy, Rules
from txt_dashboard.attest.signed_set import EMPTY

RSA, P256 = Forge.rsa(), Forge.p256()
BOUND = bind("oat-1", "hv1", RSA.area, KeySource.LIST)
ID = key_id("oat-1", "hv1")


def reference(*bound: BoundKey):
    return EMPTY.after(EMPTY.patch({key_id(b.server, b.host): key_entry(b) for b in bound}), NOON).reference


def test_a_key_comes_back_as_the_one_that_was_approved() -> None:
    held = reference(BOUND).keys["oat-1", "hv1"]
    assert held == BOUND
    assert held.key is not None
    assert held.key.fingerprint == RSA.key().fingerprint
    assert not held.flaw


def test_a_key_without_a_tpms_description_is_held_as_der() -> None:
    pem = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    bound = bind("oat-1", "hv1", pem, KeySource.LIST)
    assert bound.public.startswith(b"\x30")
    assert bound.fingerprint == BOUND.fingerprint
    assert not bound.flaw


@pytest.mark.parametrize(
    "change",
    [
        {"host": "hv2"},
        {"server": "oat-2"},
        {"fingerprint": BOUND.fingerprint.upper()},
        {"fingerprint": ""},
        {"public": "AAAA\n"},
        {"public": ""},
        {"public": "no base64"},
        {"public": "A" * 4000},
        {"source": "somebody"},
        {"source": 1},
        {"more": True},
    ],
)
def test_what_is_not_exactly_an_entry_is_refused(change) -> None:
    with pytest.raises(InvalidReference):
        read_entry(ID, {**key_entry(BOUND), **change})


@pytest.mark.parametrize("host", ["", "hv1/hv2", "../hv1", "hv 1", "hv1\n", "x" * 254])
def test_no_key_is_bound_to_what_can_be_no_host(host: str) -> None:
    with pytest.raises(InvalidReference):
        read_entry(key_id("oat-1", host), key_entry(replace(BOUND, host=host)))


def test_bytes_that_are_another_key_than_the_fingerprint_names_prove_nothing() -> None:
    lying = replace(BOUND, fingerprint=P256.key().fingerprint)
    assert lying.key is None
    assert lying.flaw
    assert replace(BOUND, public=b"no key").flaw


def test_a_key_that_may_sign_anything_has_a_flaw() -> None:
    assert "not restricted" in bind("oat-1", "hv1", RSA.but(attributes=0x00040072).area, KeySource.LIST).flaw


def test_one_key_of_two_hosts_is_shared_and_one_host_of_two_servers_is_not() -> None:
    one_host = reference(BOUND, replace(BOUND, server="oat-2"))
    assert not one_host.shared_keys
    two = reference(BOUND, replace(BOUND, host="hv2"), bind("oat-1", "hv3", P256.area, KeySource.SERVER))
    assert two.shared_keys == {BOUND.fingerprint}
    assert two.bound("oat-1", "hv1") != one_host.bound("oat-1", "hv1")
    assert two.bound("oat-1", "hv9") == ""


def test_a_policy_asks_for_a_quote_only_where_it_says_so() -> None:
    must = Policy(POLICY.requirements, POLICY.validity, must_quote=True)
    plain, asking = (policy_entry(PolicyOf("oat-1", "", policy)) for policy in (POLICY, must))
    assert "voucher" not in plain
    assert read_entry(policy_id("oat-1", ""), asking).policy == must
    assert read_entry(policy_id("oat-1", ""), {**plain, "voucher": "word"}).policy == POLICY
    for odd in ("", "both", 1, None):
        with pytest.raises(InvalidReference):
            read_entry(policy_id("oat-1", ""), {**plain, "voucher": odd})
    assert Rules(must, BASELINES).key != Rules(POLICY, BASELINES).key


def test_where_a_quote_is_asked_for_no_word_makes_a_host_trusted() -> None:
    must = Rules(Policy(POLICY.requirements, POLICY.validity, must_quote=True), BASELINES)
    by_word = appraise(evidence(), must)
    assert (by_word.match, by_word.finding.reason) == (Match.UNDETERMINED, Reason.QUOTE_MISSING)
    assert appraise(evidence(voucher=Voucher.QUOTE), must).match is Match.TRUSTED
    assert appraise(evidence({18: b"x" * 20}), must).match is Match.UNTRUSTED


def test_a_policy_that_asks_for_a_quote_is_not_content_with_a_word() -> None:
    for requirements in (POLICY.requirements, ()):
        with pytest.raises(InvalidReference):
            Policy(requirements, POLICY.validity, word_is_enough=True, must_quote=True)


def test_a_key_of_a_tpm12_is_another_entry_and_another_binding() -> None:
    spki = RSA.key().public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    old, new = (bind("oat-1", "hv1", spki, KeySource.LIST, tpm12=tpm12) for tpm12 in (True, False))
    assert read_entry(ID, key_entry(old)) == old
    assert "tpm" not in key_entry(new)
    assert reference(old).bound("oat-1", "hv1") != reference(new).bound("oat-1", "hv1")
    assert old.flaw == ""
    with pytest.raises(InvalidReference):
        read_entry(ID, {**key_entry(old), "tpm": "2.0"})


@pytest.mark.parametrize("forge", [RSA, P256])
def test_what_describes_itself_as_a_tpm20s_key_is_none_of_a_tpm12(forge: Forge) -> None:
    assert "A TPM 1.2 has no such key".lower() in bind("s", "h", forge.area, KeySource.LIST, tpm12=True).flaw.lower()
    spki = P256.key().public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert bind("s", "h", spki, KeySource.LIST, tpm12=True).flaw
