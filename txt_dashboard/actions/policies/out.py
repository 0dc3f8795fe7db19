"""Hosts that their server does not speak of because their agents' policies are being changed."""

from django.db.models import Q

from txt_dashboard.actions.claim import Claim
from txt_dashboard.attest.evidence import NoEvidence
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import AgentPolicy
from txt_dashboard.servers.base import Batch

_SILENT = frozenset({Reason.NOT_KNOWN_TO_SERVER, Reason.ATTESTATION_PENDING})


def agents_out(claim: Claim, batch: Batch) -> set[int]:
    """Those of a batch: what is known of them runs on, and runs out. No query where the server speaks of all.

    The batch may be older than the end of a change. Where policies are rewritten no more, nobody is out for a while.
    """
    silent = [row.id for row in claim.rows if _is_silent(batch, row.host)]
    if not silent:
        return set()
    changing = Q(change__isnull=False) | Q(settled_at__gte=batch.requested_at)
    found = AgentPolicy.objects.filter(changing, pk__in=silent, attestation__server__policy_round__isnull=False)
    return set(found.values_list("pk", flat=True))


def _is_silent(batch: Batch, host: str) -> bool:
    answer = batch.answers.get(host)
    return isinstance(answer, NoEvidence) and answer.finding.reason in _SILENT
