"""What the review page says of one proposal to one person, gathered once for each request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils.translation import gettext, ngettext

from txt_dashboard import conf
from txt_dashboard.actions.governance.accounts import known_account
from txt_dashboard.actions.governance.decide import may_be_urgent, standing, why_not
from txt_dashboard.actions.governance.voices import Candidate, Voice, candidates, voices
from txt_dashboard.actions.losses import is_many
from txt_dashboard.actions.permissions import Actor, Verb, may
from txt_dashboard.attest.entries import EntryKind
from txt_dashboard.attest.quorum import Refusal, Tally
from txt_dashboard.attest.reference import Baseline
from txt_dashboard.models import Decision, Proposal, ProposalState
from txt_dashboard.queries.concerned import Concerned, concerned
from txt_dashboard.queries.differences import Act, Difference, Differences, differences
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.fields import Field, fields
from txt_dashboard.queries.golden import Held, counted, phase_of
from txt_dashboard.queries.impact import Impact
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.proposals import Outlook, approvers, outlook
from txt_dashboard.queries.publishing import takes_values
from txt_dashboard.web.paging import page_number

PAGE = 20
_LEAST = (Change.GAINED, Change.LOST)  # shown even where they are none


@dataclass(frozen=True, slots=True)
class Tile:
    """How many hosts one thing happens to, a few of them by name, and where all are."""

    change: Change
    hosts: int
    says: str
    examples: tuple[str, ...]
    concerned: Concerned | None = None  # the instances on these hosts; None without a cloud

    @property
    def slug(self) -> str:
        """In the address of the list of all of them."""
        return self.change.value.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Later:
    """What changes for hosts at a date to come."""

    moment: datetime
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One changed entry, its differences in words, and how many hosts show a baseline's values."""

    difference: Difference
    fields: tuple[Field, ...]
    hosts: int | None

    @property
    def shown(self) -> tuple[Field, ...]:
        """The fields to read: of a changed entry those that change."""
        return tuple(field for field in self.fields if field.changed) if self.compares else self.fields

    @property
    def same(self) -> tuple[Field, ...]:
        """Fields that stay as they are."""
        return tuple(field for field in self.fields if not field.changed) if self.compares else ()

    @property
    def compares(self) -> bool:
        """Whether there is something to compare with: not where what it replaces is not there any more."""
        return self.difference.act is Act.CHANGE and self.difference.before is not None


