"""One register as pages and the API show it: what was approved beside what a host showed."""

from dataclasses import dataclass

from txt_dashboard.attest.eventlog.why import Change as Why
from txt_dashboard.attest.pcr import DRTM_REGISTERS, Bank
from txt_dashboard.attest.registers import Meaning


@dataclass(frozen=True, slots=True)
class Register:
    """One register, as it was approved and as the host showed it; `None` where there is no value."""

    bank: Bank
    index: int
    meaning: Meaning
    golden: bytes | None
    actual: bytes | None
    why: Why | None = None  # what logs of both values say differently
    by_events: bool = False  # it has another value, and its events match

    @property
    def why_id(self) -> str:
        """Of the fold that holds the events, so that it stays open when the page refreshes itself."""
        return f"why-{self.bank}-{self.index}"

    @property
    def differs(self) -> bool:
        """Whether both values are there and are not the same, and no events make up for it."""
        return None not in (self.golden, self.actual) and self.golden != self.actual and not self.by_events

    @property
    def matches(self) -> bool:
        """Whether both values are there and the same, or the events match."""
        return self.by_events or (self.golden is not None and self.golden == self.actual)

    @property
    def unlaunched(self) -> bool:
        """Whether it holds what a reset leaves in it until a measured launch."""
        return self.index in DRTM_REGISTERS and self.actual == b"\xff" * self.bank.size
