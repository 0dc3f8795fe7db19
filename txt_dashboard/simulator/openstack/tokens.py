"""Tokens of the simulated Keystone: kept in memory, so that a restart ends them all."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from txt_dashboard.simulator.openstack.people import Project, User, roles_in

Now = Callable[[], datetime]  # aware


@dataclass(frozen=True, slots=True)
class Token:
    """Who holds it, for which project (none: for no project), until when, and how they logged in."""

    value: str
    user: User
    project: Project | None
    issued_at: datetime
    expires_at: datetime
    methods: tuple[str, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """In its project, those implied among them."""
        return roles_in(self.user, self.project) if self.project else ()


class Tokens:
    """All that count. Safe to use from many threads."""

    def __init__(self, now: Now, lasts: timedelta) -> None:
        self._now = now
        self._lasts = lasts
        self._lock = Lock()
        self._all: dict[str, Token] = {}

    def issue(
        self, user: User, project: Project | None, methods: tuple[str, ...], until: datetime | None = None
    ) -> Token:
        """A new one; one that continues another does not outlast it."""
        now = self._now()
        ends = until or now + self._lasts
        token = Token(secrets.token_urlsafe(48), user, project, now, ends, methods)
        with self._lock:
            self._all = {value: each for value, each in self._all.items() if each.expires_at > now}
            self._all[token.value] = token
        return token

    def find(self, value: str) -> Token | None:
        """The token, unless it ran out, was revoked or never was."""
        with self._lock:
            found = self._all.get(value)
        return found if found and found.expires_at > self._now() else None

    def revoke(self, value: str) -> None:
        """It counts no more."""
        with self._lock:
            self._all.pop(value, None)
