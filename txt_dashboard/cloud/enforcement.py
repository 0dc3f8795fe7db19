"""What makes a flavor a trusted one, and what undoes exactly that. Pure.

`trait:CUSTOM_…=required` is enforced by Placement, `trust:trusted_host=trusted` by a scheduler filter (Nova's own
until Pike, ours since). Nova copies a flavor's extra specs into an instance when it is booted or resized.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

FILTER_KEY = "trust:trusted_host"
FILTER_VALUE = "trusted"
TRAIT_VALUE = "required"
_UNSCOPED_KEY = "trusted_host"
_TRAIT_NAME = re.compile(r"CUSTOM_[A-Z0-9_]{1,248}", re.ASCII)
_GROUP = r"[a-zA-Z0-9_-]{0,64}"  # Nova's granular request groups


class Enforcement(StrEnum):
    """Who sees to it that a trusted flavor lands on trusted hosts."""

    TRAIT = "trait"  # Placement: hosts keep their trait while we are down, until the dead-man command takes it
    FILTER = "filter"  # the scheduler asks us, and refuses where we don't answer
    BOTH = "both"

    @property
    def fails_closed(self) -> bool:
        """Whether nothing is scheduled by it while we are down."""
        return self is not Enforcement.TRAIT

    @property
    def needs_trait(self) -> bool:
        """Whether the trait must exist in Placement before a flavor requires it."""
        return self is not Enforcement.FILTER


class Pitfall(StrEnum):
    """What in a flavor does not do what it seems to."""

    UNSCOPED_KEY = "unscoped_key"  # trusted_host without trust: enforces nothing
    WRONG_VALUE = "wrong_value"  # trust:trusted_host has a value that no host ever has
    TRAIT_FORBIDDEN = "trait_forbidden"  # it asks for hosts that are *not* trusted


@dataclass(frozen=True, slots=True)
class Change:
    """What to write into a flavor: first set, then unset."""

    put: Mapping[str, str]
    remove: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.put or self.remove)


def is_trait_name(name: str) -> bool:
    """Whether Placement takes it as the name of a custom trait."""
    return _TRAIT_NAME.fullmatch(name) is not None


def demands(enforcement: Enforcement, trait: str) -> dict[str, str]:
    """The extra specs that this enforcement needs."""
    by_trait = {f"trait:{trait}": TRAIT_VALUE}
    by_filter = {FILTER_KEY: FILTER_VALUE}
    return {
        Enforcement.TRAIT: by_trait,
        Enforcement.FILTER: by_filter,
        Enforcement.BOTH: by_trait | by_filter,
    }[enforcement]


def change(specs: Mapping[str, str], enforcement: Enforcement | None, trait: str) -> Change:
    """What turns a flavor with these extra specs into a trusted one by this enforcement, or into none (`None`).

    Only our own demands are ever removed: a key with another value than ours is somebody else's, and stays.
    """
    wanted = demands(enforcement, trait) if enforcement else {}
    ours = demands(Enforcement.BOTH, trait)
    put = {key: value for key, value in wanted.items() if specs.get(key) != value}
    remove = tuple(key for key, value in ours.items() if key not in wanted and specs.get(key) == value)
    return Change(put, remove)


def enforced(specs: Mapping[str, str], trait: str) -> Enforcement | None:
    """By what a flavor, or an instance's copy of it, asks for trusted hosts."""
    group = re.compile(rf"trait{_GROUP}:{re.escape(trait)}", re.ASCII)
    by_trait = any(value == TRAIT_VALUE and group.fullmatch(key) for key, value in specs.items())
    by_filter = specs.get(FILTER_KEY) == FILTER_VALUE
    if by_trait and by_filter:
        return Enforcement.BOTH
    if by_trait:
        return Enforcement.TRAIT
    return Enforcement.FILTER if by_filter else None


def digest(specs: Mapping[str, str]) -> str:
    """What somebody saw of a flavor, so that a change made meanwhile is noticed."""
    text = json.dumps(sorted(specs.items()), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def after(specs: Mapping[str, str], planned: Change) -> dict[str, str]:
    """The extra specs once the change is made."""
    kept = {key: value for key, value in specs.items() if key not in planned.remove}
    return kept | dict(planned.put)


def pitfalls(specs: Mapping[str, str], trait: str) -> frozenset[Pitfall]:
    """What in these extra specs does not do what it seems to."""
    found = {
        Pitfall.UNSCOPED_KEY: _UNSCOPED_KEY in specs,
        Pitfall.WRONG_VALUE: specs.get(FILTER_KEY, FILTER_VALUE) != FILTER_VALUE,
        Pitfall.TRAIT_FORBIDDEN: specs.get(f"trait:{trait}") == "forbidden",
    }
    return frozenset(pitfall for pitfall, true in found.items() if true)
