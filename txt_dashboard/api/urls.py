"""Addresses of the API, and its description. None of them is for log-in by a session."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from txt_dashboard.api import (
    baselines,
    export,
    flavors,
    fleet,
    hosts,
    instances,
    overview,
    polls,
    records,
    reviews,
    stakes,
)
from txt_dashboard.api.app import api

api.add_router("hosts", hosts.router)
api.add_router("baselines", baselines.router)
api.add_router("baselines", reviews.router)
api.add_router("export", export.router)
api.add_router("flavors", flavors.router)
api.add_router("instances", instances.router)
api.add_router("stakes", stakes.router)
api.add_router("", fleet.router)
api.add_router("", overview.router)
api.add_router("", polls.router)
api.add_router("", records.router)


@login_not_required
@require_safe
def description(request: HttpRequest) -> HttpResponse:
    """The OpenAPI description. It is the same for everybody, and holds nothing of the fleet."""
    return JsonResponse(api.description_document)


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The description for people: every route, without any script."""
    document = api.description_document
    routes = [
        {"method": method.upper(), "path": address, **operation}
        for address, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return render(request, "api/page.html", {"info": document["info"], "routes": routes})


def _routes() -> list[Any]:
    """The routes of the API; who asks is found out by itself, not by the pages' log-in."""
    found: list[Any] = api.urls[0]
    for each in found:
        if isinstance(each, URLPattern):
            each.callback.login_required = False  # type: ignore[attr-defined]
    return found


app_name = "api"
urlpatterns = [
    path("openapi.json", description, name="description"),
    path("docs", page, name="docs"),
    *_routes(),
]
