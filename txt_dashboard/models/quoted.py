"""What hosts' TPMs signed, and their event logs: the raw material of the latest evidence, for people to check."""

from django.db import models


class EventLog(models.Model):
    """One event log as a host wrote it; content-addressed, shared among hosts. It explains and never decides."""

    digest = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the log
    packed = models.BinaryField()  # zlib
    size = models.PositiveIntegerField()  # bytes when unpacked
    first_seen_at = models.DateTimeField()


class MeasuredLog(models.Model):
    """A log that leads to exactly the values of a measurement, as a host's quote had proven them.

    Kept by the measurement's key and not with its row: golden values outlive the hosts that showed them.
    """

    measurement = models.CharField(max_length=64, primary_key=True)
    log = models.ForeignKey(EventLog, on_delete=models.PROTECT, related_name="measured")


class Quoted(models.Model):
    """The last quote that came for an attestation, and what it was held against.

    Beside `Attestation` and not on it, for most servers pass on no quotes.
    """

    attestation = models.OneToOneField(
        "Attestation", primary_key=True, on_delete=models.CASCADE, related_name="quoted"
    )
    at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # when the next is to be asked for; empty: at the next poll
    nonce = models.BinaryField()
    selection = models.JSONField()  # {"sha1": [0, 1]}
    message = models.BinaryField()  # TPMS_ATTEST
    signature = models.BinaryField()  # TPMT_SIGNATURE
    reported = models.JSONField()  # {"sha1": {"0": "<hex>"}}
    public = models.BinaryField()  # the key that was shown beside it: TPM2B_PUBLIC
    approved = models.BinaryField()  # the key that it was verified with; empty: none was approved
    bound = models.CharField(max_length=65, blank=True)  # attest.reference.ReferenceSet.bound
    set_number = models.PositiveIntegerField(db_index=True)  # of the signed set that named the key
    last_seen = models.JSONField(null=True)  # the TPM's counters before: [resets, restarts, milliseconds]
    counters = models.JSONField(null=True)  # those that the next quote is held against
    problem = models.TextField(blank=True)  # why no newer quote came
    log = models.ForeignKey(EventLog, null=True, on_delete=models.PROTECT, related_name="quoted")
    log_of = models.CharField(max_length=64, blank=True)  # the registers' key that a log was asked for
