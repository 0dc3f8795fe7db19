"""What one attestation server says of one host: the evidence at hand, and the job that renews it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from txt_dashboard.attest.appraisal import Match


def counts_at(now: datetime) -> Q:
    """Evidence that counts at this moment; as `attest.appraisal.freshness`.

    Whoever reads took the moment before, so evidence may be newer than it: by the time that reading took, or by as
    much as the clocks of two machines differ.
    """
    return Q(counts_from__lte=latest_begin(now), valid_until__gt=now)


def latest_begin(now: datetime) -> datetime:
    """Evidence that counts from a later moment on is from a future that our clock left again."""
    return now + timedelta(seconds=settings.TXT_CLOCK_TOLERANCE_S)


class AttestationQuerySet(models.QuerySet["Attestation"]):
    """Conditions on attestations."""

    def due(self, now: datetime) -> "AttestationQuerySet":
        """To be asked for now, and leased to no living worker."""
        return self.filter(due_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lte=now))

    def fresh(self, now: datetime) -> "AttestationQuerySet":
        """Whose evidence counts now."""
        return self.filter(counts_at(now))

    def run_out(self, now: datetime) -> "AttestationQuerySet":
        """Which have evidence that does not count now: too old, or from long after now (our clock went back)."""
        return self.filter(Q(valid_until__lte=now) | Q(counts_from__gt=latest_begin(now)))


class Attestation(models.Model):
    """One server's evidence for one host.

    The row is the job: `due_at` says when to ask, `lease` who is asking. A `due_at` that was changed while somebody
    asks holds: it is when to ask once more. What every poll writes is here and not on `Host`, so that an unchanged
    poll is one UPDATE of times.
    """

    host = models.ForeignKey("Host", on_delete=models.CASCADE, related_name="attestations")
    server = models.ForeignKey("Server", on_delete=models.PROTECT, related_name="attestations")

    due_at = models.DateTimeField()
    lease = models.CharField(max_length=32, blank=True, db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    noticed_at = models.DateTimeField(null=True)  # when a notice last brought the next poll about, or is about to

    failures = models.PositiveSmallIntegerField(default=0)  # batches in a row that failed with this host in them

    asked_at = models.DateTimeField(null=True, blank=True)
    answered = models.BooleanField(default=False)  # the last attempt gave evidence
    silence = models.JSONField(null=True, blank=True)  # else why not: {"code": …, "params": {…}}

    attested_at = models.DateTimeField(null=True, blank=True)  # the server's time
    counts_from = models.DateTimeField(null=True, blank=True, db_index=True)
    valid_until = models.DateTimeField(null=True, blank=True, db_index=True)
    verdict = models.CharField(max_length=10, blank=True)
    voucher = models.CharField(max_length=10, blank=True)
    doubt = models.JSONField(null=True, blank=True)  # the finding that came with the evidence
    details = models.JSONField(default=dict)  # the server's own sub-verdicts
    registers_key = models.CharField(max_length=64, blank=True)
    platform = models.ForeignKey("Measurement", null=True, on_delete=models.PROTECT, related_name="+")
    vmm = models.ForeignKey("Measurement", null=True, on_delete=models.PROTECT, related_name="+")
    others = models.JSONField(default=dict)  # latest values that no part requires: {"sha1": {"1": "<hex>"}}

    rules_key = models.CharField(max_length=64, blank=True)
    match = models.CharField(
        max_length=15, choices=[(match.value, match.value) for match in Match], default=Match.UNDETERMINED.value
    )
    reason = models.CharField(max_length=40, default="never_attested")
    reason_params = models.JSONField(default=dict)
    differing = models.JSONField(default=list)
    drift_key = models.CharField(max_length=64, blank=True)  # of the parts that differ: equal keys drifted alike
    baselines_end = models.DateTimeField(null=True, blank=True)

    objects = AttestationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "server"], name="one_attestation_per_host_and_server")]
        indexes = [
            models.Index(fields=["server", "due_at"]),
            models.Index(fields=["drift_key"], condition=~Q(drift_key=""), name="drifted_attestations"),
        ]
