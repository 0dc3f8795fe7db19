"""Who decides what can make a host trusted: accounts, proposals, decisions, and the signed set they lead to."""

import uuid

from django.conf import settings
from django.db import models


class Account(models.Model):
    """What governance must know of a local account: whose it is, and since when it may approve."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account")
    person = models.UUIDField(default=uuid.uuid4, db_index=True)  # linked accounts share it and are one person
    approver_since = models.DateTimeField(null=True, blank=True)
    named = models.BooleanField(default=False)  # by the bootstrap command: counts at once
    source = models.CharField(max_length=64, blank=True, default="", db_default="")  # "" local, else of which cloud
    source_id = models.CharField(max_length=64, blank=True, default="", db_default="")  # the user's id there

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_id"], condition=~models.Q(source=""), name="one_account_per_user_of_a_cloud"
            )
        ]

    def __str__(self) -> str:
        return str(self.user.get_username())


class ProposalState(models.TextChoices):
    """What became of a proposal."""

    OPEN = "open"
    IN_FORCE = "in force"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Proposal(models.Model):
    """A patch of the signed set that somebody asks for. In force once a worker has signed it."""

    title = models.CharField(max_length=200)
    reason = models.TextField()
    # NULL: the machine's own command line, which is nobody's person.
    proposer = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="proposals")
    proposed_by = models.CharField(max_length=150)
    patch = models.JSONField()  # attest.signed_set.Patch
    content_hash = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=10, choices=ProposalState, default=ProposalState.OPEN, db_index=True)
    proposed_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    set_number = models.PositiveIntegerField(null=True, blank=True)
    emergency_until = models.DateTimeField(null=True, blank=True)  # in force by an emergency approval
    stuck = models.TextField(blank=True)  # why the worker can't sign what has its quorum

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class DecisionVerb(models.TextChoices):
    """What a person decided."""

    APPROVE = "approve"
    EMERGENCY = "emergency approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class Decision(models.Model):
    """Who decided what of which content, and why. Never changed; it counts only for the content that it names."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="decisions")
    decided_by = models.CharField(max_length=150)
    verb = models.CharField(max_length=20, choices=DecisionVerb)
    reason = models.TextField()
    content_hash = models.CharField(max_length=64)
    impact_hash = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "account", "verb", "content_hash"], name="one_decision_per_account_and_content"
            )
        ]


class SignedSet(models.Model):
    """All that can make a host trusted, under one number, with the worker's signature. Never changed."""

    number = models.PositiveIntegerField(primary_key=True)
    document = models.TextField()
    signature = models.CharField(max_length=128)  # hex
    key_id = models.CharField(max_length=16)
    signed_at = models.DateTimeField()
    proposal = models.ForeignKey(Proposal, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-number"]
