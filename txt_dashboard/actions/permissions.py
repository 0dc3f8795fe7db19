"""Who may do what: one table, asked by every verb. Pages ask it too, but only to explain."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Roles of local accounts; each is a group of that name. A person may have several."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"


class Verb(StrEnum):
    """What can be done, by the name that the activity log shows."""

    VIEW = "view"
    POLL = "poll"
    ADD_SERVER = "add server"
    EDIT_SERVER = "edit server"
    TEST_SERVER = "test server"
    LOAD_HOSTS = "load hosts"
    LOAD_BASELINES = "load baselines"
    MANAGE_ACCOUNTS = "manage accounts"


_EVERYBODY = frozenset(Role)
_ALLOWED: dict[Verb, frozenset[Role]] = {
    Verb.VIEW: _EVERYBODY,
    Verb.POLL: frozenset({Role.OPERATOR, Role.ADMINISTRATOR}),
    Verb.ADD_SERVER: frozenset({Role.ADMINISTRATOR}),
    Verb.EDIT_SERVER: frozenset({Role.ADMINISTRATOR}),
    Verb.TEST_SERVER: frozenset({Role.OPERATOR, Role.ADMINISTRATOR}),
    # Until baselines are governed by people, they come from the machine's own command line only.
    Verb.LOAD_HOSTS: frozenset(),
    Verb.LOAD_BASELINES: frozenset(),
    Verb.MANAGE_ACCOUNTS: frozenset(),
}


class ActionError(Exception):
    """A verb could not be done; the message is a sentence for the person who asked."""


class NotAllowed(ActionError):
    """The actor's roles do not include the verb."""


class NotFound(ActionError):
    """What the verb should act on is not there."""


class Conflict(ActionError):
    """What the verb should act on has changed since the actor saw it."""


class Invalid(ActionError):
    """Some of what was entered can't be used. `errors` maps a field to its sentences."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(" ".join(sentence for sentences in errors.values() for sentence in sentences))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person by account name, or the machine's own command line."""

    name: str
    roles: frozenset[Role] = frozenset()
    is_command: bool = False


COMMAND_LINE = Actor("command line", is_command=True)


def may(actor: Actor, verb: Verb) -> bool:
    """Whether one of the actor's roles includes the verb."""
    return actor.is_command or bool(actor.roles & _ALLOWED[verb])


def require(actor: Actor, verb: Verb) -> None:
    """Raises `NotAllowed` where the actor may not."""
    if not may(actor, verb):
        needed = ", ".join(sorted(role.value for role in _ALLOWED[verb])) or "the command line"
        raise NotAllowed(f"{actor.name} may not {verb.value}: it needs one of these roles: {needed}.")
