"""Other hosts that show the same values."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from txt_dashboard.models import Attestation, Host
from txt_dashboard.queries.state import with_state

NEIGHBOURS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Other hosts with the same values: all that differ in the same way, or all that match alike."""

    count: int
    shown: tuple[Host, ...]
    drift_key: str

    @property
    def hidden(self) -> int:
        """How many more there are than are shown."""
        return self.count - len(self.shown)


def neighbours(attestation: Attestation, now: datetime) -> Neighbours:
    """Other hosts that show this server the same values. Two queries."""
    alike = _alike(attestation).exclude(host=attestation.host_id)
    hosts = with_state(Host.objects.filter(id__in=alike.values("host_id")), now)
    return Neighbours(alike.count(), tuple(hosts.order_by("name")[:NEIGHBOURS_SHOWN]), attestation.drift_key)


def _alike(attestation: Attestation) -> QuerySet[Attestation]:
    rows = Attestation.objects.filter(server=attestation.server_id)
    if attestation.drift_key:
        return rows.filter(drift_key=attestation.drift_key)
    if attestation.platform_id is None and attestation.vmm_id is None:
        return rows.none()
    return rows.filter(drift_key="", platform=attestation.platform_id, vmm=attestation.vmm_id)
