"""Attestation servers: the list, the forms to add or change one and to let it count, the request to test one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from txt_dashboard import conf
from txt_dashboard.actions.permissions import Conflict, Invalid, ManyLosses, NotFound, Verb, may, require
from txt_dashboard.actions.servers import add_server, edit_server, propose_counting, request_test
from txt_dashboard.attest.entries import server_id as entry_id_of
from txt_dashboard.models import Server
from txt_dashboard.queries.proposals import touching
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.servers import find_server, list_servers
from txt_dashboard.servers import KINDS
from txt_dashboard.web.forms import ReasonForm, ServerForm
from txt_dashboard.web.identity import actor_of


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """All servers, and how they fare."""
    actor = actor_of(request.user)
    servers = list_servers(timezone.now())
    touched = touching(entry_id_of(each.server.name) for each in servers)
    return render(
        request,
        "servers/page.html",
        {
            "servers": servers,
            "proposals": {each.server.name: touched.get(entry_id_of(each.server.name)) for each in servers},
            "may_propose": may(actor, Verb.PROPOSE_SERVER),
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
        reason = form.cleaned_data["reason"]
        moved = edit_server(
            actor,
            server_id,
            form.settings,
            version=version,
            reason=reason,
            confirmed_losses=form.cleaned_data["confirmed_losses"],
            now=timezone.now(),
        )
    except Invalid as invalid:
        form.take_errors(invalid)
        return _form(request, form, stored, status=400)
    except ManyLosses as many:
        return _form(request, form, stored, conflict=str(many), losses=many.losses, status=409)
    except Conflict as conflict:
        stored = _find(server_id)
        form.see_again(stored)
        return _form(request, form, stored, conflict=str(conflict), status=409)
    if moved is None:
        return redirect(_place(server_id))
    said = gettext("The move waits for approval. Until it is in force, %(server)s is asked where it was.")
    messages.info(request, said % {"server": stored.name})
    return redirect("proposal", moved.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def counting(request: HttpRequest, server_id: int) -> HttpResponse:
    """The form to ask that a server counts, or that it is only observed; whichever it is not."""
    actor, server = actor_of(request.user), _find(server_id)
    form, conflict, status = ReasonForm(), "", 200
    if request.method == "POST":
        require(actor, Verb.PROPOSE_SERVER)
        form, status = ReasonForm(request.POST), 400
        counts = request.POST.get("counts") == "yes"
        if form.is_valid():
            try:
                reason = form.cleaned_data["reason"]
                made = propose_counting(actor, server_id, counts=counts, reason=reason, now=timezone.now())
            except Invalid as invalid:
                form.take_errors(invalid)
            except Conflict as error:
                conflict, status = str(error), 409
            else:
                return redirect("proposal", made.pk)
    context = {
        "server": server,
        "form": form,
        "conflict": conflict,
        "touched": touching([entry_id_of(server.name)]).get(entry_id_of(server.name)),
        "without_tls": server.url.lower().startswith("http:"),
        "may_propose": may(actor, Verb.PROPOSE_SERVER),
    }
    return render(request, "servers/counting.html", context, status=status)


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
    request: HttpRequest,
    form: ServerForm,
    server: Server | None = None,
    *,
    conflict: str = "",
    losses: int = 0,
    status: int = 200,
) -> HttpResponse:
    actor = actor_of(request.user)
    context = {
        "form": form,
        "server": server,
        "conflict": conflict,
        "losses": losses,
        "without_tls": str(form["url"].value() or "").lower().startswith("http:"),
        "approved": server is not None and server.name in current_reference().servers,
        "networks": conf.server_networks(),
        "may_edit": may(actor, Verb.EDIT_SERVER if server else Verb.ADD_SERVER),
    }
    return render(request, "servers/form.html", context, status=status)
