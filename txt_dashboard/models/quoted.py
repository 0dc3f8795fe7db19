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


class RegisterLog(models.Model):
    """What of a log leads to one value of a register that baselines may let vary by its events.

    Kept by the value and not with a host: what leads to it is the same for all. It is replayed each time it is used,
    so the row proves nothing by itself. `borne_out` is how many of its events hold what their digest is of.
    """

    register = models.CharField(max_length=64, primary_key=True)  # queries.logs.register_key
    packed = models.BinaryField()  # zlib of a log with this register's events alone
    size = models.PositiveIntegerField()  # bytes when unpacked
    borne_out = models.PositiveIntegerField()


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
    message = models.BinaryField()  # TPMS_ATTEST; of a TPM 1.2 TPM_QUOTE_INFO
    signature = models.BinaryField()  # TPMT_SIGNATURE; of a TPM 1.2 the bare one
    composite = models.BinaryField(default=b"")  # TPM_PCR_COMPOSITE; empty: it is of a TPM 2.0
    registrar = models.JSONField(default=dict)  # what the server says of the endorsement key: its word
    reported = models.JSONField()  # {"sha1": {"0": "<hex>"}}
    public = models.BinaryField()  # the key that was shown beside it: TPM2B_PUBLIC, of a TPM 1.2 DER
    approved = models.BinaryField()  # the key that it was verified with; empty: none was approved
    bound = models.CharField(max_length=66, blank=True)  # attest.reference.ReferenceSet.bound
    set_number = models.PositiveIntegerField(db_index=True)  # of the signed set that named the key
    last_seen = models.JSONField(null=True)  # the TPM's counters before: [resets, restarts, milliseconds]
    counters = models.JSONField(null=True)  # those that the next quote is held against
    problem = models.TextField(blank=True)  # why no newer quote came
    log = models.ForeignKey(EventLog, null=True, on_delete=models.PROTECT, related_name="quoted")
    log_of = models.CharField(max_length=64, blank=True)  # the registers' key that a log was asked for


class ImaList(models.Model):
    """What a host's kernel measured, as it listed it, beside the register 10 that its quote had proven just before.

    Each host has its own, which grows: only the last one is kept. It explains and never decides.
    """

    attestation = models.OneToOneField(
        "Attestation", primary_key=True, on_delete=models.CASCADE, related_name="ima_list"
    )
    at = models.DateTimeField()  # when it was asked for
    bank = models.CharField(max_length=10, blank=True)  # empty: none came
    value = models.CharField(max_length=128, blank=True)  # register 10 in hex
    packed = models.BinaryField(default=b"")  # zlib
    size = models.PositiveIntegerField(default=0)  # bytes when unpacked
