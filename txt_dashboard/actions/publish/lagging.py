"""Hosts that show approved values, while their server says untrusted because it knows others."""

from dataclasses import dataclass
from datetime import datetime

from txt_dashboard.actions.claim import Claim, ClaimedRow
from txt_dashboard.actions.outcome import Judged, judge
from txt_dashboard.actions.publish.records import left_alone
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import ReferenceSet, Rules
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import Batch


@dataclass(frozen=True, slots=True)
class Lagging:
    """One of them: what it showed, and by which rules that matches."""

    row: ClaimedRow
    judged: Judged
    rules: Rules


def lagging(
    claim: Claim, batch: Batch, reference: ReferenceSet, appraiser: Appraiser, now: datetime
) -> tuple[Lagging, ...]:
    """Those of a batch. No query where there is none."""
    endpoint = reference.servers.get(claim.server.name)
    if endpoint is None or not endpoint.counts or KINDS[endpoint.kind].whitelist is None:
        return ()
    rules = {pool: reference.rules(claim.server.name, pool, now) for pool in {row.pool for row in claim.rows}}
    found = [each for row in claim.rows if (each := _lagging(row, batch, rules[row.pool], appraiser))]
    if not found:
        return ()
    alone = left_alone([each.row.id for each in found], reference.number, now)
    return tuple(each for each in found if each.row.id not in alone)


def _lagging(row: ClaimedRow, batch: Batch, rules: Rules | None, appraiser: Appraiser) -> Lagging | None:
    answer = batch.answers.get(row.host)
    if not isinstance(answer, Evidence) or answer.verdict is not Verdict.UNTRUSTED or answer.finding is not None:
        return None
    if row.attested_at is not None and answer.attested_at < row.attested_at:
        return None  # it is older than what is known already: nothing is done because of it
    if rules is None:
        return None
    judged = judge(answer, rules, appraiser)
    return Lagging(row, judged, rules) if judged.result.finding.reason is Reason.SERVER_UNTRUSTED else None
