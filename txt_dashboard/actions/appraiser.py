"""Appraisals remembered: a measurement is appraised once under the same rules."""

from txt_dashboard.attest.appraisal import PartAppraisal, Result, appraise_part, conclude
from txt_dashboard.attest.evidence import Evidence
from txt_dashboard.attest.reference import Measurement, Requirement, Rules, measure

LIMIT = 20_000


class Appraiser:
    """A memory of appraisals. Appraisal is pure, so remembering never changes an answer."""

    def __init__(self) -> None:
        self.appraisals = 0  # that had to be made
        self._known: dict[tuple[str, str], PartAppraisal] = {}

    def appraise(self, evidence: Evidence, rules: Rules) -> tuple[Result, tuple[Measurement, ...]]:
        """The whole appraisal of one host, and the measurements it rests on."""
        measurements = tuple(measure(need, evidence.registers) for need in rules.policy.requirements)
        parts = [
            self._part(measurement, need, rules)
            for measurement, need in zip(measurements, rules.policy.requirements, strict=True)
        ]
        return conclude(evidence, parts, word_is_enough=rules.policy.word_is_enough), measurements

    def _part(self, measurement: Measurement, need: Requirement, rules: Rules) -> PartAppraisal:
        key = measurement.key, rules.key
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= LIMIT:
                self._known.clear()
            self.appraisals += 1
            known = self._known[key] = appraise_part(measurement, need, rules.baselines)
        return known
