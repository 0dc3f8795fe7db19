"""What the frame of every page shows: how old our knowledge is, and who is asking."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from txt_dashboard.actions.permissions import Actor, Role, Verb, may
from txt_dashboard.queries.pulse import Pulse, take_pulse
from txt_dashboard.web.identity import actor_of

_SECTIONS = {"fleet": "fleet", "host": "fleet", "servers": "servers", "server": "servers", "activity": "activity"}


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame for one person and one request."""

    pulse: Pulse
    actor: Actor
    section: str

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


def pulse_of(request: HttpRequest) -> Pulse:
    """The pulse, taken once for each request."""
    known = getattr(request, "_pulse", None)
    if known is None:
        known = request._pulse = take_pulse(timezone.now())  # type: ignore[attr-defined]
    return known


def frame(request: HttpRequest) -> dict[str, object]:
    """The context processor. Nothing is read for somebody who may see nothing."""
    if not request.user.is_authenticated or not may(actor_of(request.user), Verb.VIEW):
        return {}
    name = request.resolver_match.url_name if request.resolver_match else ""
    section = _SECTIONS.get((name or "").partition("-")[0], "")
    return {"frame": Frame(pulse_of(request), actor_of(request.user), section)}
