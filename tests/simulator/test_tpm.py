"""The simulated TPM: its keys are sound, its own, and the same after each start; its quotes are verified by us."""

import pytest

from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, verify
from txt_dashboard.attest.quote import Quote as Sent
from txt_dashboard.attest.steps import Outcome, Step
from txt_dashboard.simulator import tpm
from txt_dashboard.simulator.tpm import Counters, p256_key, public_area, quote, rsa_key

NONCE = bytes(range(32))
VALUES = {Bank.SHA1: {0: b"a" * 20, 17: b"b" * 20}, Bank.SHA256: {0: b"c" * 32, 23: b"d" * 32}}
SELECTIONS = [{Bank.SHA1: (0, 17)}, {Bank.SHA256: (0, 23)}, {Bank.SHA256: (23,), Bank.SHA1: (0,)}]


@pytest.mark.parametrize("make", [rsa_key, p256_key])
def test_a_key_is_an_attestation_key_by_its_own_description(make):
    key = load_key(public_area(make(1, 0)))
    assert [finding.reason.outcome for finding in key.findings] == [Outcome.PASS]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("make", [rsa_key, p256_key])
def test_a_quote_is_accepted_at_every_step(make, selection):
    signed = quote(make(1, 0), NONCE, selection, VALUES, Counters(3, 1000))
    demand = Demand(NONCE, {bank: frozenset(indexes) for bank, indexes in selection.items()})
    verification = verify(Sent(signed.message, signed.signature, VALUES), load_key(public_area(make(1, 0))), demand)
    assert verification.accepted
    assert {verification.result(step).outcome for step in list(Step)[:7]} == {Outcome.PASS}
    assert verification.pcrs.counters == (3, 0, 1000)


def test_each_host_has_a_key_of_its_own_that_follows_from_the_seed():
    keys = [make(seed, number) for make in (rsa_key, p256_key) for seed, number in ((1, 0), (1, 1), (1, 32), (2, 0))]
    assert len({public_area(key) for key in keys}) == len(keys)
    again = tpm.rsa_key.__wrapped__(1, 0), tpm.p256_key.__wrapped__(1, 0)
    assert [public_area(key) for key in again] == [public_area(rsa_key(1, 0)), public_area(p256_key(1, 0))]


def test_the_made_primes_are_prime():
    numbers = rsa_key(1, 0).private_numbers()
    assert (numbers.p.bit_length(), numbers.q.bit_length(), numbers.public_numbers.n.bit_length()) == (
        1024,
        1024,
        2048,
    )
    assert all(pow(base, prime - 1, prime) == 1 for prime in (numbers.p, numbers.q) for base in (11, 13, 17))


def test_a_signature_of_another_hosts_key_is_refused():
    signed = quote(p256_key(1, 0), NONCE, SELECTIONS[0], VALUES, Counters(3, 1000))
    demand = Demand(NONCE, {Bank.SHA1: frozenset({0, 17})})
    sent = Sent(signed.message, signed.signature, VALUES)
    assert not verify(sent, load_key(public_area(p256_key(1, 1))), demand).accepted
