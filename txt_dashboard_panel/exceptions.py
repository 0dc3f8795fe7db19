"""What can go wrong between Horizon and the service; each message is a sentence for people.

Horizon loads this before Django is set up, so it imports nothing.
"""

from collections.abc import Mapping, Sequence


class TrustError(Exception):
    """The service gave no answer that can be used."""


class Unavailable(TrustError):
    """It can't be reached, is too slow, failed, or what it said makes no sense."""


class Refused(TrustError):
    """The service knows who asks, or does not, and says no."""


class NotFound(TrustError):
    """What was asked for is not there (any more)."""


class Conflict(TrustError):
    """What should be acted on has changed since it was seen."""


class ManyLosses(Conflict):
    """It would take trust from so many hosts that their number must be named."""

    def __init__(self, sentence: str, losses: int) -> None:
        super().__init__(sentence)
        self.losses = losses


class Invalid(TrustError):
    """Some of what was entered can't be used. `errors` maps a place to its sentences."""

    def __init__(self, sentence: str, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__(sentence)
        self.errors = errors


NOT_FOUND = (NotFound,)
RECOVERABLE = (Unavailable, Refused, Conflict, Invalid)
UNAUTHORIZED = ()
