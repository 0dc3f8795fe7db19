"""Attestation servers: add, edit, test."""

import hashlib
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from ipaddress import ip_address

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import capfirst

from txt_dashboard import audit, conf, vault
from txt_dashboard.actions.governance.apply import forget_evidence
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.losses import require_named
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotFound, Verb, require
from txt_dashboard.attest import entries
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.entries import server_entry
from txt_dashboard.attest.reference import Endpoint, endpoint_key
from txt_dashboard.models import Host, Proposal, Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.state import in_state
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.address import parse_url, resolve
from txt_dashboard.servers.base import AddressRefused, CertificateRefused
from txt_dashboard.servers.line import tls_context


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What a person decides about a server. `auth_blob`: `None` keeps what is stored, "" removes it."""

    name: str
    kind: str
    url: str
    ca_pem: str = ""
    auth_blob: str | None = field(default=None, repr=False)
    enabled: bool = True
    simulated: bool = False
    interval_s: int = 60
    batch_size: int = 100
    parallel: int = 2
    deadline_s: int = 90
    quote_interval_s: int = 0


_DECIDED = {each.name for each in fields(ServerSettings)}
_NOT_ENTERED = {each.name for each in Server._meta.get_fields()} - _DECIDED


def add_server(actor: Actor, settings: ServerSettings, *, now: datetime) -> Server:
    """A new server, which is only observed until a proposal makes it count. Raises `NotAllowed`, `Invalid`.

    Its hosts appear with the workers' next turn.
    """
    require(actor, Verb.ADD_SERVER)
    server = Server()
    _apply(server, settings)
    server.sealed_auth_blob = _sealed(settings, server, kept="")
    _check(server)
    with transaction.atomic():
        server.save()
        audit.record(
            at=now, actor=actor.name, verb=Verb.ADD_SERVER, target=server.name, detail={"after": _shown(server)}
        )
    return server


def edit_server(
    actor: Actor,
    server_id: int,
    settings: ServerSettings,
    *,
    version: int,
    now: datetime,
    reason: str = "",
    confirmed_losses: int | None = None,
) -> Proposal | None:
    """Changes a server's settings, if they still are those that the actor saw.

    Where an approved server is, its kind and its authorities change only by a proposal, which needs a `reason`
    and is returned; until it is in force the server is asked where it was. An address that nobody approved
    changes at once, and what was heard there is forgotten. Either way the secret must be given anew: it must
    not be sent to somebody else. Raises `NotAllowed`, `NotFound`, `Invalid`, `Conflict`, and `ManyLosses` where it
    is switched off.
    """
    require(actor, Verb.EDIT_SERVER)
    with transaction.atomic():
        server = Server.objects.select_for_update().filter(id=server_id).first()
        if server is None:
            raise NotFound("This server is not there any more.")
        if server.version != version:
            raise Conflict(f"Somebody else changed {server.name} meanwhile. Look at it again before you change it.")
        before = server.name, server.kind, server.url, server.ca_pem, server.endpoint_key
        shown, was_enabled = _shown(server), server.enabled
        _apply(server, settings)
        _check(server)
        if was_enabled and not server.enabled:
            require_named(_vouched_for(server, now), confirmed_losses)
        moved = server.endpoint_key != before[-1]
        approved = current_reference().servers.get(before[0])
        if approved is not None and server.name != before[0]:
            raise Invalid({"name": ["What was approved names this server so: add another one instead."]})
        if moved and approved is not None:
            proposal = _propose_move(actor, server, counts=approved.counts, reason=reason, now=now)
            server.kind, server.url, server.ca_pem = before[1:4]
        else:
            proposal = None
            if moved:
                _begin_anew(server)
            server.sealed_auth_blob = _sealed(settings, server, kept="" if moved else server.sealed_auth_blob)
        if proposal is not None and settings.auth_blob is not None:
            server.sealed_next_auth_blob = vault.seal(settings.auth_blob, _endpoint_key(settings))
        server.version = version + 1
        server.save()
        detail = _difference(shown, _shown(server, settings.auth_blob))
        audit.record(at=now, actor=actor.name, verb=Verb.EDIT_SERVER, target=server.name, detail=detail)
    return proposal


def propose_counting(actor: Actor, server_id: int, *, counts: bool, reason: str, now: datetime) -> Proposal:
    """Asks that what the server says counts, at the address that it has now, or that it is only observed.

    Raises as `governance.propose.propose`, and `NotFound`.
    """
    server = Server.objects.filter(id=server_id).first()
    if server is None:
        raise NotFound("This server is not there any more.")
    title = f"{server.name} counts" if counts else f"{server.name} is only observed"
    endpoint = Endpoint(server.name, server.kind, server.url, server.ca_pem, counts=counts)
    wanted = {entries.server_id(server.name): server_entry(endpoint)}
    return propose(actor, wanted, title=title, reason=reason, now=now)


@transaction.atomic
def request_test(actor: Actor, server_id: int, *, now: datetime) -> None:
    """Has a worker test the connection in its next turn. Raises `NotAllowed`, `NotFound`."""
    require(actor, Verb.TEST_SERVER)
    server = Server.objects.filter(id=server_id).first()
    if server is None:
        raise NotFound("This server is not there any more.")
    Server.objects.filter(id=server_id).update(test_requested_at=now)
    audit.record(at=now, actor=actor.name, verb=Verb.TEST_SERVER, target=server.name)


def _propose_move(actor: Actor, server: Server, *, counts: bool, reason: str, now: datetime) -> Proposal:
    endpoint = Endpoint(server.name, server.kind, server.url, server.ca_pem, counts=counts)
    title = f"Move {server.name} to {server.url}"[:200]
    wanted = {entries.server_id(server.name): server_entry(endpoint)}
    return propose(actor, wanted, title=title, reason=reason, now=now)


def _vouched_for(server: Server, now: datetime) -> int:
    """How many hosts are trusted now and not for long without this server."""
    if not server.counts:
        return 0
    return Host.objects.filter(in_state(State.TRUSTED, now), attestations__server=server).count()


def _begin_anew(server: Server) -> None:
    server.failures, server.retry_at, server.listed_at = 0, None, None
    forget_evidence(server)


def _apply(server: Server, settings: ServerSettings) -> None:
    for name, value in asdict(settings).items():
        if name != "auth_blob":
            setattr(server, name, value.strip() if isinstance(value, str) else value)


def _sealed(settings: ServerSettings, server: Server, *, kept: str) -> str:
    return kept if settings.auth_blob is None else vault.seal(settings.auth_blob, server.endpoint_key)


def _endpoint_key(settings: ServerSettings) -> str:
    return endpoint_key(settings.kind.strip(), settings.url.strip(), settings.ca_pem.strip())


def _check(server: Server) -> None:
    errors: dict[str, list[str]] = {}
    try:
        server.full_clean(exclude=_NOT_ENTERED)
    except ValidationError as invalid:
        errors.update(invalid.message_dict)
    if server.kind not in KINDS:
        errors.setdefault("kind", []).append("This kind of server is not known.")
    try:
        _check_address(server.url)
    except AddressRefused as refused:
        errors.setdefault("url", []).append(capfirst(f"{refused}."))
    if server.ca_pem:
        try:
            tls_context(server.ca_pem)
        except CertificateRefused as refused:
            errors.setdefault("ca_pem", []).append(capfirst(f"{refused}."))
    if errors:
        raise Invalid(errors)


def _check_address(text: str) -> None:
    """Refuses what needs no look-up to refuse; names are resolved and held against the settings at each use."""
    url = parse_url(text)
    try:
        ip_address(url.host.strip("[]"))
    except ValueError:
        return
    resolve(url, conf.server_networks())


def _shown(server: Server, auth_blob: str | None = None) -> dict[str, object]:
    """What the activity log keeps of a server: all but the secret, and of the authorities a fingerprint."""
    shown: dict[str, object] = {name: getattr(server, name) for name in sorted(_DECIDED - {"auth_blob", "ca_pem"})}
    own = hashlib.sha256(server.ca_pem.encode()).hexdigest()[:16]
    shown["authorities"] = f"its own, SHA-256 {own}…" if server.ca_pem else "the system's"
    stored = "stored" if server.sealed_auth_blob else "none"
    return {**shown, "secret": "given anew" if auth_blob else stored}


def _difference(before: dict[str, object], after: dict[str, object]) -> dict[str, object]:
    changed = [name for name in after if before[name] != after[name]]
    return {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}
