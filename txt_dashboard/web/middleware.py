"""What holds for every page: who may see it, what the browser may do with it, and how failures are told."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext

from txt_dashboard.actions.permissions import (
    ActionError,
    CloudFailed,
    Conflict,
    Invalid,
    ManyLosses,
    NotAllowed,
    NotFound,
    Verb,
    may,
)
from txt_dashboard.web.identity import actor_of

log = logging.getLogger(__name__)

_HEADERS = {
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STATUS: dict[type[ActionError], HTTPStatus] = {
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    ManyLosses: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.BAD_REQUEST,
    CloudFailed: HTTPStatus.BAD_GATEWAY,
}


class BrowserPolicyMiddleware:
    """Denies by default, sets the browser's limits, and turns failures into pages with a sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answers, with the headers that every answer bears (a view may set its own)."""
        response = self.get_response(request)
        if _is_fragment(request) and _asks_to_log_in(response):
            response = _log_in_again(request, response)
        for header, value in _HEADERS.items():
            response.headers.setdefault(header, value)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: object) -> HttpResponse | None:
        """Who has no role here sees their own instances, where they have a project at Keystone, and the way out."""
        if not getattr(view, "login_required", True) or may(actor_of(request.user), Verb.VIEW):
            return None
        owns = may(actor_of(request.user), Verb.VIEW_OWN_INSTANCES)
        if owns and getattr(view, "for_owners", False):
            return None
        if owns and request.path_info == "/" and request.method == "GET" and not _is_fragment(request):
            return redirect("my-instances")  # where everybody begins
        raise PermissionDenied

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A verb that could not be done, or a database that can't be used, is told in a sentence."""
        if isinstance(exception, ActionError):
            return _told(request, exception)
        if isinstance(exception, OperationalError):
            log.error("database_unavailable", exc_info=exception)
            return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "10"})
        return None


def _told(request: HttpRequest, error: ActionError) -> HttpResponse:
    """A page with the error's sentence; for a part of a page the bare sentence, which the page shows as an alert."""
    status = _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(str(error), status=status, content_type="text/plain; charset=utf-8")
    titles = {
        HTTPStatus.FORBIDDEN: gettext("You may not do that"),
        HTTPStatus.NOT_FOUND: gettext("Not found"),
        HTTPStatus.CONFLICT: gettext("Somebody was faster"),
    }
    title = titles.get(status, gettext("That did not work"))
    return render(request, "error.html", {"title": title, "sentence": str(error)}, status=status)


def _is_fragment(request: HttpRequest) -> bool:
    return bool(request.htmx) or request.headers.get("Accept") == "application/json"  # type: ignore[attr-defined]


def _asks_to_log_in(response: HttpResponse) -> bool:
    location = urlsplit(response.headers.get("Location", ""))
    pages = (resolve_url(settings.LOGIN_URL), resolve_url("login-keystone"))
    return response.status_code == HTTPStatus.FOUND and location.path in pages


def _log_in_again(request: HttpRequest, asking: HttpResponse) -> HttpResponse:
    """A log-in page must never be swapped into a part of another page."""
    back = request.htmx.current_url_abs_path or resolve_url(settings.LOGIN_REDIRECT_URL)  # type: ignore[attr-defined]
    page = urlsplit(asking.headers["Location"]).path
    return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": redirect_to_login(back, page).url})
