"""The events of a host's log, one by one, as people look through them."""

from collections.abc import Iterator
from dataclasses import dataclass

from txt_dashboard.attest.eventlog.kinds import kind_name
from txt_dashboard.attest.eventlog.log import Event, Log
from txt_dashboard.attest.eventlog.replay import judge
from txt_dashboard.attest.eventlog.story import Story, stories
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.text import shown_hex
from txt_dashboard.queries.quoted import Quotation
from txt_dashboard.queries.why import differing_events


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a log, as it is shown."""

    number: int
    event: Event
    story: Story
    differs: bool

    @property
    def kind(self) -> str:
        """The name of its type."""
        return kind_name(self.event.kind)

    @property
    def digests(self) -> list[tuple[str, str]]:
        """By bank, in hex."""
        return [(bank.value, shown_hex(value, 64)) for bank, value in sorted(self.event.digests.items())]

    def holds(self, text: str) -> bool:
        """Whether a text stands in what is shown of it."""
        words = (self.kind, self.story.text, *self.story.details, *(value for _, value in self.digests))
        return any(text in word.lower() for word in words)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of a log is asked for."""

    text: str = ""
    register: int | None = None
    differing: bool = False

    def takes(self, line: Line) -> bool:
        """Whether the line is asked for."""
        return (
            (self.register is None or line.event.register == self.register)
            and (line.differs or not self.differing)
            and (not self.text or line.holds(self.text.lower()))
        )


def lines(log: Log, quotation: Quotation) -> list[Line]:
    """All events; those differ that the log of the golden values does not have, or has elsewhere."""
    other = differing_events(quotation.said.pairs, log)
    told = zip(log.events, stories(log.events), strict=True)
    return [Line(at, event, story, event.offset in other) for at, (event, story) in enumerate(told, start=1)]


def standings(log: Log, quotation: Quotation) -> Iterator[tuple[Bank, str, tuple[int, ...]]]:
    """How the log stands with the values on file: bank, standing, registers."""
    for bank, values in sorted(quotation.said.registers.items()):
        standing = judge(log, bank, values)
        for kind in dict.fromkeys(standing.values()):
            yield bank, kind.value, tuple(at for at, each in standing.items() if each is kind)
