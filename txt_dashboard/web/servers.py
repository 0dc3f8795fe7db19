"""Attestation servers: the list, the form to add or change one, and the request to test one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from txt_dashboard import conf
from txt_dashboard.actions.permissions import Conflict, Invalid, NotFound, Verb, may, require
from txt_dashboard.actions.servers import add_server, edit_server, request_test
from txt_dashboard.models import Server
from txt_dashboard.queries.servers import find_server, list_servers
from txt_dashboard.servers import KINDS
from txt_dashboard.web.forms import ServerForm
from txt_dashboard.web.identity import actor_of


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """All servers, and how they fare."""
    actor = actor_of(request.user)
    return render(
        request,
        "servers/page.html",
        {
            "servers": list_servers(timezone.now()),
            "labels": {name: factory.label for name, factory in KINDS.items()},
            "may_edit": may(actor, Verb.EDIT_SERVER),
            "may_test": may(actor, Verb.TEST_SERVER),
        },
    )


@sensitive_post_parameters("auth_blob")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """The form for a new server."""
    actor = actor_of(request.user)
    if request.method != "POST":
        return _form(request, ServerForm(read_only=not may(actor, Verb.ADD_SERVER)))
    require(actor, Verb.ADD_SERVER)
    form = ServerForm(request.POST)
    if form.is_valid():
        try:
            server = add_server(actor, form.settings, now=timezone.now())
        except Invalid as invalid:
            form.take_errors(invalid)
        else:
            return redirect(_place(server.pk))
    return _form(request, form, status=400)


@sensitive_post_parameters("auth_blob")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, server_id: int) -> HttpResponse:
    """The form to change a server. Whoever may not change it may look at it."""
    actor = actor_of(request.user)
    stored = _find(server_id)
    if request.method != "POST":
        return _form(request, ServerForm(instance=stored, read_only=not may(actor, Verb.EDIT_SERVER)), stored)
    require(actor, Verb.EDIT_SERVER)
    form = ServerForm(request.POST, instance=stored)
    if not form.is_valid():
        return _form(request, form, stored, status=400)
    version = form.cleaned_data["version"] or 0
    try:
        edit_server(actor, server_id, form.settings, version=version, now=timezone.now())
    except Invalid as invalid:
        form.take_errors(invalid)
        return _form(request, form, stored, status=400)
    except Conflict as conflict:
        stored = _find(server_id)
        form.see_again(stored)
        return _form(request, form, stored, conflict=str(conflict), status=409)
    return redirect(_place(server_id))


@require_POST
def test(request: HttpRequest, server_id: int) -> HttpResponse:
    """Has a worker test the connection; the list shows what came of it."""
    request_test(actor_of(request.user), server_id, now=timezone.now())
    return redirect(_place(server_id))


def _find(server_id: int) -> Server:
    server = find_server(server_id)
    if server is None:
        raise NotFound(gettext("This server is not there any more. The page Servers lists those that are."))
    return server


def _place(server_id: int) -> str:
    return f"{reverse('servers')}#server-{server_id}"


def _form(
    request: HttpRequest, form: ServerForm, server: Server | None = None, *, conflict: str = "", status: int = 200
) -> HttpResponse:
    actor = actor_of(request.user)
    context = {
        "form": form,
        "server": server,
        "conflict": conflict,
        "without_tls": str(form["url"].value() or "").lower().startswith("http:"),
        "networks": conf.server_networks(),
        "may_edit": may(actor, Verb.EDIT_SERVER if server else Verb.ADD_SERVER),
    }
    return render(request, "servers/form.html", context, status=status)
