"""One host's evidence, appraised, in the form in which it is stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from txt_dashboard.attest.appraisal import Result
from txt_dashboard.attest.appraiser import Appraisal, Appraiser
from txt_dashboard.attest.evidence import Evidence
from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank, Registers
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Measurement, Rules
from txt_dashboard.models import Measurement as MeasurementRow

SHARED = (
    "match", "reason", "reason_params", "differing", "drift_key", "baselines_end", "rules_key", "platform", "vmm",
    "verdict", "voucher", "doubt",
)  # fmt: skip
OWN = ("registers_key", "others", "details")
COLUMNS = (*SHARED, *OWN)

_DIGITS = tuple(str(index) for index in range(REGISTER_COUNT))


@dataclass(frozen=True, slots=True)
class Judged:
    """One host's evidence, and its appraisal."""

    evidence: Evidence
    appraisal: Appraisal

    @property
    def result(self) -> Result:
        """The answer to *does it match?*"""
        return self.appraisal.result

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """What the answer rests on."""
        return self.appraisal.measurements

    def stored(self, registers_key: str) -> tuple[object, ...]:
        """The values of `COLUMNS`."""
        return *self.shared(), *self.own(registers_key)

    def shared(self) -> tuple[object, ...]:
        """The values of `SHARED`: the same for all hosts of one appraisal."""
        result, evidence = self.result, self.evidence
        return (
            result.match.value, result.finding.reason.code, dict(result.finding.params), list(result.differing),
            self.appraisal.drift_key, result.baselines_end, self.appraisal.rules_key, *self.appraisal.keys,
            evidence.verdict.value, evidence.voucher.value, stored_finding(evidence.finding),
        )  # fmt: skip

    def own(self, registers_key: str) -> tuple[object, ...]:
        """The values of `OWN`."""
        return registers_key, self.others(), dict(self.evidence.details)

    def others(self) -> dict[str, dict[str, str]]:
        """Latest values of the registers that no part requires, by bank."""
        others = {}
        for bank, values in self.evidence.registers.items():
            required = self.appraisal.required(bank)
            others[bank.value] = {_DIGITS[at]: value.hex() for at, value in values.items() if at not in required}
        return others


def judge(evidence: Evidence, rules: Rules | None, appraiser: Appraiser) -> Judged:
    """Evidence under the rules in force; without a policy nothing can be told."""
    return Judged(evidence, appraiser.appraise(evidence, rules))


def remember(judged: Iterable[Judged], now: datetime) -> None:
    """Keeps the measurements that are new; hosts with the same values share one row."""
    distinct = {each.key: each for outcome in judged for each in outcome.measurements if each.values}
    if not distinct:
        return
    MeasurementRow.objects.bulk_create(
        [
            MeasurementRow(
                key=key,
                part=each.part.value,
                bank=each.bank.value,
                values={str(index): value.hex() for index, value in each.values.items()},
                first_seen_at=now,
            )
            # In one order, so that workers who insert the same ones at once don't wait for each other in a circle.
            for key, each in sorted(distinct.items())
        ],
        ignore_conflicts=True,
    )


def stored_finding(finding: Finding | None) -> dict[str, object] | None:
    """A finding as JSON; `None` stays `None`."""
    return {"code": finding.reason.code, "params": dict(finding.params)} if finding else None


def read_finding(stored: Mapping[str, object] | None) -> Finding | None:
    """The finding that was stored."""
    if stored is None:
        return None
    params = stored["params"]
    return Finding(Reason.of(str(stored["code"])), dict(params) if isinstance(params, Mapping) else {})


def union(measurements: Sequence[MeasurementRow], others: Mapping[str, Mapping[str, str]]) -> Registers:
    """All register values that are kept of a host: those of its measurements, and the others."""
    registers: dict[Bank, dict[int, bytes]] = {}
    for row in measurements:
        registers.setdefault(Bank(row.bank), {}).update(_parsed(row.values))
    for bank, values in others.items():
        registers.setdefault(Bank(bank), {}).update(_parsed(values))
    return registers


def _parsed(values: Mapping[str, str]) -> dict[int, bytes]:
    return {int(index): bytes.fromhex(value) for index, value in values.items()}
