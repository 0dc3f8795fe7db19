"""Appraising again what is on file: when the rules in force change, no host waits for its next poll."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from txt_dashboard.actions.outcome import COLUMNS, Judged, judge, read_finding, remember, union
from txt_dashboard.actions.settle import CHUNK, Change, settle
from txt_dashboard.attest.appraisal import valid_until
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.evidence import Evidence, Verdict, Voucher
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import ReferenceSet, Rules
from txt_dashboard.models import Attestation
from txt_dashboard.models.bulk import update_rows

_BY_EVENTS = (Reason.EVENTS_UNPROVEN.code, Reason.EVENTS_DIFFER.code, Reason.REGISTERS_DIFFER.code)


def reappraise(reference: ReferenceSet, appraiser: Appraiser, *, now: datetime) -> list[Change]:
    """Brings every attestation under the rules in force at `now`; returns the hosts that changed."""
    changes: list[Change] = []
    appraised = Attestation.objects.exclude(counts_from=None)
    for server, pool, key in appraised.values_list("server__name", "host__pool", "rules_key").distinct():
        rules = reference.rules(server, pool, now)
        if key != (rules.key if rules else ""):
            outdated = appraised.filter(server__name=server, host__pool=pool, rules_key=key)
            ids = list(outdated.values_list("id", flat=True))
            for start in range(0, len(ids), CHUNK):
                changes += _reappraise(ids[start : start + CHUNK], key, rules, appraiser, now)
    return changes


def reappraise_by_events(
    ids: Sequence[int], reference: ReferenceSet, appraiser: Appraiser, *, now: datetime
) -> list[Change]:
    """Brings those of these attestations that waited for a log under the rules again; returns the hosts that changed.

    Others that show the same values wait with them, and for the same log.
    """
    waiting = Attestation.objects.filter(reason__in=_BY_EVENTS).exclude(counts_from=None)
    keys = {key for pair in waiting.filter(id__in=ids).values_list("platform", "vmm") for key in pair if key}
    alike = waiting.filter(Q(platform__in=keys) | Q(vmm__in=keys)) if keys else waiting.none()
    changes: list[Change] = []
    scopes = alike.order_by().values_list("server__name", "host__pool", "rules_key").distinct()
    for server, pool, key in scopes:
        rules = reference.rules(server, pool, now)
        if rules is not None and rules.key == key:
            chosen = list(
                alike.filter(server__name=server, host__pool=pool, rules_key=key).values_list("id", flat=True)
            )
            for start in range(0, len(chosen), CHUNK):
                changes += _reappraise(chosen[start : start + CHUNK], key, rules, appraiser, now)
    return changes


@transaction.atomic
def _reappraise(
    ids: Sequence[int], key: str, rules: Rules | None, appraiser: Appraiser, now: datetime
) -> list[Change]:
    # Locked, so that no poll writes newer evidence between reading and writing.
    locked = Attestation.objects.select_for_update(no_key=True, of=("self",)).order_by("id")
    rows = list(locked.filter(id__in=ids, rules_key=key).select_related("platform", "vmm"))
    outcomes, writes, remeasured = [], [], set()
    for row in rows:
        outcome = judge(_evidence(row, now), rules, appraiser)
        outcomes.append(outcome)
        writes.append((row.id, _valid_until(row, outcome, rules), *outcome.stored(row.registers_key)))
        if [each.key for each in outcome.measurements if each.values] != _keys(row):
            remeasured.add(row.host_id)
    remember(outcomes, now)
    update_rows(Attestation, ("valid_until", *COLUMNS), writes, only_where={"rules_key": key})
    return settle({row.host_id for row in rows}, now=now, remeasured=remeasured)


def _evidence(row: Attestation, now: datetime) -> Evidence:
    """The evidence as it was stored. Its date was judged when it came; `doubt` remembers how."""
    return Evidence(
        verdict=Verdict(row.verdict),
        attested_at=row.attested_at or now,
        registers=union([each for each in (row.platform, row.vmm) if each], row.others),
        voucher=Voucher(row.voucher),
        finding=read_finding(row.doubt),
        details=row.details,
    )


def _valid_until(row: Attestation, outcome: Judged, rules: Rules | None) -> datetime | None:
    if rules is None or row.counts_from is None:
        return row.valid_until
    return valid_until(row.counts_from, rules.policy.validity, outcome.result.baselines_end)


def _keys(row: Attestation) -> list[str]:
    return [key for key in (row.platform_id, row.vmm_id) if key]
