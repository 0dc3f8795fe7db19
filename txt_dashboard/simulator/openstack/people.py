"""Who has an account at the simulated Keystone, and with which roles. Pure; ids never change."""

from dataclasses import dataclass
from uuid import NAMESPACE_DNS, UUID, uuid5

DOMAIN = {"id": "default", "name": "Default"}
# What each role brings along, as Keystone's own bootstrap has it.
_IMPLIED = {"admin": ("manager", "member", "reader"), "manager": ("member", "reader"), "member": ("reader",)}


def identity(*parts: object) -> UUID:
    """The same for the same parts."""
    return uuid5(NAMESPACE_DNS, "/".join(("simulated", *map(str, parts))))


@dataclass(frozen=True, slots=True)
class Project:
    """What instances and roles belong to."""

    name: str

    @property
    def id(self) -> str:
        """As Keystone writes it."""
        return identity("project", self.name).hex


@dataclass(frozen=True, slots=True)
class User:
    """An account; `roles` by the project's name."""

    name: str
    roles: dict[str, str]

    @property
    def id(self) -> str:
        """As Keystone writes it."""
        return identity("user", self.name).hex


PROJECTS = tuple(map(Project, ("admin", "service", "web-shop", "analytics")))
USERS = (
    User("admin", {"admin": "admin"}),
    User("member", {"web-shop": "member", "analytics": "reader"}),
    User("trust-admin", {"admin": "admin"}),
    User("trust-traits", {"service": "service"}),
)


def project_named(name: str) -> Project:
    """Raises `KeyError`."""
    return {project.name: project for project in PROJECTS}[name]


def roles_in(user: User, project: Project) -> tuple[str, ...]:
    """The user's role there and all that it implies; empty where there is none."""
    role = user.roles.get(project.name)
    return (role, *_IMPLIED.get(role, ())) if role else ()
