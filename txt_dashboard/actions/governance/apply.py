"""Makes the servers' rows repeat what the signed set says of them, however they came to differ."""

from datetime import datetime

from django.db import transaction

from txt_dashboard.actions.settle import Change, settle
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reference import Endpoint, ReferenceSet
from txt_dashboard.models import Attestation, Host, Server


def apply_servers(reference: ReferenceSet, *, now: datetime) -> list[Change]:
    """Brings every server's row in line with the set; returns the hosts whose state changed. Two queries mostly."""
    changes: list[Change] = []
    for row in Server.objects.all():
        endpoint = reference.servers.get(row.name)
        counts = endpoint is not None and endpoint.counts
        if row.counts != counts or (endpoint is not None and endpoint.key != row.endpoint_key):
            changes += _apply(row.pk, endpoint, counts=counts, now=now)
    # However it came to be stored: a host is trusted by somebody's word that counts, or it is not.
    unvouched = Host.objects.filter(state=State.TRUSTED).exclude(attestations__server__counts=True)
    return changes + settle(set(unvouched.values_list("id", flat=True)), now=now)


@transaction.atomic
def _apply(server_id: int, endpoint: Endpoint | None, *, counts: bool, now: datetime) -> list[Change]:
    row = Server.objects.select_for_update(no_key=True).get(pk=server_id)
    if endpoint is not None and endpoint.key != row.endpoint_key:
        row.kind, row.url, row.ca_pem = endpoint.kind, endpoint.url, endpoint.ca_pem
        # Sealed for the address that it was entered for: it opens for no other.
        row.sealed_auth_blob, row.sealed_next_auth_blob = row.sealed_next_auth_blob, ""
        row.failures, row.retry_at, row.listed_at = 0, None, None
        if not row.counts:
            # It was not heard by anybody's leave, and perhaps from elsewhere.
            forget_evidence(row)
    row.counts = counts
    row.version += 1
    row.save()
    hosts = Attestation.objects.filter(server=row).values_list("host_id", flat=True)
    return settle(set(hosts), now=now)


def forget_evidence(server: Server) -> None:
    """What this server said counts no more, whatever comes: its hosts are asked for again."""
    Attestation.objects.filter(server=server).update(
        counts_from=None, valid_until=None, attested_at=None, drift_key="", rules_key="", registers_key="", lease=""
    )
