"""Whose approvals count, and whether there are enough: persons, never accounts.

Pure: verbs ask it before they record a decision, the worker asks it again before it signs, pages ask it to
explain. All times are those that were recorded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class Refusal(Enum):
    """Why an account's approval would not count; the value is a sentence."""

    NO_PERSON = "Only a person who is logged in with an account of their own can decide."
    NOT_APPROVER = "Only an approver can decide; being an administrator is not enough."
    PROPOSER = "Who proposed it can't approve it: somebody else must look at it."
    TOO_NEW = "An approver's word counts only some time after the role was given."
    ALREADY = "This person has approved it already: it takes another one."
    EMERGENCY_OFF = "Emergency approval is switched off in the settings file."
    NOT_URGENT = "An emergency approval can change baselines only: neither policies nor servers."

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class QuorumRules:
    """From the settings file: how many persons, how old an approver's role must be, how long an emergency lasts."""

    persons: int = 2
    waiting: timedelta = timedelta(hours=24)
    emergency: timedelta | None = None  # None: no emergency approval


@dataclass(frozen=True, slots=True)
class Approver:
    """An account as it stands: whose it is, and since when it may approve (`None`: it may not)."""

    person: str
    since: datetime | None
    named: bool = False  # by the bootstrap command: counts at once


@dataclass(frozen=True, slots=True)
class Approval:
    """One recorded approval, and the account that gave it, as it is now."""

    by: Approver
    at: datetime
    content_hash: str
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """The persons whose approvals of this content count, and how many are needed."""

    persons: frozenset[str]
    needed: int
    emergency: bool = False

    @property
    def missing(self) -> int:
        """How many more persons it takes."""
        return max(0, self.needed - len(self.persons))

    @property
    def reached(self) -> bool:
        """Whether there are enough."""
        return self.needed >= 1 and self.missing == 0


def refusal(by: Approver, at: datetime, proposer: str, rules: QuorumRules) -> Refusal | None:
    """Why an approval given at this moment would not count, or `None` where it counts."""
    if by.since is None or not by.person:
        return Refusal.NOT_APPROVER
    if by.person == proposer:
        return Refusal.PROPOSER
    waiting = timedelta(0) if by.named else rules.waiting
    if at - by.since < waiting:
        return Refusal.TOO_NEW
    return None


def tally(approvals: Iterable[Approval], content_hash: str, proposer: str, rules: QuorumRules) -> Tally:
    """The approvals of exactly this content that count. An emergency approval, where allowed, is enough alone."""
    counting = [
        each
        for each in approvals
        if each.content_hash == content_hash and refusal(each.by, each.at, proposer, rules) is None
    ]
    persons = frozenset(each.by.person for each in counting if not each.emergency)
    ordinary = Tally(persons, max(1, rules.persons))
    urgent = frozenset(each.by.person for each in counting if each.emergency)
    if ordinary.reached or not urgent or rules.emergency is None:
        return ordinary
    return Tally(urgent, 1, emergency=True)
