"""A project's instances, and whether the host under each is trusted. Names no host, to nobody."""

import dataclasses
import hashlib
import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from txt_dashboard_panel.api import instances
from txt_dashboard_panel.exceptions import TrustError
from txt_dashboard_panel.pages import TrustPage, page_size


class IndexView(TrustPage):
    """The instances of the project that this person works in."""

    template_name = "txt_dashboard_panel/instances.html"
    page_title = gettext_lazy("Instance Trust")
    rule = "trust:view_own_instances"

    def ask(self) -> instances.Page:
        """The page that the address names."""
        return _page(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the next page."""
        context = super().get_context_data(**kwargs)
        if answer := context["answer"]:
            context.update(version=_version(answer), following=self.following(answer.next), chosen={})
        return context


@require_GET
def live(request: HttpRequest) -> JsonResponse:
    """Whether the page is to read itself anew."""
    try:
        return JsonResponse({"version": _version(_page(request)), "said": ""})
    except TrustError as error:
        return JsonResponse({"version": "", "said": str(error)})


def _page(request: HttpRequest) -> instances.Page:
    return instances.page(request, limit=page_size(request), marker=request.GET.get("marker", "")[:320])


def _version(answer: instances.Page) -> str:
    """Changes with all that the page shows but the moment of reading."""
    shown = [answer.problem, answer.next, *(dataclasses.astuple(each) for each in answer.items)]
    return hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:32]
