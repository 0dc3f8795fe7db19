"""What a benchmark says: the work, the limit that was measured in the same run, and their ratio."""

from collections.abc import Iterable
from dataclasses import dataclass

NOISE = 1.25  # a ratio over its limit by less is said, and fails nothing: a shared machine moves it that much


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement. `allowed` is the ratio of the work to the limit that still passes."""

    what: str
    work: float
    limit: float
    limit_is: str
    allowed: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the work keeps within the allowed ratio."""
        return self.work <= self.allowed * self.limit

    @property
    def failed(self) -> bool:
        """Whether it is over the limit by more than a busy machine explains."""
        return self.work > self.allowed * self.limit * NOISE

    def __str__(self) -> str:
        verdict = "PASS" if self.passed else "FAIL" if self.failed else "OVER"
        values = f"{self.work:10.4g} {self.unit:<10} {self.limit:10.4g} {self.unit:<10} {self.limit_is:<42}"
        return f"{self.what:<58} {values} {self.work / self.limit:6.2f} of {self.allowed:<5g} {verdict}"


def report(lines: Iterable[Line]) -> int:
    """Prints the lines as they come; returns the exit status: 1 where one is over its limit beyond noise."""
    failed = False
    for line in lines:
        print(line, flush=True)
        failed = failed or line.failed
    return int(failed)
