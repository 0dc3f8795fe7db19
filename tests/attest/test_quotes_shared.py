"""Quotes of real and software TPMs, and signed attacks: every good one accepted, every other for the right reason.

Needs the shared test data: its place is `TXT_SHARED_DATA`, by default `../shared/data` beside the checkout.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.forge import sha1
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.offline_verify import parse_registers
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.quote import Demand, Quote, Tpm12Quote, Verification, verify, verify_tpm12
from txt_dashboard.attest.steps import Outcome, Step, StepReason
from txt_dashboard.attest.tpm_types import Counters, parse_attest, parse_signature

pytestmark = pytest.mark.shared

DATA = Path(os.environ.get("TXT_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "tpm"


def rows(file: str, *path: str) -> list[Any]:
    """The list at `path` of a JSON file; empty without the data, which the first test then tells."""
    if not (DATA / file).is_file():
        return []
    found = json.loads((DATA / file).read_text())
    for key in path:
        found = found[key]
    return found


def read(name: str) -> bytes:
    return (DATA / name).read_bytes()


def failures(verification: Verification) -> dict[str, list[StepReason]]:
    return {
        result.step.value: [finding.reason for finding in result.findings]
        for result in verification.steps
        if result.outcome is Outcome.FAIL
    }


def whole(registers: Registers) -> dict[Bank, frozenset[int]]:
    return {bank: frozenset(values) for bank, values in registers.items()}


def test_the_shared_data_is_there() -> None:
    assert DATA.is_dir(), (
        f"the shared test data is missing at {DATA}: set TXT_SHARED_DATA to the folder that holds tpm/"
    )


ATTACKS = {
    "bad_magic": {"structure": [StepReason.STRUCTURE_MAGIC]},
    "bad_type_certify": {"structure": [StepReason.STRUCTURE_TYPE]},
    "bad_nonce": {"nonce": [StepReason.NONCE_DIFFERS]},
    "short_nonce": {"nonce": [StepReason.NONCE_DIFFERS]},
    "empty_nonce": {"nonce": [StepReason.NONCE_DIFFERS]},
    "pcr_mask_masquerade": {
        "selection": [StepReason.SELECTION_DIFFERS],
        "digest": [StepReason.DIGEST_DIFFERS],
    },
    "subset_selection": {"selection": [StepReason.SELECTION_DIFFERS]},
    "empty_selection": {"selection": [StepReason.SELECTION_DIFFERS]},
    "bad_pcrdigest": {"digest": [StepReason.DIGEST_DIFFERS]},
    "trailing_bytes": {"structure": [StepReason.STRUCTURE_TRAILING]},
    "truncated_attest": {"structure": [StepReason.STRUCTURE_UNREADABLE]},
    "sig_over_other": {"signature": [StepReason.SIGNATURE_INVALID]},
    "ecdsa_swapped": {"signature": [StepReason.SIGNATURE_INVALID]},
    "wrong_key": {"signature": [StepReason.SIGNATURE_SCHEME]},
    "weak_hash_sha1": {"signature": [StepReason.SIGNATURE_WEAK], "digest": [StepReason.DIGEST_DIFFERS]},
    "sig_hash_field_lies": {"signature": [StepReason.SIGNATURE_INVALID], "digest": [StepReason.DIGEST_DIFFERS]},
    "unknown_sig_alg": {"signature": [StepReason.SIGNATURE_UNREADABLE]},
}
WARNINGS = {
    "clock.safe=0": StepReason.COUNTERS_UNSAFE,
    "resetCount regressed vs 7": StepReason.COUNTERS_RESET_FELL,
    "restartCount 0->3": StepReason.COUNTERS_RESTARTED,
}


@pytest.mark.parametrize("case", rows("attacks/cases.json", "quotes"), ids=lambda case: case["name"])
def test_attacks_are_refused_for_their_reason_and_controls_accepted(case: dict[str, Any]) -> None:
    cases = json.loads(read("attacks/cases.json"))
    last = cases["last_seen"]
    demand = Demand(
        bytes.fromhex(case["nonce"]),
        {Bank(bank): frozenset(indexes) for bank, indexes in cases["required_selection"].items()},
        Counters(last["resetCount"], last["restartCount"], last["clock"]),
    )
    name = case["name"]
    reported = parse_registers(read("attacks/pcrs.json"))
    quote = Quote(read(f"attacks/{name}.attest"), read(f"attacks/{name}.sig"), reported)
    verification = verify(quote, load_key(read(f"attacks/ak_{case['key']}.pem")), demand)
    assert verification.accepted is case["accept"]
    assert failures(verification) == ATTACKS.get(name, {})
    counters = [finding.reason for finding in verification.counters]
    if "warn" in case:
        assert WARNINGS[case["warn"]] in counters
    elif case["accept"]:
        assert counters == [StepReason.COUNTERS_STEADY]


VECTOR_STEPS = {
    "nonce": {"nonce"},
    "signature": {"signature"},
    "parse_or_signature": {"signature"},
    "trailing_bytes": {"structure"},
    "attest_type": {"structure"},
    "magic": {"structure"},
    "policy_missing_pcrs": {"selection"},
    "parse": {"structure"},
}


@pytest.mark.parametrize("form", ["tpm2b_public", "pem"])
@pytest.mark.parametrize("row", rows("vectors/manifest.json", "vectors"), ids=lambda row: row["id"])
def test_a_software_tpms_quotes(row: dict[str, Any], form: str) -> None:
    reported = parse_registers(json.dumps(row["pcrs"]).encode())
    required = row.get("policy_selection") or {bank: list(values) for bank, values in row["pcrs"].items()}
    demand = Demand(
        bytes.fromhex(row["nonce_hex"]),
        {Bank(bank): frozenset(map(int, indexes)) for bank, indexes in required.items()},
    )
    quote = Quote(read(f"vectors/{row['msg']}"), read(f"vectors/{row['sig']}"), reported)
    key = load_key(read(f"vectors/keys/{row['ak']}.{form}"))
    verification = verify(quote, key, demand)
    assert verification.accepted is (row["expect"] == "accept")
    assert VECTOR_STEPS.get(row["reason"], set()) <= failures(verification).keys()
    if verification.pcrs is not None:
        assert verification.pcrs.registers == reported
    unrestricted = row["ak"].startswith("unrestricted") and form == "tpm2b_public"
    assert (Step.KEY.value in failures(verification)) is unrestricted


@pytest.mark.parametrize("row", rows("vectors/manifest.json", "vectors"), ids=lambda row: row["id"])
def test_a_software_tpms_messages_are_decoded_as_its_tools_decode_them(row: dict[str, Any]) -> None:
    told = row.get("attest")
    if not told or not told.get("pcrSelect"):
        return
    attest, clock = parse_attest(read(f"vectors/{row['msg']}")), told["clockInfo"]
    assert f"{attest.magic:08x}" == told["magic"]
    assert attest.signer.hex() == told["qualifiedSigner"]
    assert attest.nonce.hex() == told["extraData"]
    assert attest.counters == Counters(clock["resetCount"], clock["restartCount"], clock["clock"])
    assert attest.safe is bool(clock["safe"])
    assert f"{attest.firmware_version:016x}" == told["firmwareVersion"]
    assert attest.quoted is not None
    assert [(s.bank.value, list(s.registers)) for s in attest.quoted.selections] == [
        (s["bank"], s["pcrs"]) for s in told["pcrSelect"]
    ]
    assert attest.quoted.digest.hex() == told["pcrDigest"]


def test_keys_have_the_names_that_the_tpm_gave_them() -> None:
    named = json.loads(read("vectors/manifest.json"))["attestation_keys"]
    for key in named.values():
        area = load_key(read(f"vectors/{key['tpm2b_public']}"))
        assert area.name is not None
        assert area.name.hex() == key["name"]
        assert area.fingerprint == load_key(read(f"vectors/{key['pem']}")).fingerprint
        assert (area.findings[0].reason is StepReason.KEY_SOUND) is key["restricted"]
    for kind in ("ecdsa", "rsapss", "rsassa"):
        assert load_key(read(f"swtpm/ak_{kind}.tpm2b_public")).name == read(f"swtpm/ak_{kind}.name")


def test_an_endorsement_key_is_no_attestation_key() -> None:
    (finding,) = load_key(read("vectors/ek/ek_rsa2048.tpm2b_public")).findings
    assert finding.reason is StepReason.KEY_ATTRIBUTES
    assert "does not sign, may decrypt" in str(finding)


@pytest.mark.parametrize("name", ["ek_rsa2048.crt.der", "ek_secp384r1.crt.der", "issuer.pem", "root.pem"])
def test_certificates_of_a_software_tpm_are_read(name: str) -> None:
    assert load_key(read(f"vectors/ek/{name}")).from_certificate


def serialised(blob: bytes) -> Registers:
    """The registers of a tpm2-tools file: selections of 8 bytes, then digests in lists of 8 (see the manifest)."""
    algorithms = {0x04: Bank.SHA1, 0x0B: Bank.SHA256, 0x0C: Bank.SHA384, 0x0D: Bank.SHA512}
    chosen = []
    for at in range(4, 4 + 8 * int.from_bytes(blob[:4], "little"), 8):
        bank = algorithms[int.from_bytes(blob[at : at + 2], "little")]
        bits = int.from_bytes(blob[at + 3 : at + 3 + blob[at + 2]], "little")
        chosen += [(bank, index) for index in range(24) if bits >> index & 1]
    digests: list[bytes] = []
    at = 4 + 16 * 8 + 4
    while at < len(blob):
        count, at = int.from_bytes(blob[at : at + 4], "little"), at + 4
        slots = [blob[slot : slot + 66] for slot in range(at, at + 66 * count, 66)]
        digests += [slot[2 : 2 + int.from_bytes(slot[:2], "little")] for slot in slots]
        at += 66 * 8
    found: dict[Bank, dict[int, bytes]] = {}
    for (bank, index), digest in zip(chosen, digests, strict=True):
        found.setdefault(bank, {})[index] = digest
    return found


@pytest.mark.parametrize(
    ("name", "key"), [("ecdsa", "ecdsa"), ("rsapss", "rsapss"), ("rsassa", "rsassa"), ("multi", "rsassa")]
)
def test_quotes_over_a_replayed_real_log(name: str, key: str) -> None:
    reported = serialised(read(f"swtpm/q_{name}.pcrs"))
    nonce = bytes.fromhex(read(f"swtpm/nonce_{key}.hex").decode().strip())
    quote = Quote(read(f"swtpm/q_{name}.attest"), read(f"swtpm/q_{name}.sig"), reported)
    if name == "multi":
        nonce = parse_attest(quote.message).nonce
    verification = verify(quote, load_key(read(f"swtpm/ak_{key}.tpm2b_public")), Demand(nonce, whole(reported)))
    assert not failures(verification)
    assert verification.accepted


def test_keylimes_own_quote_and_no_changed_byte_of_it() -> None:
    name = "keylime__keylime/checkquote"
    key, reported = load_key(read(f"{name}.ak.pem")), serialised(read(f"{name}.pcrs.bin"))
    quote = Quote(read(f"{name}.attest.bin"), read(f"{name}.sig.bin"), reported)
    demand = Demand(b"Ai5M5SjYjnkyv4P7itH1", whole(reported))
    assert verify(quote, key, demand).accepted
    for at in range(len(quote.message)):
        changed = bytearray(quote.message)
        changed[at] ^= 1
        assert not verify(Quote(bytes(changed), quote.signature, reported), key, demand).accepted


def test_an_agents_quote_is_read_and_its_sha1_signature_named() -> None:
    text = read("keylime__rust-keylime/test-quote.txt").decode().strip().removeprefix("r")
    message, signature, blob = (base64.b64decode(part) for part in text.split(":"))
    assert parse_attest(message).quoted is not None
    assert parse_signature(signature).scheme.hash is Bank.SHA1
    assert serialised(blob)


def opencit(number: str) -> tuple[Tpm12Quote, bytes]:
    """A quote as OpenCIT stored it: composite and signature; the signed structure is made of them and the nonce."""
    blob, nonce = read(f"opencit__opencit/quote_{number}.data"), read(f"opencit__opencit/nonce_{number}.data")
    composite, signature = blob[:-256], blob[-256:]
    message = b"\x01\x01\x00\x00QUOT" + sha1(composite) + sha1(nonce)
    return Tpm12Quote(message, signature, composite), nonce


@pytest.mark.parametrize("form", ["aikcert_{}.cer", "rsapubkey_{}.key"])
@pytest.mark.parametrize(("number", "good"), [("1794341516", True), ("1887299699", True), ("788801209", False)])
def test_real_tpm12_quotes(number: str, good: bool, form: str) -> None:
    quote, nonce = opencit(number)
    key = load_key(read("opencit__opencit/" + form.format(number)))
    verification = verify_tpm12(quote, key, Demand(nonce, {Bank.SHA1: frozenset({0, 17, 18, 19})}))
    assert verification.accepted is good
    assert failures(verification) == ({} if good else {"signature": [StepReason.SIGNATURE_INVALID]})
    hashed = Demand(sha1(nonce), {Bank.SHA1: frozenset({0, 17, 18, 19})})
    assert verify_tpm12(quote, key, hashed).accepted is good


ATTESTED = [row for row in rows("manifest.json", "files") if row["kind"] == "attest-without-key" and "facts" in row]


@pytest.mark.parametrize("row", ATTESTED, ids=lambda row: row["file"])
def test_real_messages_are_decoded_as_stated_and_their_digests_match(row: dict[str, Any]) -> None:
    facts, attest = row["facts"], parse_attest(read(row["file"]))
    signature = parse_signature(read(row["file"].replace(".attest.", ".sig.")))
    assert attest.counters == Counters(facts["resetCount"], facts["restartCount"], facts["clock"])
    assert attest.safe is bool(facts["safe"])
    assert attest.firmware_version == int(facts["firmwareVersion"], 16)
    assert attest.trailing == 0
    assert attest.quoted is not None
    assert [[s.bank.value, list(s.registers)] for s in attest.quoted.selections] == facts["pcrSelect"]
    assert attest.quoted.digest.hex() == facts["pcrDigest"]
    assert signature.scheme.algorithm == int(facts["sig_alg"], 16)


def test_a_go_attestation_key_from_windows() -> None:
    stored = json.loads(read("google__go-eventlog/windows_gcp_shielded_vm.json"))
    area = base64.b64decode(stored["AK"]["Public"])
    key = load_key(len(area).to_bytes(2, "big") + area)
    message = base64.b64decode(stored["Quote"]["Quote"])
    signature = parse_signature(base64.b64decode(stored["Quote"]["Signature"]))
    assert key.findings[0].reason is StepReason.KEY_SOUND
    assert key.refutes(message, signature) is None


@given(data=st.data())
def test_no_flipped_bit_of_a_software_tpms_quote_is_accepted(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from([row for row in rows("vectors/manifest.json", "vectors") if row["id"][0] == "g"]))
    reported = parse_registers(json.dumps(row["pcrs"]).encode())
    parts = {"msg": read(f"vectors/{row['msg']}"), "sig": read(f"vectors/{row['sig']}")}
    part = data.draw(st.sampled_from(sorted(parts)))
    flipped = bytearray(parts[part])
    bit = data.draw(st.integers(0, 8 * len(flipped) - 1))
    flipped[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(flipped)
    key = load_key(read(f"vectors/keys/{row['ak']}.tpm2b_public"))
    demand = Demand(bytes.fromhex(row["nonce_hex"]), whole(reported))
    assert not verify(Quote(parts["msg"], parts["sig"], reported), key, demand).accepted
