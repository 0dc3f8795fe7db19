"""The fleet in numbers, what changed, the latest activity; and what changed since, for pages that poll."""

import re
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from txt_dashboard_panel.api import fleet
from txt_dashboard_panel.exceptions import TrustError
from txt_dashboard_panel.labels import STATES
from txt_dashboard_panel.pages import TrustPage

NAMED = 3  # hosts that are read out; more are counted
_VERSION = re.compile(r"([0-9]{1,18}-){5}[0-9]{1,18}")


class IndexView(TrustPage):
    """The first page."""

    template_name = "txt_dashboard_panel/overview.html"
    page_title = gettext_lazy("Trusted Compute")

    def ask(self) -> fleet.Overview:
        """All of it at once."""
        return fleet.overview(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the tally in the order of the states."""
        context = super().get_context_data(**kwargs)
        if context["answer"]:
            summary = context["answer"].summary
            context["version"] = summary.version
            context["tally"] = [
                (state, getattr(summary.hosts, state), getattr(summary.moved, state)) for state in STATES
            ]
        return context


@require_GET
def live(request: HttpRequest) -> JsonResponse:
    """What changed since a version that a page knows: whether to read itself anew, and a sentence to read out."""
    since = request.GET.get("since", "")
    try:
        status = fleet.status(request, since if _VERSION.fullmatch(since) else "")
    except TrustError as error:
        return JsonResponse({"version": "", "said": str(error)})
    return JsonResponse({"version": status.version, "said": _sentence(status)})


def _sentence(status: fleet.Status) -> str:
    """What changed, or how far a poll has come; nothing where nothing did."""
    if status.polling and status.polling.running:
        told = {"done": status.polling.done, "total": status.polling.total}
        return _("%(done)s of %(total)s hosts attested.") % told
    number = len(status.changed)
    if status.more or number > NAMED:
        more = ngettext("%(number)s host changed.", "%(number)s hosts changed.", number)
        return _("Many hosts changed.") if status.more else more % {"number": number}
    said = _("%(host)s is %(state)s.")
    return " ".join(said % {"host": each.host, "state": STATES[each.state].lower()} for each in status.changed)
