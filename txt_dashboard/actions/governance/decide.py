"""Deciding on proposals. An approval counts for exactly the content and the impact that were shown."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from txt_dashboard import conf
from txt_dashboard.actions.governance.accounts import account_of, approver
from txt_dashboard.actions.governance.propose import check_reason, log_proposal
from txt_dashboard.actions.losses import require_named
from txt_dashboard.actions.permissions import Actor, Conflict, NotAllowed, NotFound, Verb, require
from txt_dashboard.attest.entries import EntryKind, kind_of
from txt_dashboard.attest.quorum import Approval, Approver, QuorumRules, Refusal, Tally, refusal, tally
from txt_dashboard.attest.signed_set import Patch
from txt_dashboard.models import Account, Decision, DecisionVerb, Proposal, ProposalState
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.proposals import impact_of

_APPROVALS = {DecisionVerb.APPROVE: False, DecisionVerb.EMERGENCY: True}  # which of them are emergencies


@transaction.atomic
def approve(  # noqa: PLR0913 - all that a person is held to by an approval
    actor: Actor,
    proposal_id: int,
    *,
    reason: str,
    content_hash: str,
    impact_hash: str,
    now: datetime,
    emergency: bool = False,
    confirmed_losses: int | None = None,
) -> Tally:
    """Records an approval; once enough persons gave theirs, a worker signs. Returns who counts now.

    Raises `NotAllowed` with the reason why the actor's approval would not count, `NotFound`, `Invalid` without a
    reason, `Conflict` where the content or the impact is not any more what was shown, and `ManyLosses`.
    """
    require(actor, Verb.DECIDE)
    proposal = _open(proposal_id)
    check_reason(reason)
    account = account_of(actor)
    if why := why_not(proposal, account, now, emergency=emergency):
        raise NotAllowed(str(why))
    if content_hash != proposal.content_hash:
        raise Conflict("This proposal was edited since you saw it. Look at it again before you decide.")
    found = impact_of(proposal, now)
    if impact_hash != found.digest:
        raise Conflict("What this does to hosts has changed since you saw it. Look at it again before you decide.")
    require_named(found[Change.LOST], confirmed_losses, hosts=found.hosts)
    verb = DecisionVerb.EMERGENCY if emergency else DecisionVerb.APPROVE
    _record(actor, account, proposal, verb, reason, impact_hash, now)
    return standing(proposal)


@transaction.atomic
def reject(actor: Actor, proposal_id: int, *, reason: str, content_hash: str, now: datetime) -> None:
    """Ends an open proposal. Raises `NotAllowed`, `NotFound`, `Invalid`, `Conflict` as `approve`."""
    require(actor, Verb.DECIDE)
    proposal = _open(proposal_id)
    check_reason(reason)
    account = account_of(actor)
    if content_hash != proposal.content_hash:
        raise Conflict("This proposal was edited since you saw it. Look at it again before you decide.")
    proposal.state, proposal.settled_at = ProposalState.REJECTED, now
    proposal.save(update_fields=["state", "settled_at"])
    _record(actor, account, proposal, DecisionVerb.REJECT, reason, "", now)


def why_not(
    proposal: Proposal,
    account: Account | None,
    now: datetime,
    *,
    emergency: bool = False,
    decisions: Iterable[Decision] | None = None,
) -> Refusal | None:
    """Why this account's approval would not count now, or `None` where it would. `decisions` as for `standing`."""
    rules = conf.quorum()
    if account is None:
        return Refusal.NO_PERSON
    if refused := refusal(approver(account), now, proposer_of(proposal), rules):
        return refused
    if emergency:
        if rules.emergency is None:
            return Refusal.EMERGENCY_OFF
        return None if may_be_urgent(proposal) else Refusal.NOT_URGENT
    return Refusal.ALREADY if str(account.person) in standing(proposal, decisions=decisions).persons else None


def may_be_urgent(proposal: Proposal) -> bool:
    """Whether it touches baselines only: an emergency changes neither policies nor which servers count."""
    patch = Patch.read(proposal.patch)
    return not patch.restores and all(kind_of(id_) is EntryKind.BASELINE for id_ in patch.changes)


def standing(
    proposal: Proposal, rules: QuorumRules | None = None, *, decisions: Iterable[Decision] | None = None
) -> Tally:
    """The approvals that count now, from what is recorded: two queries.

    Pages that have read the `decisions` of many proposals hand them in; whoever decides or signs reads them anew.
    """
    if decisions is None:
        decisions = proposal.decisions.select_related("account__user").prefetch_related("account__user__groups")
    people: dict[int, Approver] = {}
    approvals = []
    for decision in decisions:
        if decision.account is not None and decision.verb in _APPROVALS:
            by = people.setdefault(decision.account.pk, approver(decision.account))
            urgent = _APPROVALS[DecisionVerb(decision.verb)]
            approvals.append(Approval(by, decision.at, decision.content_hash, urgent))
    return tally(approvals, proposal.content_hash, proposer_of(proposal), rules or conf.quorum())


def proposer_of(proposal: Proposal) -> str:
    """The proposer's person; empty for the command line."""
    return str(proposal.proposer.person) if proposal.proposer else ""


def _open(proposal_id: int) -> Proposal:
    # Locked, so that of two who decide at once the second sees what the first did.
    proposal = Proposal.objects.select_for_update(of=("self",)).filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("There is no proposal of this number.")
    if proposal.state != ProposalState.OPEN:
        raise Conflict(f"This proposal is {proposal.state} already.")
    return proposal


def _record(
    actor: Actor,
    account: Account | None,
    proposal: Proposal,
    verb: DecisionVerb,
    reason: str,
    impact_hash: str,
    now: datetime,
) -> None:
    try:
        with transaction.atomic():
            Decision.objects.create(
                proposal=proposal,
                account=account,
                decided_by=actor.name,
                verb=verb,
                reason=reason.strip(),
                content_hash=proposal.content_hash,
                impact_hash=impact_hash,
                at=now,
            )
    except IntegrityError:
        raise Conflict("You have decided this already.") from None
    log_proposal(actor, f"{verb.value} proposal", proposal, now, reason=reason.strip(), impact=impact_hash)
