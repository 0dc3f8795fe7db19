"""Keys by which programs use the API in the name of an account."""

from datetime import datetime

from django.db import models

from txt_dashboard.models.governance import Account


class ApiKey(models.Model):
    """A key that acts for its owner, with some of the owner's roles. Of its secret only the hash is kept.

    `number` is the public half, by which the row is found.
    """

    number = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)  # SHA-256 of the secret, in hex: it is random, so no slow hash is needed
    name = models.CharField(max_length=60)
    owner = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    roles = models.JSONField(default=list)  # what it was given; it never has more than its owner has now
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)  # to the minute
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"

    def is_good(self, now: datetime) -> bool:
        """Whether it may be used at this moment."""
        return self.revoked_at is None and now < self.expires_at
