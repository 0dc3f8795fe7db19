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
    PROPOSE_BASELINE = "propose baseline"
    PROPOSE_POLICY = "propose policy"
    PROPOSE_SERVER = "propose server"
    PROPOSE_KEY = "propose key"
    DECIDE = "decide"
    RESTORE_SET = "restore set"
    MANAGE_ACCOUNTS = "manage accounts"
    ACKNOWLEDGE_TRAIT = "acknowledge trait"
    TAKE_OVER_TRAITS = "take over traits"
    EDIT_CLOUD_HOST = "edit cloud host"
    VIEW_OWN_INSTANCES = "view own instances"
    MOVE_POOL = "move to pool"
    SET_FLAVOR_TRUST = "set flavor trust"


_EVERYBODY = frozenset(Role)
_ALLOWED: dict[Verb, frozenset[Role]] = {
    Verb.VIEW: _EVERYBODY,
    Verb.POLL: frozenset({Role.OPERATOR, Role.ADMINISTRATOR}),
    Verb.ADD_SERVER: frozenset({Role.ADMINISTRATOR}),
    Verb.EDIT_SERVER: frozenset({Role.ADMINISTRATOR}),
    Verb.TEST_SERVER: frozenset({Role.OPERATOR, Role.ADMINISTRATOR}),
    Verb.LOAD_HOSTS: frozenset(),
    Verb.PROPOSE_BASELINE: frozenset({Role.OPERATOR, Role.APPROVER, Role.ADMINISTRATOR}),
    Verb.PROPOSE_POLICY: frozenset({Role.APPROVER, Role.ADMINISTRATOR}),
    Verb.PROPOSE_SERVER: frozenset({Role.APPROVER, Role.ADMINISTRATOR}),
    Verb.PROPOSE_KEY: frozenset({Role.APPROVER, Role.ADMINISTRATOR}),
    Verb.DECIDE: frozenset({Role.APPROVER}),
    Verb.RESTORE_SET: frozenset(),
    Verb.MANAGE_ACCOUNTS: frozenset(),
    Verb.ACKNOWLEDGE_TRAIT: frozenset({Role.APPROVER, Role.ADMINISTRATOR}),
    Verb.TAKE_OVER_TRAITS: frozenset({Role.ADMINISTRATOR}),
    Verb.EDIT_CLOUD_HOST: frozenset({Role.ADMINISTRATOR}),
    Verb.VIEW_OWN_INSTANCES: frozenset(),
    Verb.MOVE_POOL: frozenset({Role.APPROVER}),
    Verb.SET_FLAVOR_TRUST: frozenset({Role.ADMINISTRATOR}),
}
# What no key and no command may do, whatever its roles.
_PERSONS_ONLY = frozenset({Verb.DECIDE})
# What comes with a project at Keystone, and with no role here.
_WITH_PROJECT = frozenset({Verb.VIEW_OWN_INSTANCES})


class ActionError(Exception):
    """A verb could not be done; the message is a sentence for the person who asked."""


class NotAllowed(ActionError):
    """The actor's roles do not include the verb."""


class NotFound(ActionError):
    """What the verb should act on is not there."""


class Conflict(ActionError):
    """What the verb should act on has changed since the actor saw it."""


class CloudFailed(ActionError):
    """A cloud could not be asked, refused, or failed; the message says which call, and what to do."""


class ManyLosses(Conflict):
    """The verb would take trust from many hosts, and the actor has not named how many: nothing was done."""

    def __init__(self, losses: int, hosts: int) -> None:
        super().__init__(f"This takes trust from {losses} of {hosts} hosts. Confirm this number to go on.")
        self.losses = losses
        self.hosts = hosts


class Invalid(ActionError):
    """Some of what was entered can't be used. `errors` maps a field to its sentences."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(" ".join(sentence for sentences in errors.values() for sentence in sentences))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person by account name, a key that acts for one, or the machine's own command line.

    `user` is the id of the person's local account.
    """

    name: str
    roles: frozenset[Role] = frozenset()
    is_command: bool = False
    user: int | None = None
    by_key: bool = False  # an API key or an application credential, which nobody sits behind
    project: str = ""  # the id of the project at Keystone that the actor's token is for

    @property
    def is_person(self) -> bool:
        """Whether somebody who logged in acts."""
        return self.user is not None and not self.by_key and not self.is_command


COMMAND_LINE = Actor("command line", is_command=True)


def may(actor: Actor, verb: Verb) -> bool:
    """Whether one of the actor's roles includes the verb."""
    if verb in _PERSONS_ONLY and not actor.is_person:
        return False
    if verb in _WITH_PROJECT:
        return bool(actor.project)
    return actor.is_command or bool(actor.roles & _ALLOWED[verb])


def why_not(actor: Actor, verb: Verb) -> str | None:
    """Why the actor may not, as a sentence; `None` where they may."""
    if may(actor, verb):
        return None
    if verb in _WITH_PROJECT:
        return f"{actor.name} may not {verb.value}: it needs a Keystone token for a project."
    needed = ", ".join(sorted(role.value for role in _ALLOWED[verb])) or "the command line"
    person = " It takes a person who is logged in: keys and commands can't." if verb in _PERSONS_ONLY else ""
    return f"{actor.name} may not {verb.value}: it needs one of these roles: {needed}.{person}"


def require(actor: Actor, verb: Verb) -> None:
    """Raises `NotAllowed` where the actor may not."""
    if sentence := why_not(actor, verb):
        raise NotAllowed(sentence)
