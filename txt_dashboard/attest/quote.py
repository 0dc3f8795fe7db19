"""Quotes of a TPM, verified: the one place where register values become proven.

Every step that can be judged is judged, each by itself, and a failure stays whatever the others find.

Sources: TPM 2.0 Library part 3, revision 1.38, section 18.4 (TPM2_Quote); TPM Main part 3, level 2 revision 116,
section 16.3 (TPM_Quote).
"""

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeVar, final

from txt_dashboard.attest import counters
from txt_dashboard.attest.keys import AttestationKey
from txt_dashboard.attest.pcr import Bank, Registers, Values
from txt_dashboard.attest.quote_steps import (
    Claims,
    Findings,
    claim,
    judge_digest,
    judge_nonce,
    judge_selection,
    judge_signature,
    judge_structure,
    judge_tpm12_digest,
    judge_tpm12_nonce,
    judge_tpm12_signature,
    judge_tpm12_structure,
)
from txt_dashboard.attest.steps import Step, StepFinding, StepReason, StepResult
from txt_dashboard.attest.tpm12_types import parse_tpm12_composite, parse_tpm12_quote_info
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import Counters, Selection, parse_attest, parse_signature

_Parsed = TypeVar("_Parsed")

_SEAL = object()
_UNREADABLE: Findings = (StepFinding(StepReason.UNREADABLE),)
_UNCOUNTED: Findings = (StepFinding(StepReason.COUNTERS_NONE),)
_ELSEWHERE: Findings = (StepFinding(StepReason.ELSEWHERE),)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a host sent: TPMS_ATTEST, TPMT_SIGNATURE, and the register values it claims. Nothing here is trusted."""

    message: bytes
    signature: bytes
    reported: Registers


@dataclass(frozen=True, slots=True)
class Tpm12Quote:
    """What a host with a TPM 1.2 sent: TPM_QUOTE_INFO, the bare RSA signature, TPM_PCR_COMPOSITE; all untrusted.

    `reported` are values claimed beside the composite, if there are any.
    """

    message: bytes
    signature: bytes
    composite: bytes
    reported: Values | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What the quote must answer: our nonce, exactly these registers, a permitted hash.

    `last_seen` are the counters of the last verified quote of the same key. Where the nonce or the
    registers are empty their step fails: such a demand proves nothing.
    """

    nonce: bytes
    selection: Mapping[Bank, frozenset[int]]
    last_seen: Counters | None = None
    allow_sha1: bool = False


@final
@dataclass(frozen=True, slots=True)
class VerifiedPcrs:
    """Register values that a TPM signed in answer to our demand, and its counters (none for a TPM 1.2).

    Only the verification in this module can make one; anybody else gets a `TypeError`.
    """

    registers: Registers
    counters: Counters | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("register values become verified only by verifying a quote")


class Proof(NamedTuple):
    """What was found at each step that register values must pass to be proven, in the order of the steps."""

    key: Findings
    signature: Findings
    structure: Findings
    nonce: Findings = _UNREADABLE
    selection: Findings = _UNREADABLE
    digest: Findings = _UNREADABLE

    @property
    def stands(self) -> bool:
        """Whether every finding of every step lets the values stand; a step without any does not."""
        for findings in self:
            if not findings:
                return False
            for reason, _ in findings:
                if not reason.holds:
                    return False
        return True


class Verification(NamedTuple):
    """What was found at all steps, and the proven values where the quote was accepted.

    `counters` warn and prove nothing: what a fallen one means for a host is the appraisal's to say.
    """

    proof: Proof
    counters: Findings
    pcrs: VerifiedPcrs | None

    @property
    def accepted(self) -> bool:
        """Whether the values are proven. Warnings don't prevent that; a step that could not be judged does."""
        return self.pcrs is not None

    @property
    def steps(self) -> tuple[StepResult, ...]:
        """All ten steps in their order; the last three are not judged here."""
        return tuple(map(StepResult, Step, (*self.proof, self.counters, _ELSEWHERE, _ELSEWHERE, _ELSEWHERE)))

    def result(self, step: Step) -> StepResult:
        """What was found at one step."""
        return next(result for result in self.steps if result.step is step)


def verify(quote: Quote, key: AttestationKey, demand: Demand) -> Verification:
    """Verifies a TPM 2.0 quote by the key that is bound to the host. Never raises for what a host sent."""
    signature = _attempt(parse_signature, quote.signature)
    attest = _attempt(parse_attest, quote.message)
    signed = judge_signature(signature, quote.message, key, allow_sha1=demand.allow_sha1)
    structure = judge_structure(attest)
    if isinstance(attest, FormatError):
        return Verification(Proof(key.findings, signed, structure), _UNREADABLE, None)
    nonce = judge_nonce(attest.nonce, demand.nonce)
    clock = counters.judge(demand.last_seen, attest.counters, safe=attest.safe)
    if attest.quoted is None:
        return Verification(Proof(key.findings, signed, structure, nonce), clock, None)
    selection = judge_selection(attest.quoted.selections, demand.selection)
    claims = claim(attest.quoted.selections, quote.reported)
    digest = _UNREADABLE
    if not isinstance(signature, FormatError):
        digest = judge_digest(attest.quoted.digest, claims, signature.scheme.hash)
    proof = Proof(key.findings, signed, structure, nonce, selection, digest)
    return Verification(proof, clock, _prove(proof, claims, attest.counters))


def verify_tpm12(quote: Tpm12Quote, key: AttestationKey, demand: Demand) -> Verification:
    """Verifies a TPM 1.2 quote by the key that is bound to the host. Never raises for what a host sent.

    Its scheme is RSASSA with SHA-1 by definition, so `allow_sha1` is not asked.
    """
    info = _attempt(parse_tpm12_quote_info, quote.message)
    values = _attempt(parse_tpm12_composite, quote.composite)
    signed = judge_tpm12_signature(quote.signature, quote.message, key)
    structure = judge_tpm12_structure(info, values)
    nonce = selection = digest = _UNREADABLE
    if not isinstance(info, FormatError):
        nonce = judge_tpm12_nonce(info.nonce, demand.nonce)
    if isinstance(values, FormatError):
        return Verification(Proof(key.findings, signed, structure, nonce), _UNCOUNTED, None)
    selection = judge_selection((Selection(Bank.SHA1, tuple(values)),), demand.selection)
    if not isinstance(info, FormatError):
        digest = judge_tpm12_digest(info, quote.composite, values, quote.reported)
    proof = Proof(key.findings, signed, structure, nonce, selection, digest)
    return Verification(proof, _UNCOUNTED, _prove(proof, [(Bank.SHA1, values)], None))


def _attempt(parse: Callable[[bytes], _Parsed], data: bytes) -> _Parsed | FormatError:
    try:
        return parse(data)
    except FormatError as error:
        return error


def _prove(proof: Proof, claims: Claims, at: Counters | None) -> VerifiedPcrs | None:
    """The claimed values, the very ones that the digest was made of, where the proof stands."""
    if not proof.stands:
        return None
    proven = {bank: MappingProxyType(values) for bank, values in claims if values}
    return VerifiedPcrs(MappingProxyType(proven), at, _SEAL)
