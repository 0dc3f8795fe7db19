"""What to change in Placement so that exactly the trusted hosts have the trait. Pure.

A trait on a provider counts as ours only where our intent to put it there is on record. Whoever holds a compute
host's credentials can write traits, so one without an intent is taken away, and its host stays without until a person
has looked at it.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Providers:
    """Sets of providers, by UUID, as one cycle sees them."""

    should: AbstractSet[str]  # their hosts are trusted at this moment
    have: AbstractSet[str]  # Placement says that they have the trait
    exist: AbstractSet[str]  # Placement knows them
    intended: AbstractSet[str]  # it is on record that we meant them to have it
    suspended: AbstractSet[str] = frozenset()  # somebody else set it there, and nobody has acknowledged that


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order; each tuple is sorted."""

    remove: tuple[str, ...]
    add: tuple[str, ...]  # the intent goes on record before each
    foreign: tuple[str, ...]  # set by somebody else: among those to remove, to report, and suspended from now on
    vanished: tuple[str, ...]  # should have it, and Placement does not know them
    unmoved: tuple[str, ...]  # found at the first connection: a person is asked about them, nothing is done

    def __bool__(self) -> bool:
        return bool(self.remove or self.add)


def plan(now: Providers, *, first: bool = False) -> Plan:
    """The difference between what should be and what is. Removals come first.

    `first`: nothing is on record yet, because this cloud was never reconciled. Traits that are there then are listed
    for a person to decide, and neither taken nor counted as ours.
    """
    foreign = now.have - now.intended
    unmoved = foreign if first else frozenset()
    foreign = foreign - unmoved
    held_back = foreign | unmoved | now.suspended
    return Plan(
        remove=_sorted((now.have - unmoved) - (now.should - held_back)),
        add=_sorted((now.should - now.have - held_back) & now.exist),
        foreign=_sorted(foreign),
        vanished=_sorted(now.should - now.exist),
        unmoved=_sorted(unmoved),
    )


def _sorted(providers: AbstractSet[str]) -> tuple[str, ...]:
    return tuple(sorted(providers))
