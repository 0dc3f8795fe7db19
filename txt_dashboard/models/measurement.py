"""Measurements: what hosts showed, each once. What they are appraised against is the signed set."""

from django.db import models

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part

PARTS = [(part.value, part.value) for part in Part]
BANKS = [(bank.value, bank.value) for bank in Bank]


class Measurement(models.Model):
    """The registers that a policy requires of one part; content-addressed, shared among hosts."""

    key = models.CharField(max_length=64, primary_key=True)
    part = models.CharField(max_length=10, choices=PARTS)
    bank = models.CharField(max_length=10, choices=BANKS)
    values = models.JSONField()  # {"18": "<hex>"}
    first_seen_at = models.DateTimeField()
