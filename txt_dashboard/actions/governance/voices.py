"""What people decided on a proposal, and whose word counts: for pages to explain. Nothing is decided here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from txt_dashboard import conf
from txt_dashboard.actions.governance.accounts import approver
from txt_dashboard.actions.governance.decide import proposer_of, why_not
from txt_dashboard.attest.quorum import Refusal, refusal
from txt_dashboard.models import Account, Decision, DecisionVerb, Proposal, ProposalState


class Void(Enum):
    """Why a recorded decision counts no more; the value is a sentence."""

    EDITED = "The proposal was edited after it."
    NO_ACCOUNT = "The account is not there any more."
    SAME_PERSON = "Another account of the same person approved already: a person counts once."

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Voice:
    """One decision, and why it does not count; `None` where it does, or where there is nothing to count."""

    decision: Decision
    void: Void | Refusal | None

    @property
    def urgent(self) -> bool:
        """Whether it was an emergency approval."""
        return bool(self.decision.verb == DecisionVerb.EMERGENCY)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An approver, and why their approval would not count now. `at` is when it will, where only time is missing."""

    name: str
    refusal: Refusal | None
    at: datetime | None = None


def voices(proposal: Proposal, decisions: Iterable[Decision]) -> tuple[Voice, ...]:
    """The decisions in their order. Those on a settled proposal are history: only an edit made them void."""
    heard: set[tuple[str, bool]] = set()
    return tuple(Voice(each, _void(proposal, each, heard)) for each in decisions)


def candidates(
    proposal: Proposal, accounts: Iterable[Account], decisions: Sequence[Decision], now: datetime
) -> tuple[Candidate, ...]:
    """Who could approve it: first those whose word would count, then those who wait, then the others. No query."""
    rules = conf.quorum()
    found = []
    for account in accounts:
        refused = why_not(proposal, account, now, decisions=decisions)
        waits = refused is Refusal.TOO_NEW and account.approver_since is not None
        at = account.approver_since + rules.waiting if waits and account.approver_since else None
        found.append(Candidate(str(account), refused, at))
    return tuple(sorted(found, key=lambda each: (each.refusal is not None, each.at is None, each.name)))


def _void(proposal: Proposal, decision: Decision, heard: set[tuple[str, bool]]) -> Void | Refusal | None:
    if decision.verb not in (DecisionVerb.APPROVE, DecisionVerb.EMERGENCY):
        return None
    if decision.content_hash != proposal.content_hash:
        return Void.EDITED
    if proposal.state != ProposalState.OPEN:
        return None
    if decision.account is None:
        return Void.NO_ACCOUNT
    urgent = decision.verb == DecisionVerb.EMERGENCY
    if refused := refusal(approver(decision.account), decision.at, proposer_of(proposal), conf.quorum()):
        return refused
    if urgent and conf.quorum().emergency is None:
        return Refusal.EMERGENCY_OFF
    person = str(decision.account.person), urgent
    if person in heard:
        return Void.SAME_PERSON
    heard.add(person)
    return None
