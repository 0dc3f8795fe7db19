"""How each step of verifying a quote is judged, by itself, from what was parsed.

Every function answers with its findings, never with none; `FormatError` stands for what could not be parsed.

Sources: TPM 2.0 Library part 3, revision 1.38, section 18.4 (TPM2_Quote: pcrDigest is made with the signing scheme's
hash, over the values in the order of the selection); TPM Main part 3, level 2 revision 116, section 16.3 (TPM_Quote).
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from hmac import compare_digest

from txt_dashboard.attest.keys import AttestationKey
from txt_dashboard.attest.pcr import Bank, Registers, Values
from txt_dashboard.attest.steps import StepFinding, StepReason
from txt_dashboard.attest.tpm12_types import Tpm12QuoteInfo
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import (
    ATTEST_QUOTE,
    TPM_GENERATED,
    Attest,
    Selection,
    Signature,
    SigningAlgorithm,
    SigningScheme,
)

Findings = tuple[StepFinding, ...]
Claims = list[tuple[Bank, Values]]
Chosen = Mapping[Bank, frozenset[int]]

_TPM12_SCHEME = SigningScheme(SigningAlgorithm.RSASSA, Bank.SHA1)
_HASHES: dict[Bank, Callable[[bytes], "hashlib._Hash"]] = {
    Bank.SHA1: partial(hashlib.sha1, usedforsecurity=False),
    Bank.SHA256: hashlib.sha256,
    Bank.SHA384: hashlib.sha384,
    Bank.SHA512: hashlib.sha512,
}
_NO_VALUES: Values = {}
_SIZES = {bank: bank.size for bank in Bank}
_NONCE_SIZE = 16  # bytes of randomness that keep a nonce from ever coming twice


def judge_signature(
    signature: Signature | FormatError, message: bytes, key: AttestationKey, *, allow_sha1: bool
) -> Findings:
    """Scheme and hash permitted and the key's own, and the signature over exactly these bytes."""
    if isinstance(signature, FormatError):
        return _found(StepReason.SIGNATURE_UNREADABLE, error=str(signature))
    weak = signature.scheme.hash is Bank.SHA1
    if weak and not allow_sha1:
        return StepReason.SIGNATURE_WEAK.alone
    flaw = key.refutes(message, signature)
    if flaw:
        return (flaw,)
    valid = _valid(signature.scheme)
    return valid + StepReason.SIGNATURE_WEAK_ALLOWED.alone if weak else valid


@lru_cache(maxsize=32)
def _valid(scheme: SigningScheme) -> Findings:
    return _found(StepReason.SIGNATURE_VALID, scheme=scheme)


def judge_tpm12_signature(signature: bytes, message: bytes, key: AttestationKey) -> Findings:
    """RSASSA with SHA-1, the one scheme of a TPM 1.2 quote."""
    flaw = key.refutes(message, Signature(_TPM12_SCHEME, (signature,)))
    return (flaw,) if flaw else StepReason.SIGNATURE_TPM12.alone


def judge_structure(attest: Attest | FormatError) -> Findings:
    """Magic, type and end of a TPMS_ATTEST; each flaw is named."""
    if isinstance(attest, FormatError):
        return _found(StepReason.STRUCTURE_UNREADABLE, error=str(attest))
    flaws: Findings = ()
    if attest.magic != TPM_GENERATED:
        flaws += _found(StepReason.STRUCTURE_MAGIC, magic=f"{attest.magic:08x}")
    if attest.kind != ATTEST_QUOTE:
        flaws += _found(StepReason.STRUCTURE_TYPE, type=f"{attest.kind:04x}")
    if attest.trailing:
        flaws += _found(StepReason.STRUCTURE_TRAILING, count=str(attest.trailing))
    return flaws or StepReason.STRUCTURE_QUOTE.alone


def judge_tpm12_structure(info: Tpm12QuoteInfo | FormatError, composite: Values | FormatError) -> Findings:
    """TPM_QUOTE_INFO and the composite beside it, both of exactly their form."""
    flaws: Findings = ()
    if isinstance(info, FormatError):
        flaws += _found(StepReason.STRUCTURE_UNREADABLE, error=str(info))
    if isinstance(composite, FormatError):
        flaws += _found(StepReason.STRUCTURE_COMPOSITE, error=str(composite))
    return flaws or StepReason.STRUCTURE_QUOTE.alone


def judge_nonce(answered: bytes, nonce: bytes) -> Findings:
    """The whole nonce, in constant time."""
    return _compare_nonce(answered, nonce, len(nonce), StepReason.NONCE_EQUAL)


