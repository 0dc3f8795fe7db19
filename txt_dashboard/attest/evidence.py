"""What an attestation server told us of a host, and when. Nothing here is trusted yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from txt_dashboard.attest.pcr import Registers
from txt_dashboard.attest.reasons import Finding, Reason


class Verdict(StrEnum):
    """What the attestation server says of a host."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"


class Voucher(StrEnum):
    """Who vouches for the register values."""

    SERVER = "server"  # the attestation server's word
    RELAYED = "relayed"  # a quote that we verified ourselves, but that it is the present one is the server's word
    QUOTE = "quote"  # a quote that we verified ourselves, with a nonce of ours


@dataclass(frozen=True, slots=True)
class Evidence:
    """One server's answer for one host: a verdict, and the registers that belong to it.

    `attested_at` is the server's time. `finding` says why the evidence can't be taken as it is: the
    registers were not given (`registers` is empty then) or its date is impossible. `details` are the
    server's own sub-verdicts, for display only. `server_id` is how the server calls the host, where that is not its
    name.
    """

    verdict: Verdict
    attested_at: datetime
    registers: Registers = field(default_factory=dict)
    voucher: Voucher = Voucher.SERVER
    finding: Finding | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    server_id: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether a quote has proven its registers, and nothing speaks against it."""
        return self.voucher is Voucher.QUOTE and self.finding is None


@dataclass(frozen=True, slots=True)
class NoEvidence:
    """The server gave nothing that can be appraised, and why."""

    finding: Finding


Answer = Evidence | NoEvidence

# After these the server vouches for the host no longer: earlier evidence counts no more.
# All other silences leave earlier evidence to run out by itself.
WITHDRAWN = frozenset({Reason.NOT_KNOWN_TO_SERVER})


# Evidence with such a date decides nothing, whoever's word is enough.
IMPOSSIBLE_DATES = frozenset({Reason.CLOCK_AHEAD, Reason.CLOCK_BACKWARDS})
# A quote that should prove the registers and does not: no server's word stands in for it.
UNPROVEN = frozenset(
    {
        Reason.TPM_KEY_MISSING,
        Reason.TPM_KEY_SHARED,
        Reason.TPM_IDENTITY_CHANGED,
        Reason.QUOTE_MISSING,
        Reason.QUOTE_REJECTED,
        Reason.TPM_ROLLED_BACK,
    }
)


@dataclass(frozen=True, slots=True)
class Timing:
    """When evidence begins to count, how far the server's clock is ahead, and what is wrong with it."""

    counts_from: datetime
    ahead: timedelta
    finding: Finding | None


def judge_times(
    evidence: Evidence,
    *,
    requested_at: datetime,
    received_at: datetime,
    previous: datetime | None,
    tolerance: timedelta,
) -> Timing:
    """Whether the evidence's date can be true.

    Validity counts from the earlier of the server's time and our request. A server's clock may be
    ahead of the moment its answer arrived by `tolerance`, and may never go back behind the date of
    the evidence it gave before (`previous`).
    """
    ahead = max(evidence.attested_at - received_at, timedelta(0))
    counts_from = min(evidence.attested_at, requested_at)
    finding = None
    if ahead > tolerance:
        seconds = {"seconds": f"{ahead.total_seconds():.0f}", "limit": f"{tolerance.total_seconds():.0f}"}
        finding = Finding(Reason.CLOCK_AHEAD, seconds)
    elif previous is not None and evidence.attested_at < previous:
        finding = Finding(Reason.CLOCK_BACKWARDS)
    return Timing(counts_from, ahead, finding)
