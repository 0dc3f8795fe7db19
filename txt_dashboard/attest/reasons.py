"""Why a host is in its state: one code and one sentence each, for people and for programs.

The sentences are English templates; pages translate them by the template and fill in the parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for the translators; Django's own marker would bring the framework in."""
    return sentence


class Reason(Enum):
    """A reason code: its value is (code, sentence). Codes are stable; sentences may improve."""

    # The evidence and the approved values agree.
    MATCHES = (
        "matches",
        gettext_noop("All required registers match approved baselines, and {server} agrees."),
    )
    SERVER_WORD_ALONE = (
        "server_word_alone",
        gettext_noop("Trusted on the word of {server} alone: no approved baseline vouches for this host."),
    )
    # They disagree.
    REGISTERS_DIFFER = (
        "registers_differ",
        gettext_noop("Differs from the closest approved baseline in PCR {registers}."),
    )
    EVENTS_DIFFER = (
        "events_differ",
        gettext_noop("PCR {registers} differs by more than its baseline lets vary: {detail}."),
    )
    NOT_LAUNCHED = (
        "not_launched",
        gettext_noop("No measured launch happened: registers 17 to 22 hold only ff."),
    )
    SERVER_UNTRUSTED = (
        "server_untrusted",
        gettext_noop("{server} says untrusted, although all required registers match approved baselines."),
    )
    SERVER_UNTRUSTED_ALONE = (
        "server_untrusted_alone",
        gettext_noop("{server} says untrusted, and our own appraisal is undetermined."),
    )
    # The evidence leaves the question open.
    SERVER_UNDECIDED = ("server_undecided", gettext_noop("{server} gave no verdict for this host."))
    REGISTERS_MISSING = (
        "registers_missing",
        gettext_noop("The evidence holds no value for the required PCR {registers}."),
    )
    NO_BASELINE = (
        "no_baseline",
        gettext_noop("No approved baseline applies to the {part} part of this host."),
    )
    BASELINE_INCOMPLETE = (
        "baseline_incomplete",
        gettext_noop("No approved baseline covers all registers that the policy requires of the {part} part."),
    )
    EVENTS_UNPROVEN = (
        "events_unproven",
        gettext_noop(
            "PCR {registers} may vary by its events, but no event log leads to the value that a quote would prove."
        ),
    )
    NO_POLICY = ("no_policy", gettext_noop("No policy in force says which registers this host must show."))
    SERVER_OBSERVED = (
        "server_observed",
        gettext_noop("{server} is only observed: nobody approved that what it says counts."),
    )
    REPORT_OLDER = (
        "report_older",
        gettext_noop("The register report is older than the verdict, so they are not one evidence."),
    )
    TPM_KEY_MISSING = (
        "tpm_key_missing",
        gettext_noop("No TPM key is approved for this host, so its quote proves nothing."),
    )
    TPM_KEY_SHARED = (
        "tpm_key_shared",
        gettext_noop("The TPM key of this host is approved for another host, too, so a quote tells them not apart."),
    )
    TPM_IDENTITY_CHANGED = (
        "tpm_identity_changed",
        gettext_noop("The TPM's identity changed: the host shows key {shown} instead of the approved {approved}."),
    )
    QUOTE_MISSING = (
        "quote_missing",
        gettext_noop("The policy asks for a quote by the host's TPM, and none vouches for these values."),
    )
    QUOTE_REJECTED = ("quote_rejected", gettext_noop("The quote proves nothing: {detail}"))
    TPM_ROLLED_BACK = (
        "tpm_rolled_back",
        gettext_noop("The quote is signed, but the TPM's counters went back: {detail}"),
    )
    CLOCK_AHEAD = (
        "clock_ahead",
        gettext_noop("The clock of {server} is {seconds} s ahead of ours, more than the {limit} s tolerated."),
    )
    CLOCK_BACKWARDS = (
        "clock_backwards",
        gettext_noop("{server} dated this evidence before the one it gave earlier: its clock went back."),
    )
    # There is no (new) evidence.
    NEVER_ATTESTED = ("never_attested", gettext_noop("No evidence has been received for this host yet."))
    EVIDENCE_EXPIRED = (
        "evidence_expired",
        gettext_noop("The last evidence has run out and no newer has come."),
    )
    NOT_KNOWN_TO_SERVER = ("not_known_to_server", gettext_noop("{server} does not know this host."))
    HOST_TIMEOUT = ("host_timeout", gettext_noop("The host did not answer {server} in time."))
    ATTESTATION_PENDING = ("attestation_pending", gettext_noop("{server} is still attesting this host."))
    ATTESTATION_OLD = (
        "attestation_old",
        gettext_noop(
            "{server} last attested this host {seconds} s ago, longer than it lets pass itself ({limit} s):"
            " it stopped, or its clock is behind."
        ),
    )
    ANSWER_MISSING = ("answer_missing", gettext_noop("The answer of {server} left this host out."))
    ANSWER_MALFORMED = (
        "answer_malformed",
        gettext_noop("What {server} answered for this host can't be used: {detail}."),
    )
    REPORT_UNAVAILABLE = (
        "report_unavailable",
        gettext_noop("{server} gave a verdict but not the register report: {detail}."),
    )
    SERVER_UNREACHABLE = ("server_unreachable", gettext_noop("{server} could not be asked: {detail}."))

    @property
    def code(self) -> str:
        """The stable name that the database, the API and the pages share."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """The English template."""
        return self.value[1]

    @classmethod
    def of(cls, code: str) -> "Reason":
        """The reason with this code; raises `KeyError` for an unknown one."""
        return _BY_CODE[code]


_BY_CODE = {reason.code: reason for reason in Reason}


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason with what its sentence needs to be filled in."""

    reason: Reason
    params: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.reason.sentence.format_map({"server": "the server", **self.params})
