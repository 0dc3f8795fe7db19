"""Verification: every step fails for its own reason, nothing hides a failure, and no changed bit is accepted."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.forge import ECDSA, NONCE, RSAPSS, RSASSA, SOUND, Forge, ec_key, rsa_key, sha1, tpm2b, value, values
from tests.attest.forge12 import Forge12
from txt_dashboard.attest.keys import AttestationKey
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, Proof, Quote, Verification, VerifiedPcrs, verify, verify_tpm12
from txt_dashboard.attest.steps import Outcome, Step, StepReason
from txt_dashboard.attest.tpm_types import Counters

RSA, P256 = Forge.rsa(), Forge.p256()
GOOD = [
    RSA,
    P256,
    Forge.rsa(3072),
    Forge.rsa(4096),
    Forge(rsa_key(), RSAPSS),
    Forge(rsa_key(), RSASSA, "sha512"),
    Forge(ec_key(ec.SECP384R1), ECDSA, "sha384"),
    RSA.but(selection={"sha1": (0, 23), "sha256": (17, 18), "sha384": (0,), "sha512": (7,)}),
    RSA.but(selection={"sha256": (4,), "sha1": ()}),
]


def judged(forge: Forge, **demand: object) -> Verification:
    return verify(forge.quote(), forge.key(), replace(forge.demand(), **demand))


def failed(verification: Verification) -> dict[Step, list[StepReason]]:
    return {
        result.step: [finding.reason for finding in result.findings]
        for result in verification.steps
        if result.outcome is Outcome.FAIL
    }


@pytest.mark.parametrize("forge", GOOD)
def test_a_good_quote_proves_exactly_the_signed_registers(forge: Forge) -> None:
    verification = judged(forge)
    assert verification.accepted
    assert not failed(verification)
    assert verification.pcrs is not None
    chosen = {bank: indexes for bank, indexes in forge.selection.items() if indexes}
    assert verification.pcrs.registers == values(chosen)
    assert verification.pcrs.counters == Counters(5, 1, 1000)


def test_all_ten_steps_are_told_in_order_and_the_last_three_are_not_judged() -> None:
    steps = judged(RSA).steps
    assert [result.step for result in steps] == list(Step)
    assert [result.outcome for result in steps] == [Outcome.PASS] * 7 + [Outcome.NOT_REACHED] * 3
    assert all(result.reason for result in steps)


BROKEN = [
    (RSA.but(attributes=SOUND & ~(1 << 16)), Step.KEY, StepReason.KEY_ATTRIBUTES),
    (RSA.but(magic=0xFF544348), Step.STRUCTURE, StepReason.STRUCTURE_MAGIC),
    (RSA.but(kind=0x8017), Step.STRUCTURE, StepReason.STRUCTURE_TYPE),
    (RSA.but(trailing=b"\x00"), Step.STRUCTURE, StepReason.STRUCTURE_TRAILING),
    (RSA.but(safe=7), Step.STRUCTURE, StepReason.STRUCTURE_UNREADABLE),
    (RSA.but(nonce=NONCE[:-1]), Step.NONCE, StepReason.NONCE_DIFFERS),
    (RSA.but(nonce=NONCE + b"\x00"), Step.NONCE, StepReason.NONCE_DIFFERS),
    (RSA.but(nonce=b""), Step.NONCE, StepReason.NONCE_DIFFERS),
    (RSA.but(selection={"sha256": tuple(range(7))}), Step.SELECTION, StepReason.SELECTION_DIFFERS),
    (RSA.but(selection={"sha256": tuple(range(9))}), Step.SELECTION, StepReason.SELECTION_DIFFERS),
    (RSA.but(selection={"sha1": tuple(range(8))}), Step.SELECTION, StepReason.SELECTION_DIFFERS),
    (RSA.but(selection={}), Step.SELECTION, StepReason.SELECTION_DIFFERS),
    (RSA.but(digest=bytes(32)), Step.DIGEST, StepReason.DIGEST_DIFFERS),
    (RSA.but(digest=b""), Step.DIGEST, StepReason.DIGEST_DIFFERS),
]


@pytest.mark.parametrize(("forge", "step", "reason"), BROKEN)
def test_each_broken_rule_is_the_only_failure(forge: Forge, step: Step, reason: StepReason) -> None:
    verification = verify(forge.quote(), forge.key(), RSA.demand())
    assert failed(verification) == {step: [reason]}
    assert verification.pcrs is None


@given(
    st.lists(st.sampled_from(["key", "signature", "magic", "trailing", "nonce", "selection", "digest"]), unique=True)
)
def test_no_failure_hides_another(broken: list[str]) -> None:
    changes: dict[str, object] = {
        "key": {"attributes": SOUND | 1 << 17},
        "magic": {"magic": 0},
        "trailing": {"trailing": b"x"},
        "nonce": {"nonce": bytes(20)},
        "selection": {"selection": {"sha256": (0,)}},
        "digest": {"digest": bytes(32)},
    }
    forge = RSA
    for each in broken:
        forge = forge.but(**changes.get(each, {}))
    quote = forge.quote()
    if "signature" in broken:
        quote = replace(quote, signature=RSA.but(nonce=b"other").quote().signature)
    verification = verify(quote, forge.key(), RSA.demand())
    expected = {"structure" if each in ("magic", "trailing") else each for each in broken}
    assert {step.value for step in failed(verification)} == expected
    assert verification.accepted is not bool(broken)


@pytest.mark.parametrize("forge", [RSA, P256, Forge(rsa_key(), RSAPSS)])
@given(data=st.data())
def test_no_flipped_bit_is_accepted(forge: Forge, data: st.DataObject) -> None:
    quote, key, demand = CACHED[forge.scheme]
    part = data.draw(st.sampled_from(["message", "signature"]))
    whole = bytearray(getattr(quote, part))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    verification = verify(replace(quote, **{part: bytes(whole)}), key, demand)
    assert not verification.accepted
    assert Step.SIGNATURE in failed(verification)


CACHED = {each.scheme: (each.quote(), each.key(), each.demand()) for each in (RSA, P256, Forge(rsa_key(), RSAPSS))}


@pytest.mark.parametrize("forge", [RSA, P256])
def test_no_flipped_bit_of_the_message_is_accepted_exhaustively(forge: Forge) -> None:
    quote, key, demand = CACHED[forge.scheme]
    for bit in range(8 * len(quote.message)):
        message = bytearray(quote.message)
        message[bit // 8] ^= 1 << bit % 8
        assert not verify(replace(quote, message=bytes(message)), key, demand).accepted


@given(message=st.binary(max_size=200), signature=st.binary(max_size=300), reported=st.binary(max_size=70))
def test_whatever_a_host_sends_is_judged_and_never_raises(message: bytes, signature: bytes, reported: bytes) -> None:
    quote = Quote(message, signature, {Bank.SHA256: {0: reported}})
    verification = verify(quote, CACHED[RSASSA][1], RSA.demand())
    assert not verification.accepted
    assert all(result.reason for result in verification.steps)


def test_the_signature_of_another_key_is_refused() -> None:
    other = RSA.but(private=rsa_key(3072))
    assert failed(verify(RSA.quote(), other.key(), RSA.demand())) == {Step.SIGNATURE: [StepReason.SIGNATURE_INVALID]}


@pytest.mark.parametrize(
    ("signer", "key"),
    [
        (RSA, P256.key()),
        (P256, RSA.key()),
        (RSA, Forge(rsa_key(), RSAPSS).key()),
        (RSA, Forge(rsa_key(), RSASSA, "sha384").key()),
        (P256, AttestationKey(rsa_key().public_key())),
        (RSA, AttestationKey(ec_key().public_key())),
    ],
)
def test_a_scheme_that_is_not_the_keys_is_refused(signer: Forge, key: AttestationKey) -> None:
    assert failed(verify(signer.quote(), key, signer.demand())) == {Step.SIGNATURE: [StepReason.SIGNATURE_SCHEME]}


def test_a_description_whose_scheme_is_not_for_its_kind_of_key_verifies_nothing() -> None:
    confused = RSA.but(scheme=ECDSA)
    quote = replace(RSA.quote(), signature=P256.quote().signature)
    found = failed(verify(quote, confused.key(), RSA.demand()))
    assert found[Step.SIGNATURE] == [StepReason.SIGNATURE_SCHEME]


def test_sha1_signs_only_where_it_is_allowed() -> None:
    forge = RSA.but(hash="sha1")
    assert failed(judged(forge)) == {Step.SIGNATURE: [StepReason.SIGNATURE_WEAK]}
    allowed = judged(forge, allow_sha1=True)
    assert allowed.accepted
    assert allowed.result(Step.SIGNATURE).outcome is Outcome.WARN


def test_the_digest_is_made_with_the_signatures_hash_not_the_banks() -> None:
    forge = Forge(rsa_key(), RSASSA, "sha384", selection={"sha256": (0, 1)})
    assert judged(forge).accepted
    with_the_banks_hash = forge.but(digest=forge.but(hash="sha256").pcr_digest)
    assert failed(judged(with_the_banks_hash)) == {Step.DIGEST: [StepReason.DIGEST_DIFFERS]}


def test_a_bank_named_twice_is_refused() -> None:
    half = RSA.but(selection={"sha256": (0,)}).message
    selection = half[-(34 + 6) : -34]
    message = half[: -(34 + 10)] + b"\x00\x00\x00\x02" + selection * 2 + half[-34:]
    quote = Quote(message, RSA.sign(message), values({"sha256": (0,)}))
    found = failed(verify(quote, RSA.key(), Demand(NONCE, {Bank.SHA256: frozenset({0})})))
    assert found[Step.SELECTION] == [StepReason.SELECTION_TWICE]


def test_registers_reported_beside_the_signed_ones_prove_nothing() -> None:
    quote = replace(RSA.quote(), reported=values({"sha256": range(24), "sha1": range(24)}))
    verification = verify(quote, RSA.key(), RSA.demand())
    assert verification.pcrs is not None
    assert verification.pcrs.registers == values({"sha256": range(8)})


def test_bytes_can_t_move_from_one_register_to_another() -> None:
    forge = RSA.but(selection={"sha256": (0, 1)})
    shifted = {Bank.SHA256: {0: value("sha256", 0) + value("sha256", 1), 1: b""}}
    found = verify(replace(forge.quote(), reported=shifted), forge.key(), forge.demand())
    assert failed(found) == {Step.DIGEST: [StepReason.DIGEST_MISSING]}
    assert "sha256:0,1" in found.result(Step.DIGEST).reason


@pytest.mark.parametrize("reported", [{}, {Bank.SHA1: {0: bytes(20)}}, {Bank.SHA256: {0: bytes(32)}}])
def test_a_signed_register_without_a_value_is_named(reported) -> None:
    found = verify(replace(RSA.quote(), reported=reported), RSA.key(), RSA.demand())
    assert failed(found) == {Step.DIGEST: [StepReason.DIGEST_MISSING]}


def test_a_demand_that_asks_nothing_is_answered_by_nothing() -> None:
    assert failed(judged(RSA.but(nonce=b""))) == {Step.NONCE: [StepReason.NONCE_NONE]}
    for nothing in ({}, {Bank.SHA256: frozenset()}):
        found = judged(RSA.but(selection={}), selection=nothing)
        assert failed(found) == {Step.SELECTION: [StepReason.SELECTION_NONE]}


def test_a_short_nonce_is_a_warning() -> None:
    verification = judged(RSA.but(nonce=b"12345678"))
    assert verification.accepted
    assert verification.result(Step.NONCE).outcome is Outcome.WARN


def test_a_fallen_counter_is_told_and_left_to_the_appraisal() -> None:
    verification = judged(RSA, last_seen=Counters(6, 0, 0))
    assert verification.accepted
    assert [finding.reason for finding in verification.counters] == [StepReason.COUNTERS_RESET_FELL]


def test_nobody_else_makes_verified_registers() -> None:
    with pytest.raises(TypeError):
        VerifiedPcrs(values({"sha256": range(8)}), None, object())
    proven = judged(RSA).pcrs
    assert proven is not None
    with pytest.raises((TypeError, ValueError)):
        replace(proven, registers={})
    with pytest.raises(AttributeError):
        proven.registers = {}
    with pytest.raises(TypeError):
        proven.registers[Bank.SHA256][0] = bytes(32)


def judged12(forge: Forge12, demand: Demand | None = None, **changes: object) -> Verification:
    return verify_tpm12(replace(forge.quote(), **changes), forge.key(), demand or Forge12().demand())


def test_a_tpm12_quote_proves_its_composite() -> None:
    verification = judged12(Forge12())
    assert verification.pcrs is not None
    assert verification.pcrs.registers == {Bank.SHA1: dict(Forge12().values)}
    assert verification.pcrs.counters is None
    assert verification.result(Step.SIGNATURE).outcome is Outcome.WARN
    assert verification.result(Step.COUNTERS).outcome is Outcome.NOT_REACHED


def test_a_nonce_that_has_not_20_bytes_is_in_a_tpm12_quote_as_its_hash() -> None:
    nonce = b"sixteen bytes ok"
    hashed = Forge12().but(nonce=sha1(nonce))
    demand = replace(hashed.demand(), nonce=nonce)
    assert judged12(hashed, demand).result(Step.NONCE).findings[0].reason is StepReason.NONCE_HASHED
    assert failed(judged12(hashed, replace(demand, nonce=nonce[:-1]))) == {Step.NONCE: [StepReason.NONCE_DIFFERS]}
    assert failed(judged12(hashed, replace(demand, nonce=b""))) == {Step.NONCE: [StepReason.NONCE_NONE]}


@pytest.mark.parametrize(
    ("forge", "changes", "step", "reason"),
    [
        (Forge12(head=b"\x01\x01\x00\x00QUOX"), {}, Step.STRUCTURE, StepReason.STRUCTURE_UNREADABLE),
        (Forge12(), {"signature": bytes(256)}, Step.SIGNATURE, StepReason.SIGNATURE_INVALID),
        (Forge12(), {"signature": b""}, Step.SIGNATURE, StepReason.SIGNATURE_INVALID),
        (Forge12(nonce=bytes(20)), {}, Step.NONCE, StepReason.NONCE_DIFFERS),
        (Forge12({0: bytes(20)}), {}, Step.SELECTION, StepReason.SELECTION_DIFFERS),
        (Forge12(digest=b"\x01" * 20), {}, Step.DIGEST, StepReason.DIGEST_DIFFERS),
        (Forge12(), {"composite": b"\x00\x03"}, Step.STRUCTURE, StepReason.STRUCTURE_COMPOSITE),
        (
            Forge12(),
            {"reported": {0: bytes(20), 17: bytes(20), 18: bytes(20)}},
            Step.DIGEST,
            StepReason.DIGEST_DIFFERS,
        ),
        (Forge12(), {"reported": {}}, Step.DIGEST, StepReason.DIGEST_MISSING),
    ],
)
def test_each_broken_rule_of_a_tpm12_quote(
    forge: Forge12, changes: dict[str, object], step: Step, reason: StepReason
) -> None:
    verification = judged12(forge, **changes)
    assert failed(verification) == {step: [reason]}
    assert not verification.accepted


@given(data=st.data())
def test_no_flipped_bit_of_a_tpm12_quote_is_accepted(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(["message", "signature", "composite"]))
    whole = bytearray(getattr(QUOTE12, part))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    changed = replace(QUOTE12, **{part: bytes(whole)})
    assert not verify_tpm12(changed, Forge12().key(), Forge12().demand()).accepted


QUOTE12 = Forge12().quote()


@given(message=st.binary(max_size=60), signature=st.binary(max_size=260), composite=st.binary(max_size=100))
def test_whatever_a_host_with_a_tpm12_sends_is_judged(message: bytes, signature: bytes, composite: bytes) -> None:
    quote = replace(QUOTE12, message=message, signature=signature, composite=composite)
    assert not verify_tpm12(quote, Forge12().key(), Forge12().demand()).accepted


def test_a_tpm2_signature_structure_is_no_tpm12_signature() -> None:
    forge = Forge12()
    wrapped = b"\x00\x14\x00\x04" + tpm2b(forge.quote().signature)
    assert Step.SIGNATURE in failed(judged12(forge, signature=wrapped))


@pytest.mark.parametrize("step", Proof._fields)
def test_a_step_without_a_finding_proves_nothing(step: str) -> None:
    proof = judged(RSA).proof
    assert proof.stands
    assert not proof._replace(**{step: ()}).stands
