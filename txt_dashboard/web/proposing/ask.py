"""What all ways of proposing share: show what would follow, and make it once that is what the person saw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from txt_dashboard.actions.governance.propose import propose_all, settled_anew
from txt_dashboard.actions.governance.refuse import Wanted
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, Verb, may, require
from txt_dashboard.attest.draft import Draft, warnings
from txt_dashboard.attest.reference import Baseline
from txt_dashboard.models import Host, Proposal, ProposalState
from txt_dashboard.queries.differences import Act
from txt_dashboard.queries.proposals import touching
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.proposing.forms import WordsForm
from txt_dashboard.web.review import Review

MOST_WARNINGS = 20
TOLERATED = timedelta(days=1)  # how old the moment may be that "at once" was shown for


@dataclass(frozen=True, slots=True)
class Asked:
    """One proposal to be made. `about` is what its title says beyond what the person wrote.

    `shown` stands for what the person must have seen before it is made, as it is now.
    """

    wanted: Wanted
    shown: str
    about: str = ""


class Preview:
    """What would follow from what is asked: its review, or why it can't be proposed. `seen` is for the form."""

    def __init__(self, asked: Sequence[Asked], actor: Actor, now: datetime, refused: Sequence[str] = ()) -> None:
        self.asked, self.now, self.refused = asked, now, tuple(refused)
        self.wanted: Wanted = {id_: entry for each in asked for id_, entry in each.wanted.items()}
        self.seen = ""
        self.review: Review | None = None
        if self.refused or not self.wanted:
            return
        try:
            patch = settled_anew(self.wanted)
        except Invalid as invalid:
            self.refused = tuple(sentence for of_one in invalid.errors.values() for sentence in of_one)
            return
        self.seen = sha256("\n".join(each.shown for each in asked).encode()).hexdigest()
        unwritten = Proposal(patch=patch.stored(), content_hash=patch.content_hash, state=ProposalState.OPEN)
        self.review = Review(unwritten, actor, now, decisions=())

    @cached_property
    def page(self) -> dict[str, Any]:
        """The first changed entries."""
        return self.review.page("") if self.review else {"cards": ()}

    @cached_property
    def hidden(self) -> int:
        """How many more changed entries there are than are shown."""
        return len(self.review.differences.entries) - len(self.page["cards"]) if self.review else 0

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at twice, although it may be meant."""
        if self.review is None or self.review.outlook is None:
            return ()
        policies = self.review.outlook.reference.policies
        pools = frozenset(Host.objects.order_by().values_list("pool", flat=True).distinct())
        added = [each.after for each in self.review.differences.entries if each.act is Act.ADD]
        drafts = [Draft.of(said) for said in added if isinstance(said, Baseline)]
        said = [f"{draft.name}: {sentence}" for draft in drafts for sentence in warnings(draft, policies, pools)]
        return tuple(said[:MOST_WARNINGS])

    @cached_property
    def touched(self) -> tuple[int, ...]:
        """Open proposals that touch the same."""
        return tuple(sorted(set(touching(self.wanted).values())))


Make = Callable[[datetime], Sequence[Asked]]
Doing = Callable[[Actor, Sequence[Asked], WordsForm, datetime], Sequence[Proposal]]


def serve(
    request: HttpRequest,
    template: str,
    form: WordsForm,
    make: Make,
    *,
    verb: Verb = Verb.PROPOSE_BASELINE,
    act: Doing | None = None,
    context: Mapping[str, object] | None = None,
) -> HttpResponse:
    """The page of one way of proposing; makes the proposal where it is asked for and still what was shown.

    `make` says what would be proposed, as of the moment that "at once" means; it may raise `Invalid`.
    """
    actor, now = actor_of(request.user), timezone.now()
    pressed = request.method == "POST" and "propose" in request.POST
    if pressed:
        require(actor, verb)
    at = _moment(request.POST.get("at", ""), now)
    preview = _preview(form, make, at, actor, now)
    conflict, status = "", 400 if pressed else 200
    if pressed and preview.review is not None:
        if request.POST.get("seen", "") != preview.seen:
            conflict = gettext("These are not the values that you saw. Look at them, then propose again.")
            status = 409
        else:
            try:
                return _made((act or _propose)(actor, preview.asked, form, now), request)
            except Invalid as invalid:
                form.take_errors(invalid)
            except Conflict as error:
                conflict, status = str(error), 409
    shown = {
        "form": form,
        "preview": preview,
        "review": preview.review,
        **preview.page,
        "at": at.isoformat(),
        "may": may(actor, verb),
        "conflict": conflict,
        "pressed": pressed,
        **(context or {}),
    }
    return render(request, template, shown, status=status)


def _preview(form: WordsForm, make: Make, at: datetime, actor: Actor, now: datetime) -> Preview:
    if form.is_bound and not form.is_valid():
        wrong = [str(sentence) for of_field in form.errors.values() for sentence in of_field]
        return Preview((), actor, now, refused=wrong)
    try:
        return Preview(make(at), actor, now)
    except Invalid as invalid:
        return Preview((), actor, now, refused=[each for of_one in invalid.errors.values() for each in of_one])


def _propose(actor: Actor, asked: Sequence[Asked], form: WordsForm, now: datetime) -> Sequence[Proposal]:
    said = form.cleaned_data
    titled = [(f"{said['title'].strip()}{each.about}", each.wanted) for each in asked]
    return propose_all(actor, titled, reason=said["reason"], now=now)


def _made(made: Sequence[Proposal], request: HttpRequest) -> HttpResponse:
    if len(made) == 1:
        return redirect("proposal", made[0].pk)
    sentence = ngettext("%(n)d proposal was made.", "%(n)d proposals were made.", len(made)) % {"n": len(made)}
    messages.info(request, sentence)
    return redirect("baselines")


def _moment(text: str, now: datetime) -> datetime:
    """The moment that a form carried, where it can be one that a page showed; else now."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return now.replace(microsecond=0)
    fits = at.tzinfo is not None and now - TOLERATED <= at <= now
    return at if fits else now.replace(microsecond=0)
