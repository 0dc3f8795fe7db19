"""Attestation servers: how to reach them, and how they fare."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from txt_dashboard.attest.reference import endpoint_key


class Server(models.Model):
    """One attestation server. The secret is sealed (see `vault`); health is written by workers only.

    Where an approved server is, and whether it counts, says the signed set; `kind`, `url`, `ca_pem` and `counts`
    repeat it here, for queries and pages. Of a server that is not in the set they are what an administrator entered.
    """

    name = models.CharField(
        max_length=63,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", "Use lower-case letters, digits and hyphens.")],
    )
    kind = models.CharField(max_length=32)
    url = models.CharField(max_length=500)
    ca_pem = models.TextField(blank=True)
    sealed_auth_blob = models.TextField(blank=True)  # opens for this address only
    sealed_next_auth_blob = models.TextField(blank=True)  # for the address that it is proposed to move to
    counts = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    simulated = models.BooleanField(default=False)
    interval_s = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(5), MaxValueValidator(24 * 3600)]
    )
    batch_size = models.PositiveIntegerField(default=100, validators=[MinValueValidator(1), MaxValueValidator(500)])
    parallel = models.PositiveSmallIntegerField(default=2, validators=[MinValueValidator(1), MaxValueValidator(32)])
    deadline_s = models.PositiveIntegerField(default=90, validators=[MinValueValidator(1), MaxValueValidator(600)])
    # How long a quote lasts before the next is asked for, as it costs the TPM time; 0: one at each poll.
    quote_interval_s = models.PositiveIntegerField(default=0, db_default=0, validators=[MaxValueValidator(24 * 3600)])
    version = models.PositiveIntegerField(default=1)  # of the settings above; an edit must name the one it saw

    failures = models.PositiveIntegerField(default=0)  # in a row
    retry_at = models.DateTimeField(null=True, blank=True)  # while failures last: not asked before
    asked_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=32, blank=True)
    error = models.TextField(blank=True)
    remarks = models.JSONField(default=list)  # what was ignored in the last answer
    ahead_s = models.FloatField(default=0)  # its clock against ours, in the last answer
    passes_quotes = models.BooleanField(default=False)  # as it answered when its hosts were last listed
    listed_at = models.DateTimeField(null=True, blank=True)  # when its own list of hosts was last read

    test_requested_at = models.DateTimeField(null=True, blank=True)
    test_leased_until = models.DateTimeField(null=True, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    test_passed = models.BooleanField(null=True)
    test_result = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def endpoint_key(self) -> str:
        """Of where it is, by this row. Its secret is sealed for this."""
        return endpoint_key(self.kind, self.url, self.ca_pem)

    @property
    def interval(self) -> timedelta:
        """How often a host is asked for."""
        return timedelta(seconds=self.interval_s)

    @property
    def quote_interval(self) -> timedelta:
        """How often a host's TPM is asked at most, unless its server changes its mind or a person asks."""
        return timedelta(seconds=self.quote_interval_s)

    @property
    def lease(self) -> timedelta:
        """How long a claimed batch may take: longer than any answer, so that only dead workers lose it."""
        return timedelta(seconds=2 * self.deadline_s + 30)
