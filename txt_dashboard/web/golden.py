"""Golden values: what is in force, what waits for decisions, what was decided, and what has ended."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from txt_dashboard.actions.governance import propose as proposing
from txt_dashboard.actions.governance.accounts import known_account
from txt_dashboard.actions.governance.decide import standing, why_not
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotFound, may, require
from txt_dashboard.attest.entries import kind_of
from txt_dashboard.attest.quorum import Refusal, Tally
from txt_dashboard.attest.reference import Part
from txt_dashboard.models import Account, Proposal, ProposalState
from txt_dashboard.queries import golden
from txt_dashboard.queries.agent_policies import progress
from txt_dashboard.queries.differences import kinds_of
from txt_dashboard.queries.fields import required, span
from txt_dashboard.queries.golden import Held, Phase
from txt_dashboard.queries.in_force import InForce, in_force
from txt_dashboard.queries.proposals import open_proposals, settled_proposals, touching
from txt_dashboard.queries.publishing import at_servers
from txt_dashboard.web.forms import ReasonForm
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.paging import page_number
from txt_dashboard.web.review import Review

OPEN_SHOWN = 50
POLICIES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open proposal as its list shows it to one person. `refusal`: why their approval would not count."""

    proposal: Proposal
    tally: Tally
    refusal: Refusal | None
    kinds: dict[str, int]

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Those that wait for the person first, then those of which a worker says that it is stuck."""
        return self.refusal is not None or self.tally.reached, not self.proposal.stuck, self.proposal.pk


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy in words."""

    entry_id: str
    server: str
    pool: str
    platform: str
    vmm: str
    validity: str
    word_is_enough: bool
    must_quote: bool


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everything about golden values; its parts refresh themselves."""
    now, actor, current = timezone.now(), actor_of(request.user), in_force()
    query = request.GET.get("q", "").replace("\0", "").strip()
    held = golden.baselines(current, now)
    found, number, pages = _page([each for each in held if each.phase is not Phase.ENDED], query, request.GET)
    ended = _latest([each for each in held if each.phase is Phase.ENDED])
    shown = golden.counted([*found, *ended], current.reference, now)
    settled = settled_proposals(_before(request.GET))
    policies = _policies(current, query)
    servers = golden.servers(current.reference)
    context = {
        "set": current,
        "signature": golden.signature_of(current.set.number) if current.set.number else None,
        "waiting": _waiting(actor, now),
        "parts": _by_part(shown[: len(found)]),
        "total": sum(each.phase is not Phase.ENDED for each in held),
        "ended": shown[len(found) :],
        "ended_more": max(0, sum(each.phase is Phase.ENDED for each in held) - len(ended)),
        "policies": policies[:POLICIES_SHOWN],
        "more_policies": max(0, len(policies) - POLICIES_SHOWN),
        "servers": servers,
        "at_servers": at_servers(current.reference, now),
        "agents": progress(),
        "settled": settled,
        "later": "before" in request.GET,
        "q": query,
        "page_before": _address(query, number - 1) if number > 1 else "",
        "page_after": _address(query, number + 1) if number < pages else "",
        "touched": touching(
            [each.baseline.id for each in shown]
            + [each.entry_id for each in policies[:POLICIES_SHOWN]]
            + [each.entry_id for each in servers]
        ),
        "proposes": {kind.value: may(actor, verb) for kind, verb in proposing.NEEDED.items()},
    }
    return render(request, "golden/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest) -> HttpResponse:
    """The form to ask that an entry goes. What would follow is shown before, and on the proposal's page."""
    actor, entry_id = actor_of(request.user), request.GET.get("entry", "")
    current = in_force()
    if entry_id not in current.set.entries:
        raise NotFound(gettext("This is not in force, so it can't be retired."))
    verb = proposing.NEEDED[kind_of(entry_id)]
    form, conflict, status = ReasonForm(), "", 200
    if request.method == "POST":
        require(actor, verb)
        form, status = ReasonForm(request.POST), 400
        if form.is_valid():
            try:
                made = proposing.retire(actor, entry_id, reason=form.cleaned_data["reason"], now=timezone.now())
            except Invalid as invalid:
                form.take_errors(invalid)
            except Conflict as error:
                conflict, status = str(error), 409
            else:
                return redirect("proposal", made.pk)
    patch = current.set.patch({entry_id: None})
    unwritten = Proposal(patch=patch.stored(), content_hash=patch.content_hash, state=ProposalState.OPEN)
    review = Review(unwritten, actor, timezone.now(), decisions=())
    context = {
        "form": form,
        "entry_id": entry_id,
        "conflict": conflict,
        "may": may(actor, verb),
        "review": review,
        **review.page(""),
        "touched": touching([entry_id]).get(entry_id),
    }
    return render(request, "golden/retire.html", context, status=status)


def _waiting(actor: Actor, now: datetime) -> list[Waiting]:
    account = known_account(actor)
    rows = [_row(proposal, account, now) for proposal in open_proposals()]
    return sorted(rows, key=lambda row: row.rank)[:OPEN_SHOWN]


def _row(proposal: Proposal, account: Account | None, now: datetime) -> Waiting:
    decisions = list(proposal.decisions.all())
    tally = standing(proposal, decisions=decisions)
    refused = why_not(proposal, account, now, decisions=decisions)
    return Waiting(proposal, tally, refused, kinds_of(proposal))


def _page(current: list[Held], query: str, address: QueryDict) -> tuple[tuple[Held, ...], int, int]:
    """The baselines of the page that is asked for, its number, and how many pages there are."""
    found = golden.search(current, query) if query else tuple(current)
    pages = max(1, -(-len(found) // golden.PAGE))
    number = page_number(address.get("page", ""), pages)
    return found[(number - 1) * golden.PAGE : number * golden.PAGE], number, pages


def _latest(ended: list[Held]) -> list[Held]:
    moments = [(each.baseline.not_after, each) for each in ended if each.baseline.not_after]
    return [each for _, each in sorted(moments, key=lambda pair: pair[0], reverse=True)][: golden.PAGE]


def _by_part(shown: tuple[Held, ...]) -> list[tuple[Part, list[Held]]]:
    return [(part, [each for each in shown if each.baseline.part is part]) for part in Part]


def _policies(current: InForce, query: str) -> list[PolicyRow]:
    wanted = query.lower()
    return [
        PolicyRow(
            entry_id,
            of.server,
            of.pool,
            required(of.policy, Part.PLATFORM),
            required(of.policy, Part.VMM),
            span(of.policy.validity),
            of.policy.word_is_enough,
            of.policy.must_quote,
        )
        for entry_id, of in golden.policies(current.reference)
        if wanted in of.server.lower() or wanted in of.pool.lower()
    ]


def _before(address: QueryDict) -> int | None:
    text = address.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _address(query: str, number: int) -> str:
    wanted = {name: value for name, value in (("q", query), ("page", str(number))) if value}
    return f"{reverse('baselines')}?{urlencode(wanted)}#in-force"