def judge_tpm12_nonce(answered: bytes, nonce: bytes) -> Findings:
    """The whole nonce; externalData has 20 bytes, so one of another length can be in there only as its SHA-1."""
    if len(nonce) == len(answered):
        return judge_nonce(answered, nonce)
    hashed = _HASHES[Bank.SHA1](nonce).digest()
    return _compare_nonce(answered, hashed, len(nonce), StepReason.NONCE_HASHED)


def judge_selection(signed: tuple[Selection, ...], required: Chosen) -> Findings:
    """The registers signed are those required, neither less nor others; the order of banks is free."""
    have = _by_bank(signed)
    if len(have) != len(signed):
        return _found(StepReason.SELECTION_TWICE, bank=_twice(signed))
    if not any(required.values()):
        return StepReason.SELECTION_NONE.alone
    if have == required:
        return StepReason.SELECTION_EQUAL.alone
    missing, extra = _less(required, have), _less(have, required)
    if missing or extra:
        return _found(StepReason.SELECTION_DIFFERS, missing=_names(missing), extra=_names(extra))
    return StepReason.SELECTION_EQUAL.alone


@lru_cache(maxsize=64)  # hosts of one policy all sign the same selection
def _by_bank(signed: tuple[Selection, ...]) -> Chosen:
    return {bank: frozenset(indexes) for bank, indexes in signed}


def _twice(signed: tuple[Selection, ...]) -> Bank:
    banks = [bank for bank, _ in signed]
    return next(bank for bank in banks if banks.count(bank) > 1)


def claim(signed: tuple[Selection, ...], reported: Registers) -> Claims:
    """The reported values of the signed registers, in signed order; empty where none was reported."""
    claims: Claims = []
    for bank, indexes in signed:
        value_of = reported.get(bank, _NO_VALUES).get
        claims.append((bank, {index: value_of(index, b"") for index in indexes}))
    return claims


def judge_digest(digest: bytes, claims: Claims, algorithm: Bank) -> Findings:
    """pcrDigest recomputed from the claimed values, with the hash `algorithm` of the signing scheme."""
    joined: list[bytes] = []
    for bank, values in claims:
        size = _SIZES[bank]
        # Values of other lengths could shift bytes from one register to the next under the same digest.
        for value in values.values():
            if len(value) != size:
                missing = {index for index, each in values.items() if len(each) != size}
                return _found(StepReason.DIGEST_MISSING, registers=_names({bank: missing}))
        joined += values.values()
    equal = compare_digest(_HASHES[algorithm](b"".join(joined)).digest(), digest)
    return StepReason.DIGEST_EQUAL.alone if equal else StepReason.DIGEST_DIFFERS.alone


def judge_tpm12_digest(info: Tpm12QuoteInfo, composite: bytes, values: Values, reported: Values | None) -> Findings:
    """SHA-1 of the composite's bytes; values reported beside it (`reported`) must be the composite's."""
    others = values if reported is None else reported
    missing = values.keys() - others.keys()
    if missing:
        return _found(StepReason.DIGEST_MISSING, registers=_names({Bank.SHA1: missing}))
    digest = _HASHES[Bank.SHA1](composite).digest()
    equal = compare_digest(digest, info.digest) and all(others[index] == values[index] for index in values)
    return StepReason.DIGEST_EQUAL.alone if equal else StepReason.DIGEST_DIFFERS.alone


def _compare_nonce(answered: bytes, expected: bytes, size: int, equal: StepReason) -> Findings:
    if not size:
        return StepReason.NONCE_NONE.alone
    if not compare_digest(answered, expected):
        return StepReason.NONCE_DIFFERS.alone
    return equal.alone if size >= _NONCE_SIZE else _found(StepReason.NONCE_SHORT, size=str(size))


def _less(registers: Chosen, others: Chosen) -> Chosen:
    """The registers without the others; banks of which none is left stay out."""
    return {bank: left for bank, indexes in registers.items() if (left := indexes - others.get(bank, frozenset()))}


def _names(registers: Mapping[Bank, Collection[int]]) -> str:
    """As the offline command takes them: sha1:0,1+sha256:7."""
    parts = [f"{bank}:{','.join(map(str, sorted(indexes)))}" for bank, indexes in registers.items()]
    return "+".join(parts) or "none"


def _found(reason: StepReason, **params: object) -> Findings:
    return (StepFinding(reason, params),)