class Review:
    """One proposal as one person sees it at one moment."""

    def __init__(self, proposal: Proposal, actor: Actor, now: datetime, decisions: Sequence[Decision]) -> None:
        self.proposal, self.actor, self.now, self.decisions = proposal, actor, now, decisions

    @property
    def open(self) -> bool:
        """Whether it waits for decisions, or for the worker."""
        return bool(self.proposal.state == ProposalState.OPEN)

    # What it does.

    @cached_property
    def differences(self) -> Differences:
        """What it changes."""
        return differences(self.proposal, self.now)

    @cached_property
    def outlook(self) -> Outlook | None:
        """What it would do to hosts; `None` where nothing of it can come into force as it is."""
        found = self.differences
        hindered = found.unreadable or found.outdated or found.restores != bool(in_force().refused)
        return outlook(self.proposal, self.now) if self.open and not hindered else None

    @property
    def tells_servers(self) -> bool:
        """Whether hosts wait for their server's word, and a server can be told what was approved."""
        waiting = self.outlook is not None and self.outlook.now[Change.GAINED_ONCE_VOUCHED] > 0
        return waiting and takes_values(in_force().reference)

    @property
    def touches_keys(self) -> bool:
        """Whether it says which TPM key is whose: only hosts' next quotes can tell what follows from that."""
        return any(each.kind is EntryKind.KEY for each in self.differences.entries)

    @property
    def impact_hash(self) -> str:
        """Of what is shown of hosts."""
        return self.outlook.now.digest if self.outlook else ""

    @property
    def many_losses(self) -> int:
        """How many hosts lose their trust at once, where they are so many that the number must be named; else 0."""
        if self.outlook is None or not is_many(self.outlook.now[Change.LOST], self.outlook.now.hosts):
            return 0
        return self.outlook.now[Change.LOST]

    @property
    def judged(self) -> int:
        """Over how many hosts it was computed."""
        return self.outlook.now.hosts if self.outlook else 0

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """What happens to hosts at once, and to the instances on them."""
        return _tiles(self.outlook.now, _LEAST, concerned(self.outlook.now)) if self.outlook else ()

    def tile(self, slug: str) -> Tile | None:
        """The tile whose list of hosts has this name in its address."""
        return next((tile for tile in self.tiles if tile.slug == slug), None)

    @property
    def later(self) -> tuple[Later, ...]:
        """What happens to hosts at the dates to come, compared with what is in force now."""
        return tuple(Later(at, _tiles(found, _LEAST)) for at, found in self.outlook.later) if self.outlook else ()

    @property
    def pools(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """By pool how many hosts each tile counts; nothing where there is one pool only."""
        if self.outlook is None or len(self.outlook.now.pools) < 2:
            return ()
        shown = [tile.change for tile in self.tiles]
        return tuple(
            (pool, tuple(counts.get(change, 0) for change in shown))
            for pool, counts in self.outlook.now.pools.items()
        )

    @property
    def shown(self) -> str:
        """The numbers of hosts as a form carries them, so that a conflict can say what they were."""
        return "/".join(str(tile.hosts) for tile in self.tiles if tile.change in _LEAST)

    def page(self, asked: str) -> dict[str, Any]:
        """One page of changed entries, and the numbers of the pages beside it."""
        everything = self.differences.entries
        pages = max(1, -(-len(everything) // PAGE))
        number = page_number(asked, pages)
        chosen = everything[(number - 1) * PAGE : number * PAGE]
        return {
            "cards": self._cards(chosen),
            "page_before": number - 1,
            "page_after": number + 1 if number < pages else 0,
            "from_entry": (number - 1) * PAGE + 1,
            "to_entry": (number - 1) * PAGE + len(chosen),
        }

    # Who decides.

    @cached_property
    def tally(self) -> Tally:
        """Whose approvals count now."""
        return standing(self.proposal, decisions=self.decisions)

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        """Who decided what, and what of it counts no more; the latest first."""
        return tuple(reversed(voices(self.proposal, self.decisions)))

    @cached_property
    def refusal(self) -> Refusal | None:
        """Why this person's approval would not count."""
        return why_not(self.proposal, self.account, self.now, decisions=self.decisions)

    @cached_property
    def emergency_refusal(self) -> Refusal | None:
        """Why this person's emergency approval would not count."""
        return why_not(self.proposal, self.account, self.now, emergency=True, decisions=self.decisions)

    @property
    def counts_from(self) -> datetime | None:
        """From when on this person's approvals count, where only time is missing."""
        since = self.account.approver_since if self.account else None
        return since + conf.quorum().waiting if since and self.refusal is Refusal.TOO_NEW else None

    @property
    def may_reject(self) -> bool:
        """Whether this person may end it."""
        return may(self.actor, Verb.DECIDE)

    @property
    def own(self) -> bool:
        """Whether this person proposed it, under whatever account."""
        proposer, account = self.proposal.proposer, self.account
        return proposer is not None and account is not None and proposer.person == account.person

    @property
    def emergency_lasts(self) -> timedelta | None:
        """For how long an emergency approval of this would hold, where the settings and its content allow one."""
        lasts = conf.quorum().emergency
        readable = lasts is not None and not self.differences.unreadable
        return lasts if readable and may_be_urgent(self.proposal) else None

    @cached_property
    def account(self) -> Any:
        """The person's account."""
        return known_account(self.actor)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """All approvers, and why each might not count."""
        return candidates(self.proposal, approvers(), self.decisions, self.now) if self.open else ()

    @property
    def too_few(self) -> bool:
        """Whether there are not enough approvers left, whatever they decide."""
        return self.open and sum(each.refusal is None for each in self.candidates) < self.tally.missing

    @property
    def emergency_ended(self) -> bool:
        """Whether it held by an emergency approval that is over."""
        until = self.proposal.emergency_until
        return until is not None and until <= self.now

    def _cards(self, chosen: Sequence[Difference]) -> tuple[Card, ...]:
        proposed = [(each.entry_id, each.after) for each in chosen if isinstance(each.after, Baseline)]
        shown: dict[str, int] = {}
        if self.outlook is not None:
            held = [Held(baseline, phase_of(baseline, self.now)) for _, baseline in proposed]
            found = counted(held, self.outlook.reference, self.now)
            shown = {entry_id: one.hosts for (entry_id, _), one in zip(proposed, found, strict=True)}
        return tuple(Card(each, fields(each), shown.get(each.entry_id)) for each in chosen)


def shown_of(text: str) -> tuple[int, ...]:
    """The numbers of hosts that a form carried; nothing for nonsense."""
    parts = text.split("/")
    return tuple(int(part) for part in parts) if all(p.isascii() and p.isdigit() for p in parts) else ()


def _tiles(
    found: Impact, always: Sequence[Change], instances: Mapping[Change, Concerned] | None = None
) -> tuple[Tile, ...]:
    on_them = instances or {}
    return tuple(
        Tile(change, found[change], _says(change, found[change]), found.examples.get(change, ()), on_them.get(change))
        for change in Change
        if found[change] or change in always
    )


def _says(change: Change, hosts: int) -> str:
    sentences = {
        Change.GAINED: ngettext("becomes trusted", "become trusted", hosts),
        Change.LOST: ngettext("loses trust", "lose trust", hosts),
        Change.GAINED_ONCE_FRESH: ngettext(
            "becomes trusted once its evidence is fresh", "become trusted once their evidence is fresh", hosts
        ),
        Change.LOST_ONCE_FRESH: ngettext(
            "is stale, and fresh evidence would not make it trusted any more",
            "are stale, and fresh evidence would not make them trusted any more",
            hosts,
        ),
        Change.GAINED_ONCE_VOUCHED: ngettext(
            "would match, but its server calls it untrusted",
            "would match, but their server calls them untrusted",
            hosts,
        ),
    }
    return sentences.get(change) or gettext("change otherwise")
