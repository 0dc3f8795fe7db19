"""What is odd about a log. None of it is a verdict: firmware errs, and only a replay authenticates.

Source: TCG PC Client Platform Firmware Profile 1.06, sections 10.4.1 and 10.4.5.
"""

from collections.abc import Iterator
from typing import NamedTuple

from txt_dashboard.attest.eventlog.kinds import Kind, kind_name
from txt_dashboard.attest.eventlog.log import NO_REGISTER, Event, Log
from txt_dashboard.attest.eventlog.measured import is_covered
from txt_dashboard.attest.eventlog.story import story_of

_KNOWN = frozenset(map(int, Kind)) - {Kind.EV_UNUSED}


class Problem(NamedTuple):
    """One odd thing, and the byte of the log where it is."""

    offset: int
    sentence: str

    def __str__(self) -> str:
        return f"byte {self.offset}: {self.sentence}"


def problems(log: Log) -> tuple[Problem, ...]:
    """Everything odd, in the order of the log."""
    found = [
        Problem(0, f"the digests of algorithm 0x{each:x} are not replayed: it is not known") for each in log.unknown
    ]
    found.extend(Problem(event.offset, said) for event in log.events for said in _of(event, log))
    return tuple(found)


def _of(event: Event, log: Log) -> Iterator[str]:
    name = kind_name(event.kind)
    if not event.extends:
        if event.register != NO_REGISTER and event.offset and any(map(any, event.digests.values())):
            yield f"{name} has a digest, but such an event is never extended"
        return
    if event.kind not in _KNOWN:
        yield f"{name} is not an event type that anything should measure with"
    missing = [bank for bank in log.banks if bank not in event.digests]
    if missing:
        yield f"{name} has no {', '.join(missing)} digest: register {event.register} is not replayed there"
    wrong = [bank for bank in event.digests if is_covered(event, bank) is False]
    if wrong:
        yield f"the {', '.join(wrong)} digest of {name} is not that of its data: what it says was not measured"
    if (error := story_of(event).error) is not None:
        yield f"the data of {name} is not what the type promises ({error})"
