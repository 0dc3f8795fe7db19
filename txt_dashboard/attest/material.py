"""From what a host's TPM signed to evidence: the one way by which registers come to be vouched for by a quote.

The key is the one that people approved for the host. The one that a server shows beside the quote is for people to
look at and approve; nothing is ever verified with it. RFC 9334, section 7.1 (what a verifier must trust beforehand).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from txt_dashboard.attest.counters import ROLLED_BACK
from txt_dashboard.attest.evidence import Evidence, Voucher
from txt_dashboard.attest.keys import AttestationKey, load_key
from txt_dashboard.attest.pcr import NEVER_REFERENCE, Bank, Values
from txt_dashboard.attest.quote import Demand, Quote, Tpm12Quote, Verification, verify, verify_tpm12
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.steps import Outcome, Step
from txt_dashboard.attest.text import shown
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import Counters

_LONGEST_DETAIL = 300  # characters
_OTHER_TPM = "it is in the form of another TPM's (1.2 or 2.0) than the key was approved for."


@dataclass(frozen=True, slots=True)
class Material:
    """What a server passed on from one host's TPM, in the host's own bytes; nothing of it is verified.

    `public` is the key that was shown beside the quote, `attested_at` the server's time. `registrar` is what the
    server's registrar says of the TPM's endorsement key, for display only: its word. `challenge` is the nonce where
    the server asked in our place, with one of its own: how old such a quote is, only it knows.
    """

    quote: Quote | Tpm12Quote
    public: bytes
    attested_at: datetime
    registrar: Mapping[str, str] = field(default_factory=dict)
    challenge: bytes = b""

    @property
    def whole(self) -> Mapping[Bank, frozenset[int]]:
        """All registers that were reported beside a quote of a TPM 2.0."""
        reported = {} if isinstance(self.quote, Tpm12Quote) else self.quote.reported
        return {bank: frozenset(values) for bank, values in reported.items()}


@dataclass(frozen=True, slots=True)
class Binding:
    """What people approved for a host: its key, if there is one, whether another host has the same, of which TPM."""

    key: AttestationKey | None = None
    is_shared: bool = False
    tpm12: bool = False


class Proven(NamedTuple):
    """Evidence as far as a quote bears it out, and what was found at each step (`None` without a key of its own)."""

    evidence: Evidence
    verification: Verification | None


def bindings(keys: Mapping[str, AttestationKey]) -> dict[str, Binding]:
    """The binding of each host, from the keys approved by host: a key under two names is bound to neither."""
    hosts_of = Counter(key.fingerprint for key in keys.values())
    return {host: Binding(key, hosts_of[key.fingerprint] > 1) for host, key in keys.items()}


def prove(said: Evidence, material: Material, binding: Binding, demand: Demand) -> Proven:
    """What a server says of a host, with registers that the host's quote proves instead of the server's.

    Where the quote proves nothing no registers are left, and the finding says why: such evidence can't make a host
    trusted, not even where the server's word is enough. Values of a TPM whose counters went back are kept, for they
    are signed, but with a finding that keeps them from being believed.
    """
    quoted = replace(
        said,
        attested_at=min(said.attested_at, material.attested_at),
        registers={},
        voucher=Voucher.QUOTE,
        finding=Finding(Reason.TPM_KEY_SHARED if binding.is_shared else Reason.TPM_KEY_MISSING),
    )
    key = binding.key
    if key is None or binding.is_shared:
        return Proven(quoted, None)
    verification = verify_any(material.quote, key, demand, tpm12=binding.tpm12)
    if verification is None:
        return Proven(replace(quoted, finding=Finding(Reason.QUOTE_REJECTED, {"detail": _OTHER_TPM})), None)
    if verification.pcrs is None:
        return Proven(replace(quoted, finding=_why_not(verification, material, key)), verification)
    finding = Finding(Reason.TPM_ROLLED_BACK, _detail([Step.COUNTERS], verification)) if _fell(verification) else None
    registers = {bank: _lasting(values) for bank, values in verification.pcrs.registers.items()}
    return Proven(replace(quoted, registers=registers, finding=finding), verification)


def verify_any(quote: Quote | Tpm12Quote, key: AttestationKey, demand: Demand, *, tpm12: bool) -> Verification | None:
    """Verifies a quote of the TPM that the key was approved for; `None` for one of the other."""
    if isinstance(quote, Tpm12Quote) is not tpm12:
        return None
    return verify_tpm12(quote, key, demand) if isinstance(quote, Tpm12Quote) else verify(quote, key, demand)


def prove_relayed(said: Evidence, material: Material, binding: Binding, last_seen: Counters | None) -> Proven:
    """The same for a quote that the server asked for with a challenge of its own.

    Its values are the TPM's, but that they are the present ones is the server's word, and so the evidence says.
    Which registers it shows was the server's choice: one that a policy requires and that is not there is missing.
    """
    proven = prove(said, material, binding, Demand(material.challenge, material.whole, last_seen))
    if proven.evidence.finding is not None:
        return proven
    return Proven(replace(proven.evidence, voucher=Voucher.RELAYED), proven.verification)


def shown_key(material: Material) -> AttestationKey | None:
    """The key shown beside the quote, to be looked at and approved; `None` where it can't be read."""
    try:
        return load_key(material.public)
    except FormatError:
        return None


def _lasting(values: Values) -> Values:
    """Without what grows while a host runs: else each quote would be other evidence than the one before."""
    return {index: value for index, value in values.items() if index not in NEVER_REFERENCE}


def _why_not(verification: Verification, material: Material, key: AttestationKey) -> Finding:
    failed = [result.step for result in verification.steps if result.outcome is Outcome.FAIL]
    other = shown_key(material)
    if Step.SIGNATURE in failed and other is not None and other.fingerprint != key.fingerprint:
        return Finding(
            Reason.TPM_IDENTITY_CHANGED, {"approved": key.fingerprint[:16], "shown": other.fingerprint[:16]}
        )
    return Finding(Reason.QUOTE_REJECTED, _detail(failed, verification))


def _fell(verification: Verification) -> bool:
    return any(finding.reason in ROLLED_BACK for finding in verification.counters)


def _detail(steps: Iterable[Step], verification: Verification) -> dict[str, str]:
    told = " ".join(verification.result(step).reason for step in steps)
    return {"detail": shown(told, _LONGEST_DETAIL)}
