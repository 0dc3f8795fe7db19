"""People who log in to the pages by Keystone: with which project, for how long, and the way out."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.core.cache import caches

from txt_dashboard import conf
from txt_dashboard.actions.keystone import BAD, KNOWN_FOR, admit, is_active, keystone, token_name, validate_token
from txt_dashboard.actions.permissions import ActionError, Actor, NotAllowed, NotFound
from txt_dashboard.cloud import persons
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.cloud.persons import Granted, Project

log = structlog.get_logger()


class NotTaken(ActionError):
    """Keystone does not take this name and password."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a session must keep. `unscoped` is what another project's token comes from."""

    token: str
    unscoped: str
    project: Project
    ends: datetime

    def __repr__(self) -> str:
        return f"Entry({self.project!r})"  # never the tokens


def log_in(name: str, password: str, domain: str, project: str, *, now: datetime) -> tuple[Entry, Actor]:
    """A token for the project of this name or id; without one for that in which roles count, or the first.

    Raises `NotTaken`, `NotAllowed`, `CloudError`.
    """
    given = persons.log_in(keystone(), name, password, domain)
    if given is None:
        raise NotTaken("Keystone does not take this name and password.")
    listed = persons.projects(keystone(), given.token)
    chosen = _chosen(listed, project)
    if chosen is None:
        _revoke(given.token)
        none = "You have a role in no project there." if not project else f"You have no role in a project {project}."
        raise NotAllowed(none)
    return _entered(given.token, chosen, now)


def switch(entry: Entry, project_id: str, *, now: datetime) -> tuple[Entry, Actor]:
    """The same person with a token for another project; the token for the first is revoked.

    Raises `NotFound`, `NotAllowed`, `CloudError`.
    """
    chosen = next((each for each in projects(entry) if each.id == project_id), None)
    if chosen is None:
        raise NotFound("You have no role in this project any more.")
    entered = _entered(entry.unscoped, chosen, now)
    _revoke(entry.token)
    return entered


def projects(entry: Entry) -> tuple[Project, ...]:
    """Where the person has a role. Raises `CloudError`."""
    return persons.projects(keystone(), entry.unscoped)


def leave(entry: Entry) -> None:
    """Revokes the tokens, as far as Keystone can be asked: they end by themselves, too."""
    for token in (entry.token, entry.unscoped):
        _revoke(token)


def actor_of(entry: Entry, *, now: datetime) -> Actor | None:
    """Who acts by this session, as Keystone has it since a minute at most; `None` where it is over.

    Raises `CloudError`.
    """
    if not conf.keystone_cloud() or entry.ends <= now:
        return None
    name = token_name(entry.token)
    known = caches["api"].get(name)
    if known is None:
        holder = validate_token(entry.token)
        good = holder is not None and holder.expires_at > now
        known = admit(holder, now=now) if holder is not None and good else None
        left = min(KNOWN_FOR, holder.expires_at - now) if holder is not None and good else KNOWN_FOR
        caches["api"].set(name, known or BAD, left.total_seconds())
    return known if isinstance(known, Actor) and is_active(known) else None


def _entered(unscoped: str, project: Project, now: datetime) -> tuple[Entry, Actor]:
    granted: Granted | None = persons.scope(keystone(), unscoped, project.id)
    if granted is None:
        raise NotAllowed(f"Keystone gives no token for the project {project.name}. Log in again.")
    actor = admit(granted.holder, now=now)
    if actor is None:
        _revoke(granted.token)
        raise NotAllowed("This account was disabled here. Ask an administrator.")
    return Entry(granted.token, unscoped, project, granted.holder.expires_at), actor


def _chosen(listed: tuple[Project, ...], wanted: str) -> Project | None:
    if wanted:
        return next((each for each in listed if wanted in (each.name, each.id)), None)
    with_roles = next((each for each in listed if each.id == conf.keystone_project()), None)
    return with_roles or next(iter(listed), None)


def _revoke(token: str) -> None:
    caches["api"].delete(token_name(token))
    try:
        persons.revoke(keystone(), token)
    except CloudError as error:
        log.warning("token not revoked", why=str(error))
