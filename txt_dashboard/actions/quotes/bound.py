"""When the approved key of a host changes, what was proven by another one counts no more."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from txt_dashboard.actions.settle import CHUNK, Change, settle
from txt_dashboard.attest.appraisal import Match
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.models import Attestation, Quoted
from txt_dashboard.models.bulk import update_rows


def apply_keys(reference: ReferenceSet, *, now: datetime) -> list[Change]:
    """Brings what is on file of quotes in line with the keys in force. One query while the set stays the same.

    Hosts whose key changed are due at once, and what their TPM's counters were is forgotten: the key is looked at
    anew. Returns the hosts that changed.
    """
    number = reference.number
    judged = Quoted.objects.filter(Q(set_number__lt=number) | Q(set_number__gt=number))
    columns = ("attestation_id", "attestation__server__name", "attestation__host__name", "bound")
    rows = [
        (id_, bound)
        for id_, server, host, was in judged.values_list(*columns)
        if (bound := reference.bound(server, host)) != was
    ]
    changes: list[Change] = []
    for start in range(0, len(rows), CHUNK):
        changes += _rebind(rows[start : start + CHUNK], number, now)
    judged.update(set_number=number)
    return changes


@transaction.atomic
def _rebind(rows: Sequence[tuple[int, str]], number: int, now: datetime) -> list[Change]:
    ids = [id_ for id_, _ in rows]
    forgotten = {"due_at": None, "counters": None, "last_seen": None, "approved": b"", "set_number": number}
    update_rows(Quoted, ("bound",), rows, constants=forgotten)
    concerned = Attestation.objects.filter(id__in=ids)
    proven = concerned.filter(voucher=Voucher.QUOTE)
    hosts = set(proven.values_list("host_id", flat=True))
    proven.update(
        counts_from=None, valid_until=None, match=Match.UNDETERMINED, drift_key="", rules_key="", registers_key=""
    )
    concerned.update(due_at=now)
    return settle(hosts, now=now)
