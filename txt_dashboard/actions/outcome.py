"""One host's evidence, appraised, in the form in which it is stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from txt_dashboard.actions.appraiser import Appraiser
from txt_dashboard.attest.appraisal import Match, Outcome, Result
from txt_dashboard.attest.evidence import Evidence
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Measurement, Part, Rules
from txt_dashboard.models import Measurement as MeasurementRow

COLUMNS = (
    "match", "reason", "reason_params", "differing", "drift_key", "baselines_end", "rules_key", "platform", "vmm",
    "others", "verdict", "voucher", "doubt", "details", "registers_key",
)  # fmt: skip

_NO_POLICY = Result(Match.UNDETERMINED, Finding(Reason.NO_POLICY), ())


@dataclass(frozen=True, slots=True)
class Judged:
    """An appraisal of one host, and the measurements it rests on."""

    evidence: Evidence
    result: Result
    measurements: tuple[Measurement, ...]
    rules_key: str

    def key(self, part: Part) -> str | None:
        """The key of the part's measurement, or `None` where the policy requires nothing of it."""
        return next((each.key for each in self.measurements if each.part is part and each.values), None)

    def stored(self, registers_key: str) -> tuple[object, ...]:
        """The values of `COLUMNS`."""
        result, evidence = self.result, self.evidence
        return (
            result.match.value, result.finding.reason.code, dict(result.finding.params), list(result.differing),
            self._drift_key(), result.baselines_end, self.rules_key, self.key(Part.PLATFORM), self.key(Part.VMM),
            self.others(), evidence.verdict.value, evidence.voucher.value, stored_finding(evidence.finding),
            dict(evidence.details), registers_key,
        )  # fmt: skip

    def _drift_key(self) -> str:
        differing = {part.part for part in self.result.parts if part.outcome is Outcome.DIFFERS}
        keys = [each.key for each in self.measurements if each.part in differing]
        return sha256("".join(keys).encode()).hexdigest() if keys else ""

    def others(self) -> dict[str, dict[str, str]]:
        """Latest values of the registers that no part requires, by bank."""
        required = {(each.bank, index) for each in self.measurements for index in each.values}
        return {
            bank.value: {str(index): value.hex() for index, value in values.items() if (bank, index) not in required}
            for bank, values in self.evidence.registers.items()
        }


def judge(evidence: Evidence, rules: Rules | None, appraiser: Appraiser) -> Judged:
    """Evidence under the rules in force; without a policy nothing can be told."""
    if rules is None:
        return Judged(evidence, _NO_POLICY, (), "")
    result, measurements = appraiser.appraise(evidence, rules)
    return Judged(evidence, result, measurements, rules.key)


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
            for key, each in distinct.items()
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
