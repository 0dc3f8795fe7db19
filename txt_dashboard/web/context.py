"""What the frame of every page shows: how old our knowledge is, whether what is in force is sound, who is asking."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from txt_dashboard import conf
from txt_dashboard.actions.governance.accounts import approver, known_account
from txt_dashboard.actions.permissions import Actor, Role, Verb, may
from txt_dashboard.attest.quorum import refusal
from txt_dashboard.cloud.persons import Project
from txt_dashboard.queries.flavors import any_cloud
from txt_dashboard.queries.golden import Urgent, emergencies
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.proposals import waiting_for
from txt_dashboard.queries.pulse import Pulse, take_pulse
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.keystone import entry_of

_SECTIONS = {
    "fleet": "fleet", "host": "fleet", "servers": "servers", "server": "servers", "baselines": "golden",
    "baseline": "golden", "proposal": "golden", "propose": "golden", "activity": "activity",
    "flavors": "flavors", "flavor": "flavors", "clouds": "clouds", "cloud": "clouds", "instances": "instances",
    "my": "own",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is logged in by Keystone, and the project that they are in."""

    name: str
    project: Project


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame for one person and one request."""

    pulse: Pulse
    actor: Actor
    section: str
    refused: str  # why nothing is in force although something should be
    urgent: tuple[Urgent, ...]  # what is in force by an emergency approval
    waiting: int  # open proposals that this person could approve
    any_cloud: bool

    @property
    def alone(self) -> bool:
        """Whether one person is enough to make hosts trusted."""
        return conf.quorum().persons <= 1

    @property
    def urgent_until(self) -> datetime | None:
        """When the last of the emergencies ends."""
        return max((each.until for each in self.urgent), default=None)

    @property
    def roles(self) -> str:
        """The person's roles, as words."""
        words = {
            Role.VIEWER: gettext("viewer"),
            Role.OPERATOR: gettext("operator"),
            Role.APPROVER: gettext("approver"),
            Role.ADMINISTRATOR: gettext("administrator"),
        }
        # Everybody may look; it is worth a word only where it is all that they may.
        roles = self.actor.roles - {Role.VIEWER} or self.actor.roles
        return ", ".join(words[role] for role in Role if role in roles)

    @property
    def may_poll(self) -> bool:
        """Whether to offer "Poll now"."""
        return may(self.actor, Verb.POLL)

    @property
    def may_propose(self) -> bool:
        """Whether to offer "Propose as baseline"."""
        return may(self.actor, Verb.PROPOSE_BASELINE)


def pulse_of(request: HttpRequest) -> Pulse:
    """The pulse, taken once for each request."""
    known = getattr(request, "_pulse", None)
    if known is None:
        known = request._pulse = take_pulse(timezone.now())  # type: ignore[attr-defined]
    return known


def frame(request: HttpRequest) -> dict[str, object]:
    """The context processor. Nothing is read for somebody who may see nothing."""
    if getattr(request, "_without_frame", False) or not request.user.is_authenticated:
        return {}
    entry = entry_of(request)
    owner: dict[str, object] = (
        {"owner": Owner(request.user.get_username(), entry.project)} if entry is not None else {}
    )
    if not may(actor_of(request.user), Verb.VIEW):
        return owner
    name = request.resolver_match.url_name if request.resolver_match else ""
    section = _SECTIONS.get((name or "").partition("-")[0], "")
    pulse, actor, current = pulse_of(request), actor_of(request.user), in_force()
    urgent = emergencies(current.set, pulse.now)
    waiting = _waiting(actor, pulse.now)
    return {**owner, "frame": Frame(pulse, actor, section, current.refused, urgent, waiting, any_cloud())}


def _waiting(actor: Actor, now: datetime) -> int:
    """How many open proposals wait for this person. Nothing is read for somebody whose approval would not count."""
    if not may(actor, Verb.DECIDE):
        return 0
    account = known_account(actor)
    if account is None or refusal(approver(account), now, "", conf.quorum()):
        return 0
    return waiting_for(account.person)
