"""Evidence, rules and rows for tests: small, and the same everywhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from txt_dashboard.attest.evidence import Answer, Evidence, Verdict
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement, Rules

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLATFORM = Requirement(Part.PLATFORM, Bank.SHA1, frozenset({0, 7}))
VMM = Requirement(Part.VMM, Bank.SHA1, frozenset({17, 18}))
POLICY = Policy((PLATFORM, VMM), validity=timedelta(minutes=10))
LAUNCHED = dict.fromkeys(range(19, 23), bytes(20))


def value(text: str, bank: Bank = Bank.SHA1) -> bytes:
    """A register value that no other text has."""
    return text.encode().ljust(bank.size, b".")[: bank.size]


GOOD = {index: value(f"good {index}") for index in (0, 7, 17, 18)}


def baseline(part: Part, values: Mapping[int, bytes], name: str = "", **more: object) -> Baseline:
    """A SHA-1 baseline."""
    return Baseline(name=name or f"golden {part}", part=part, bank=Bank.SHA1, values=values, **more)


BASELINES = (
    baseline(Part.PLATFORM, {index: GOOD[index] for index in (0, 7)}, "BIOS 1"),
    baseline(Part.VMM, {index: GOOD[index] for index in (17, 18)}, "VMM 1"),
)
RULES = Rules(POLICY, BASELINES)


def evidence(
    values: Mapping[int, bytes] | None = None,
    *,
    verdict: Verdict = Verdict.TRUSTED,
    at: datetime = NOON,
    **more: object,
) -> Evidence:
    """Evidence of one host: the good registers, and those that differ or are added."""
    registers = {**GOOD, **LAUNCHED, **(values or {})}
    return Evidence(verdict=verdict, attested_at=at, registers={Bank.SHA1: registers}, **more)


def without(full: Evidence, indexes: Sequence[int]) -> Evidence:
    """The same evidence with some registers missing."""
    kept = {index: each for index, each in full.registers[Bank.SHA1].items() if index not in indexes}
    return Evidence(full.verdict, full.attested_at, {Bank.SHA1: kept}, full.voucher, full.finding)


Answers = Mapping[str, Answer]
