"""A server said by itself that something happened to a host."""

from django.db import models


class Notice(models.Model):
    """The last notice about a host. Beside `Attestation` and not on it, for hardly any host has one."""

    attestation = models.OneToOneField(
        "Attestation", primary_key=True, on_delete=models.CASCADE, related_name="notice"
    )
    brings_at = models.DateTimeField()  # when the poll that it brings about is due, or was
