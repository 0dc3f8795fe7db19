"""Hosts: the list, and the tabs of one host. Each asks the service once."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from horizon import messages

from txt_dashboard_panel.api import hosts, instances
from txt_dashboard_panel.exceptions import TrustError
from txt_dashboard_panel.labels import STATES
from txt_dashboard_panel.pages import TrustPage, may, page_size

FILTERS = ("state", "pool", "q", "group", "server", "sort")
LOG_FILTERS = ("q", "index", "differing", "server")
MOST_EVENTS = 100
TABS = (
    ("detail", _("Measurements")),
    ("log", _("Event Log")),
    ("history", _("History")),
    ("instances", _("Instances")),
    ("evidence", _("Evidence")),
)


class IndexView(TrustPage):
    """A page of hosts, filtered by the service."""

    template_name = "txt_dashboard_panel/hosts.html"
    page_title = _("Hosts")

    def ask(self) -> hosts.HostPage:
        """The page that the address names."""
        wanted = {"limit": page_size(self.request), "marker": self.request.GET.get("marker", "")}
        return hosts.page(self.request, **chosen(self.request, FILTERS), **wanted)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what is chosen, and the next page."""
        context = super().get_context_data(**kwargs)
        answer = context["answer"]
        context.update(chosen=chosen(self.request, FILTERS), states=list(STATES.items()))
        if answer:
            context.update(version=answer.version, following=self.following(answer.next))
        return context


class HostView(TrustPage):
    """A tab of one host."""

    page_title = "{{ name }}"
    tab = ""

    @property
    def template_name(self) -> str:
        """One for each tab."""
        return f"txt_dashboard_panel/host/{self.tab}.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With all tabs, and what may be done."""
        context = super().get_context_data(**kwargs)
        context.update(
            tabs=[(slug, word, f"horizon:admin:trust_hosts:{slug}") for slug, word in TABS],
            tab=self.tab,
            may_attest=may(self.request, "trust:attest"),
            may_propose=may(self.request, "trust:propose"),
        )
        return context


class MeasurementsView(HostView):
    """Golden against actual, differences first, and why."""

    tab = "detail"

    def ask(self) -> hosts.Diff:
        """The differences."""
        return hosts.diff(self.request, self.kwargs["name"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the version that it was read at."""
        context = super().get_context_data(**kwargs)
        if context["answer"]:
            context["version"] = context["answer"].version
        return context


class PagedView(HostView):
    """A tab that goes on over pages."""

    filters: tuple[str, ...] = ()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what is chosen, and the next page."""
        context = super().get_context_data(**kwargs)
        context["chosen"] = chosen(self.request, self.filters)
        if context["answer"]:
            context["following"] = self.following(context["answer"].next)
        return context


class LogView(PagedView):
    """The event log."""

    tab = "log"
    filters = LOG_FILTERS

    def ask(self) -> hosts.EventLog:
        """The page of the log that the address names."""
        wanted = {"limit": MOST_EVENTS, "marker": self.request.GET.get("marker", "")}
        return hosts.event_log(self.request, self.kwargs["name"], **chosen(self.request, LOG_FILTERS), **wanted)


class HistoryView(PagedView):
    """What became of it."""

    tab = "history"

    def ask(self) -> hosts.History:
        """The page that the address names."""
        wanted = {"limit": page_size(self.request), "marker": self.request.GET.get("marker", "")}
        return hosts.history(self.request, self.kwargs["name"], **wanted)


class InstancesView(PagedView):
    """Which instances run on it, of all projects, and which of them asked for trust."""

    tab = "instances"

    def ask(self) -> instances.Page:
        """The page that the address names."""
        wanted = {"limit": page_size(self.request), "marker": self.request.GET.get("marker", "")}
        return instances.page(self.request, all=True, host=self.kwargs["name"], **wanted)


class EvidenceView(HostView):
    """All that is held of it."""

    tab = "evidence"

    def ask(self) -> hosts.Evidence:
        """The evidence."""
        return hosts.evidence(self.request, self.kwargs["name"])


@require_GET
def download(request: HttpRequest, name: str) -> HttpResponse:
    """The evidence as a file to take along."""
    try:
        document = hosts.evidence_document(request, name)
    except TrustError as error:
        messages.error(request, str(error))
        return redirect("horizon:admin:trust_hosts:evidence", name)
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.json") or "attachment"
    body = json.dumps(document, indent=2)
    return HttpResponse(body, content_type="application/json", headers={"Content-Disposition": disposition})


def chosen(request: HttpRequest, names: tuple[str, ...]) -> dict[str, str]:
    """The filters of the address."""
    return {name: value for name in names if (value := request.GET.get(name, "").strip()[:253])}
