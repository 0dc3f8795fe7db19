"""The steps of verifying and appraising a quote, and everything that can be found at each.

Sentences are English templates, as in `reasons`. The order: who speaks, what was said, whether it answers what was
asked, and only then what it means. Sources: RFC 9334, section 10 (freshness); CVE-2024-29038 (magic) and
CVE-2024-29039 (selection) for what happens where a step is left out.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from txt_dashboard.attest.reasons import gettext_noop as _


class Step(StrEnum):
    """A step, in the order in which they are judged; the names are stable."""

    KEY = "key"
    SIGNATURE = "signature"
    STRUCTURE = "structure"
    NONCE = "nonce"
    SELECTION = "selection"
    DIGEST = "digest"
    COUNTERS = "counters"
    LOG = "log"
    REFERENCE = "reference"
    RESULT = "result"


class Outcome(StrEnum):
    """How a step ended, from nothing to the worst."""

    NOT_REACHED = "not-reached"
    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


_HOLDS = frozenset({Outcome.PASS, Outcome.WARN})
_SEVERITY = {outcome: severity for severity, outcome in enumerate(Outcome)}


class StepReason(Enum):
    """A stable code (the member's name in lower case) with its outcome and its sentence."""

    def __init__(self, outcome: Outcome, sentence: str) -> None:
        self.outcome = outcome
        self.sentence = sentence
        self.holds = outcome in _HOLDS  # whether what the step judges may stand

    @property
    def code(self) -> str:
        """The name that programs may rely on."""
        return self.name.lower()

    @cached_property
    def alone(self) -> "tuple[StepFinding, ...]":
        """The finding of this reason, where its sentence needs nothing filled in and it is the only one."""
        return (StepFinding(self),)

    UNREADABLE = (Outcome.NOT_REACHED, _("What this step judges could not be read."))
    ELSEWHERE = (Outcome.NOT_REACHED, _("This step is no part of verifying a quote."))

    KEY_MISSING = (Outcome.FAIL, _("No key is approved for this host."))
    KEY_SHARED = (Outcome.FAIL, _("The key of this host is approved for another host, too."))
    KEY_OTHER_TPM = (
        Outcome.FAIL,
        _("The quote is in the form of another TPM's (1.2 or 2.0) than the key was approved for."),
    )
    KEYLESS = (Outcome.NOT_REACHED, _("Without a key of the host's own there is nothing to verify with."))
    KEY_SOUND = (Outcome.PASS, _("The key has the attributes of an attestation key."))
    KEY_UNDESCRIBED = (
        Outcome.WARN,
        _("The key came without a TPM's description: nothing shows that it signs only what a TPM measured."),
    )
    KEY_UNCERTIFIED = (Outcome.WARN, _("The key was taken from a certificate whose issuer was not checked."))
    KEY_ATTRIBUTES = (Outcome.FAIL, _("This is no attestation key: it {flaws}."))
    KEY_KIND = (
        Outcome.FAIL,
        _("{kind} is not accepted: only RSA of 2048 to 4096 bits with exponent 65537, P-256 and P-384 are."),
    )

    SIGNATURE_VALID = (Outcome.PASS, _("The key signed exactly this message ({scheme})."))
    SIGNATURE_INVALID = (Outcome.FAIL, _("This signature is not by this key over this message."))
    SIGNATURE_UNREADABLE = (Outcome.FAIL, _("The signature can't be read: {error}."))
    SIGNATURE_SCHEME = (Outcome.FAIL, _("The signature says {used}, but the key signs with {expected}."))
    SIGNATURE_WEAK = (Outcome.FAIL, _("The signature's hash is SHA-1, which is not allowed here."))
    SIGNATURE_WEAK_ALLOWED = (Outcome.WARN, _("The signature's hash is SHA-1, which was allowed explicitly."))
    SIGNATURE_TPM12 = (
        Outcome.WARN,
        _("The key signed exactly this message, with SHA-1: a TPM 1.2 has no other hash."),
    )
    SIGNATURE_UNTRIED = (Outcome.FAIL, _("A key of this kind is used to verify nothing."))

    STRUCTURE_QUOTE = (
        Outcome.PASS,
        _("The message is one quote in the form a TPM gives it, with nothing behind it."),
    )
    STRUCTURE_UNREADABLE = (Outcome.FAIL, _("The message can't be read: {error}."))
    STRUCTURE_MAGIC = (Outcome.FAIL, _("The message begins with {magic}, so no TPM made it (ff544347)."))
    STRUCTURE_TYPE = (Outcome.FAIL, _("The message is of type {type}, not a quote (8018)."))
    STRUCTURE_TRAILING = (Outcome.FAIL, _("{count} bytes follow the quote."))
    STRUCTURE_COMPOSITE = (Outcome.FAIL, _("The composite can't be read: {error}."))

    NONCE_EQUAL = (Outcome.PASS, _("The quote answers the nonce that was asked for."))
    NONCE_HASHED = (Outcome.PASS, _("The quote answers the SHA-1 of our nonce, which is not 20 bytes long itself."))
    NONCE_SHORT = (Outcome.WARN, _("The quote answers the nonce, but {size} bytes are too few to prove it fresh."))
    NONCE_NONE = (Outcome.FAIL, _("No nonce was demanded, so the quote may be of any age."))
    NONCE_DIFFERS = (Outcome.FAIL, _("The quote answers another nonce: it may be an old one."))

    SELECTION_EQUAL = (Outcome.PASS, _("Exactly the required registers are quoted."))
    SELECTION_DIFFERS = (
        Outcome.FAIL,
        _("Other registers are quoted than required; missing: {missing}; not asked for: {extra}."),
    )
    SELECTION_NONE = (Outcome.FAIL, _("No register is required, so the quote would prove nothing."))
    SELECTION_TWICE = (Outcome.FAIL, _("The quote names the bank {bank} twice."))

    DIGEST_EQUAL = (Outcome.PASS, _("The reported values are those that the TPM signed."))
    DIGEST_DIFFERS = (Outcome.FAIL, _("The reported values are not those that the TPM signed."))
    DIGEST_MISSING = (Outcome.FAIL, _("No usable value was reported for the quoted registers {registers}."))

    COUNTERS_FIRST = (Outcome.PASS, _("There is no earlier quote to compare the counters with."))
    COUNTERS_STEADY = (Outcome.PASS, _("The TPM has neither been reset nor restarted since, and its clock went on."))
    COUNTERS_RESET = (Outcome.PASS, _("The TPM was reset since ({times} times)."))
    COUNTERS_RESTARTED = (
        Outcome.WARN,
        _("The TPM was resumed or a measured launch took place since ({times} times), without a reset."),
    )
    COUNTERS_RESET_FELL = (Outcome.WARN, _("The reset counter is {times} lower than before."))
    COUNTERS_RESTART_FELL = (Outcome.WARN, _("The restart counter is {times} lower than before, without a reset."))
    COUNTERS_CLOCK_STOOD = (Outcome.WARN, _("The TPM's clock did not go on since, or went back."))
    COUNTERS_UNSAFE = (
        Outcome.WARN,
        _("The TPM does not vouch for its clock: it lost power without being shut down."),
    )
    COUNTERS_NONE = (Outcome.NOT_REACHED, _("A TPM 1.2 signs no counters."))

    # A log never turns a verdict, so none of these is a failure.
    LOG_NONE = (Outcome.NOT_REACHED, _("No event log came that could explain the registers."))
    LOG_UNPROVEN = (Outcome.NOT_REACHED, _("There are no verified registers that the event log could explain."))
    LOG_UNREADABLE = (Outcome.WARN, _("The event log can't be read: {error}."))
    LOG_EXPLAINED = (Outcome.PASS, _("The event log leads to exactly the verified registers {registers}."))
    LOG_UNEXPLAINED = (Outcome.WARN, _("The event log says nothing of {registers}."))
    LOG_CONTRADICTED = (
        Outcome.WARN,
        _("The event log leads to other values of {registers}, so what it says of them is not what was measured."),
    )

    REFERENCE_NONE = (Outcome.NOT_REACHED, _("No policy says what to compare."))
    REFERENCE_MATCHES = (Outcome.PASS, _("The {part} part matches an approved baseline."))
    REFERENCE_DIFFERS = (Outcome.FAIL, _("The {part} part: {detail}"))
    REFERENCE_OPEN = (Outcome.WARN, _("The {part} part can't be compared: {detail}"))

    RESULT_TRUSTED = (Outcome.PASS, _("Trusted: {detail}"))
    RESULT_UNTRUSTED = (Outcome.FAIL, _("Untrusted: {detail}"))
    RESULT_OPEN = (Outcome.WARN, _("Undetermined: {detail}"))


class StepFinding(NamedTuple):
    """One reason with what its sentence needs to be filled in, shown by `str`."""

    reason: StepReason
    params: Mapping[str, object] = MappingProxyType({})

    def __str__(self) -> str:
        return self.reason.sentence.format_map(self.params)


class StepResult(NamedTuple):
    """A step and all that was found at it, at least one finding; the worst decides."""

    step: Step
    findings: tuple[StepFinding, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of the findings' outcomes."""
        return max((finding.reason.outcome for finding in self.findings), key=_SEVERITY.__getitem__)

    @property
    def reason(self) -> str:
        """All findings, as English sentences."""
        return " ".join(str(finding) for finding in self.findings)
