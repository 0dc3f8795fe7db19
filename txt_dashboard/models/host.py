"""Hosts, and the history of what became of them."""

from django.db import models

from txt_dashboard.attest.appraisal import State

STATES = [(state.value, state.value) for state in State]


class Host(models.Model):
    """One host, by the name that attestation servers know it by.

    `state` is written when it changes, so readers must also ask whether the evidence still counts:
    `Host.objects` filters and `queries` do, and nothing else may say that a host is trusted.
    """

    name = models.CharField(max_length=253, unique=True)
    pool = models.CharField(max_length=63, blank=True, db_index=True)
    state = models.CharField(max_length=10, choices=STATES, default=State.UNKNOWN.value)
    reason = models.CharField(max_length=40, default="never_attested")
    reason_params = models.JSONField(default=dict)
    differing = models.JSONField(default=list)  # indexes of registers
    # What tells hosts apart for an appraisal (see attest.alike); empty until the host is settled.
    evidence_key = models.CharField(max_length=64, blank=True, default="", db_default="")
    since = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["state", "pool"]),
            models.Index(fields=["state", "name"]),
            models.Index(fields=["since", "id"]),
            models.Index(fields=["evidence_key", "pool"], name="hosts_judged_alike"),
        ]

    def __str__(self) -> str:
        return self.name


class HostEvent(models.Model):
    """A change: of state, of reason, or of a measurement. A poll that changes nothing writes none."""

    # No indexes of their own: the one below begins with the host, and nobody asks for changes by measurement.
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField(db_index=True)
    previous_state = models.CharField(max_length=10, choices=STATES)
    state = models.CharField(max_length=10, choices=STATES)
    reason = models.CharField(max_length=40)
    reason_params = models.JSONField(default=dict)
    differing = models.JSONField(default=list)
    platform = models.ForeignKey("Measurement", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    vmm = models.ForeignKey("Measurement", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["host", "-at", "-id"])]
