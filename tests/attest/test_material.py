"""From a quote to evidence: only what the approved key signed vouches for registers, and no word stands in for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.forge import Forge, value
from tests.attest.forge12 import Forge12
from txt_dashboard.attest.appraisal import Match, appraise
from txt_dashboard.attest.evidence import UNPROVEN, Evidence, Verdict, Voucher
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.material import Binding, Material, bindings, prove, shown_key
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, Quote
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement, Rules
from txt_dashboard.attest.steps import Outcome, Step
from txt_dashboard.attest.tpm_types import Counters

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
RSA, P256 = Forge.rsa(), Forge.p256()
WORD = Evidence(Verdict.TRUSTED, NOON, {Bank.SHA256: {0: b"w" * 32}}, details={"vmm": "trusted"})
MINE = Binding(RSA.key())


def material(forge: Forge = RSA, **changes: object) -> Material:
    return replace(Material(forge.quote(), forge.area, NOON), **changes)


def test_an_accepted_quote_vouches_for_the_registers_and_the_server_for_its_verdict() -> None:
    proven = prove(WORD, material(), MINE, RSA.demand())
    assert proven.verification is not None
    assert proven.verification.accepted
    evidence = proven.evidence
    assert (evidence.verdict, evidence.voucher, evidence.finding) == (Verdict.TRUSTED, Voucher.QUOTE, None)
    assert evidence.registers == {Bank.SHA256: {index: value("sha256", index) for index in range(8)}}
    assert evidence.details == WORD.details


def test_it_is_as_old_as_the_older_of_both_answers() -> None:
    older = NOON - timedelta(seconds=9)
    for said, shown in ((NOON, older), (older, NOON)):
        proven = prove(replace(WORD, attested_at=said), material(attested_at=shown), MINE, RSA.demand())
        assert proven.evidence.attested_at == older


def test_what_the_server_said_against_its_own_registers_does_not_concern_proven_ones() -> None:
    said = replace(WORD, registers={}, finding=Finding(Reason.REPORT_OLDER))
    assert prove(said, material(), MINE, RSA.demand()).evidence.finding is None


@pytest.mark.parametrize(
    ("binding", "sent", "reason"),
    [
        (Binding(), material(), Reason.TPM_KEY_MISSING),
        (Binding(RSA.key(), is_shared=True), material(), Reason.TPM_KEY_SHARED),
        (MINE, material(P256), Reason.TPM_IDENTITY_CHANGED),
        (MINE, material(P256, public=RSA.area), Reason.QUOTE_REJECTED),
        (MINE, material(P256, public=b"no key"), Reason.QUOTE_REJECTED),
        (MINE, material(RSA.but(nonce=bytes(20))), Reason.QUOTE_REJECTED),
        (MINE, material(RSA.but(selection={"sha256": (0,)})), Reason.QUOTE_REJECTED),
        (MINE, material(quote=Quote(b"", b"", {})), Reason.QUOTE_REJECTED),
        (Binding(RSA.but(attributes=0x00040072).key()), material(), Reason.QUOTE_REJECTED),
    ],
)
def test_what_proves_nothing_leaves_no_registers_and_says_why(
    binding: Binding, sent: Material, reason: Reason
) -> None:
    evidence = prove(WORD, sent, binding, RSA.demand()).evidence
    assert evidence.finding is not None
    assert (evidence.finding.reason, evidence.registers, evidence.voucher) == (reason, {}, Voucher.QUOTE)
    assert str(evidence.finding)


def test_a_rejection_names_what_failed() -> None:
    sent = material(RSA.but(nonce=bytes(20)))
    evidence = prove(WORD, sent, MINE, RSA.demand()).evidence
    assert str(evidence.finding) == (
        "The quote proves nothing: The quote answers another nonce: it may be an old one."
    )


def test_the_key_that_is_shown_beside_the_quote_verifies_nothing() -> None:
    sent = material(P256)
    key = shown_key(sent)
    assert key is not None
    assert key.fingerprint == P256.key().fingerprint
    assert not prove(WORD, sent, Binding(), P256.demand()).evidence.registers


def test_the_approved_key_proves_whatever_is_shown_beside_the_quote() -> None:
    assert prove(WORD, material(public=P256.area), MINE, RSA.demand()).evidence.finding is None


@pytest.mark.parametrize("last", [Counters(6, 1, 1), Counters(5, 2, 1), Counters(5, 1, 1000)])
def test_counters_that_went_back_keep_signed_values_from_being_believed(last: Counters) -> None:
    proven = prove(WORD, material(), MINE, replace(RSA.demand(), last_seen=last))
    assert proven.verification is not None
    assert proven.verification.result(Step.COUNTERS).outcome is Outcome.WARN
    assert proven.evidence.finding is not None
    assert proven.evidence.finding.reason is Reason.TPM_ROLLED_BACK
    assert proven.evidence.registers


def test_a_key_under_two_names_is_bound_to_neither() -> None:
    bound = bindings({"hv1": RSA.key(), "hv2": P256.key(), "hv3": load_key(RSA.area)})
    assert {host: each.is_shared for host, each in bound.items()} == {"hv1": True, "hv2": False, "hv3": True}


def rules(*, word_is_enough: bool) -> Rules:
    need = Requirement(Part.PLATFORM, Bank.SHA256, frozenset(range(8)))
    golden = {index: value("sha256", index) for index in range(8)}
    baseline = Baseline("golden", Part.PLATFORM, Bank.SHA256, golden)
    return Rules(Policy((need,), timedelta(minutes=2), word_is_enough), (baseline,))


@pytest.mark.parametrize("reason", sorted(UNPROVEN, key=lambda reason: reason.code))
@pytest.mark.parametrize("word_is_enough", [True, False])
def test_no_word_stands_in_for_a_quote_that_proves_nothing(reason: Reason, word_is_enough: bool) -> None:
    evidence = replace(WORD, registers={}, finding=Finding(reason), voucher=Voucher.QUOTE)
    kept = replace(evidence, registers={Bank.SHA256: {index: value("sha256", index) for index in range(8)}})
    for each in (evidence, kept):
        result = appraise(each, rules(word_is_enough=word_is_enough))
        assert (result.match, result.finding.reason) == (Match.UNDETERMINED, reason)


def test_proven_registers_that_match_are_trusted() -> None:
    evidence = prove(WORD, material(), MINE, RSA.demand()).evidence
    assert appraise(evidence, rules(word_is_enough=False)).match is Match.TRUSTED


@given(message=st.binary(max_size=200), signature=st.binary(max_size=300), public=st.binary(max_size=400))
def test_whatever_is_passed_on_is_judged_and_never_raises(message: bytes, signature: bytes, public: bytes) -> None:
    sent = Material(Quote(message, signature, {Bank.SHA256: {0: message[:32]}}), public, NOON)
    evidence = prove(WORD, sent, MINE, RSA.demand()).evidence
    assert evidence.registers == {}
    assert evidence.finding is not None
    assert str(evidence.finding).isprintable()


OLD = Forge12()
OLD_MATERIAL = Material(OLD.quote(), b"", NOON)


def test_a_tpm12s_quote_proves_by_a_key_that_was_approved_as_one_of_a_tpm12() -> None:
    proven = prove(WORD, OLD_MATERIAL, Binding(OLD.key(), tpm12=True), OLD.demand())
    assert proven.evidence.voucher is Voucher.QUOTE
    assert proven.evidence.registers == {Bank.SHA1: dict(OLD.values)}


@pytest.mark.parametrize(
    ("sent", "binding", "demand"),
    [
        (OLD_MATERIAL, Binding(OLD.key()), OLD.demand()),
        (material(), Binding(RSA.key(), tpm12=True), RSA.demand()),
    ],
    ids=["a TPM 2.0's key signed what looks like a quote of a TPM 1.2", "the other way round"],
)
def test_a_quote_in_the_form_of_the_other_tpm_proves_nothing(
    sent: Material, binding: Binding, demand: Demand
) -> None:
    """A restricted key of a TPM 2.0 signs any message that does not begin as its own: a QUOTE_INFO, too."""
    proven = prove(WORD, sent, binding, demand)
    assert proven.evidence.registers == {}
    assert proven.evidence.finding is not None
    assert proven.evidence.finding.reason is Reason.QUOTE_REJECTED
    assert "another TPM's" in str(proven.evidence.finding)
