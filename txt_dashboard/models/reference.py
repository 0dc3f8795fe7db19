"""Measurements, and what they are appraised against: baselines and policies."""

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


class Baseline(models.Model):
    """Golden values of one part that are in force, within their scope and dates."""

    key = models.CharField(max_length=64, unique=True)  # of its content
    name = models.CharField(max_length=100)
    part = models.CharField(max_length=10, choices=PARTS)
    bank = models.CharField(max_length=10, choices=BANKS)
    values = models.JSONField()  # {"18": "<hex>"}
    pools = models.JSONField(default=list)  # empty: all
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    loaded_at = models.DateTimeField()

    class Meta:
        ordering = ["part", "name"]

    def __str__(self) -> str:
        return self.name


class Policy(models.Model):
    """What evidence of one server must show for one pool ("" is all others), and how long it holds."""

    server = models.ForeignKey("Server", on_delete=models.CASCADE, related_name="policies")
    pool = models.CharField(max_length=63, blank=True)
    parts = models.JSONField()  # {"vmm": {"bank": "sha1", "registers": [18]}}
    validity_s = models.PositiveIntegerField()
    word_is_enough = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "pool"], name="one_policy_per_server_and_pool")]
