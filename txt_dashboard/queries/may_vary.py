"""Which events of what a host shows could be let vary by a baseline, from logs that lead to proven values."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace

from txt_dashboard.attest.draft import Draft
from txt_dashboard.attest.event_entries import LIMITS
from txt_dashboard.attest.eventlog.log import Event, Log
from txt_dashboard.attest.eventlog.story import story_of
from txt_dashboard.attest.eventlog.varying import (
    COLLIDING,
    REGISTERS,
    BaselineError,
    Structure,
    baseline,
    explains,
    measured_body,
    possible,
)
from txt_dashboard.queries.logs import log_of_register


@dataclass(frozen=True, slots=True)
class Offer:
    """One event that may be declared to vary, and as what. `position` counts from 1 among its register's events."""

    register: int
    position: int
    structure: Structure
    event: Event
    golden: bytes  # what its digest is of

    @property
    def key(self) -> str:
        """In a form."""
        return f"{self.register}:{self.position}:{self.structure}"

    @property
    def says(self) -> str:
        """What the log says of the event, safe to show."""
        return story_of(self.event).text

    @property
    def limits(self) -> str:
        """What may be otherwise: a template for the translators, with `golden` to be filled in."""
        return LIMITS[self.structure]


def offers(draft: Draft) -> tuple[Offer, ...]:
    """All such events of the draft's registers. One query for each of three registers at most."""
    found: list[Offer] = []
    for register, log in sorted(_logs(draft).items()):
        for position, event in enumerate(log.extended[register], start=1):
            for structure in possible(event, draft.bank):
                golden = measured_body(event, draft.bank)
                found.append(Offer(register, position, structure, event, golden))
    return tuple(found)


def let_vary(draft: Draft, chosen: Collection[Offer]) -> Draft:
    """The draft with the events of registers of which something was chosen to vary; raises `BaselineError`."""
    wanted: dict[int, dict[int, Structure]] = defaultdict(dict)
    for each in chosen:
        if each.position - 1 in wanted[each.register]:
            raise BaselineError(f"event {each.position} of register {each.register} can vary as one structure only")
        wanted[each.register][each.position - 1] = each.structure
    logs = _logs(draft) if wanted else {}
    events = {index: baseline(logs[index], draft.bank, index, vary) for index, vary in wanted.items()}
    return replace(draft, events=events)


def _logs(draft: Draft) -> dict[int, Log]:
    """Logs that lead to the draft's values."""
    if draft.bank in COLLIDING:
        return {}
    found = {}
    for index in sorted(REGISTERS & draft.values.keys()):
        log = log_of_register(draft.bank, index, draft.values[index])
        if log is not None and explains(log, draft.bank, index, draft.values[index]):
            found[index] = log
    return found
