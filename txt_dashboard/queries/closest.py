"""Which approved baselines come closest to what hosts measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from txt_dashboard.attest.appraisal import PartAppraisal, appraise_part
from txt_dashboard.attest.by_events import Logs, no_logs
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Measurement, Part, ReferenceSet, Rules
from txt_dashboard.models import Attestation
from txt_dashboard.models import Measurement as MeasurementRow
from txt_dashboard.queries.logs import log_of_register
from txt_dashboard.queries.why import Pair


@dataclass(frozen=True, slots=True)
class Compared:
    """What one attestation's measurements showed against the rules that are in force now."""

    parts: tuple[PartAppraisal, ...]
    pairs: tuple[Pair, ...] = ()  # values of the parts that differ, golden and actual

    @property
    def baselines(self) -> tuple[str, ...]:
        """The names of the closest baselines, part by part."""
        return tuple(part.baseline.name for part in self.parts if part.baseline)


def compare(attestations: Iterable[Attestation], reference: ReferenceSet, now: datetime) -> dict[int, Compared]:
    """Appraises the measurements of these attestations, each distinct one once; by attestation id.

    The attestations must come with `host` and `server`. One query, whatever their number.
    """
    chosen = list(attestations)
    keys = {key for each in chosen for key in (each.platform_id, each.vmm_id) if key}
    measurements = {row.key: read_measurement(row) for row in MeasurementRow.objects.filter(key__in=keys)}
    rules: dict[tuple[str, str], Rules | None] = {}
    appraised: dict[tuple[object, ...], Compared] = {}
    compared = {}
    for each in chosen:
        scope = each.server.name, each.host.pool
        if scope not in rules:
            rules[scope] = reference.rules(*scope, now)
        proven = each.voucher == Voucher.QUOTE and each.doubt is None
        case = (*scope, proven, each.platform_id, each.vmm_id)
        if case not in appraised:
            shown = [measurements[key] for key in (each.platform_id, each.vmm_id) if key in measurements]
            appraised[case] = _compare(shown, rules[scope], log_of_register if proven else no_logs)
        compared[each.pk] = appraised[case]
    return compared


def read_measurement(row: MeasurementRow) -> Measurement:
    """A measurement from its row."""
    values = {int(index): bytes.fromhex(value) for index, value in row.values.items()}
    return Measurement(Part(row.part), Bank(row.bank), values)


def _compare(shown: Iterable[Measurement], rules: Rules | None, logs: Logs) -> Compared:
    if rules is None:
        return Compared(())
    of_part = {(each.part, each.bank): each for each in shown}
    parts: list[PartAppraisal] = []
    pairs: list[Pair] = []
    for need in rules.policy.requirements:
        measured = of_part.get((need.part, need.bank))
        if measured is None:
            continue
        part = appraise_part(measured, need, rules.baselines, logs)
        parts.append(part)
        if part.differences and part.baseline:
            golden = {index: part.baseline.values[index] for index in need.indexes}
            pairs.append(Pair(need.part, need.bank, golden, measured.values))
    return Compared(tuple(parts), tuple(pairs))
