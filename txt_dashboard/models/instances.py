"""Instances as workers last saw them, and when those that asked for trust were on hosts that were not trusted."""

from django.db import models
from django.db.models import Q


class InstanceLook(models.Model):
    """When the instances of a cloud were listed last, and when they are again."""

    cloud = models.OneToOneField("Cloud", on_delete=models.CASCADE, related_name="instance_look")
    due_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)  # the last time that ended well
    problem = models.TextField(blank=True)


class CloudInstance(models.Model):
    """One instance of any project, where it was at the last look."""

    cloud = models.ForeignKey("Cloud", on_delete=models.CASCADE, related_name="instances")
    instance = models.CharField(max_length=64)
    name = models.CharField(max_length=255, blank=True)
    project = models.CharField(max_length=64)
    status = models.CharField(max_length=64)
    task = models.CharField(max_length=64, blank=True)
    service_host = models.CharField(max_length=255, blank=True)  # empty: on no host
    node = models.ForeignKey("CloudHost", null=True, on_delete=models.SET_NULL, related_name="instances")
    asks = models.BooleanField(null=True)  # for a trusted host; NULL: it can't be seen
    enforced = models.CharField(max_length=8, blank=True)  # cloud.enforcement.Enforcement, by which it asks
    seen_since = models.DateTimeField()  # on this host, without a break

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["cloud", "instance"], name="one_row_per_instance")]
        indexes = [
            models.Index(fields=["name", "id"]),
            models.Index(fields=["project", "name", "id"]),
            models.Index(fields=["cloud", "node"], condition=Q(asks=True), name="instances_that_ask"),
        ]


class StakeEnding(models.TextChoices):
    """How we know that an interval ended."""

    OPEN = "", "open"
    ENDED = "ended", "ended"  # seen to be over
    CHANGED = "changed", "changed"  # another host, or another reason: the next interval goes on
    UNSEEN = "unseen", "unseen"  # nobody could look after that


class StakeInterval(models.Model):
    """From when until when an instance that asked for trust was on a host that was not trusted, as far as was seen.

    Never removed, also where instance, host or project are gone.
    """

    cloud = models.CharField(max_length=255)
    project = models.CharField(max_length=64)
    instance = models.CharField(max_length=64)
    name = models.CharField(max_length=255, blank=True)
    host = models.CharField(max_length=255)
    why = models.CharField(max_length=20)  # cloud.tenancy.Why
    since = models.DateTimeField()
    seen_until = models.DateTimeField()  # the last look that saw it so
    until = models.DateTimeField(null=True)  # the first that did not; NULL while it lasts
    ending = models.CharField(max_length=8, blank=True, choices=StakeEnding.choices, default=StakeEnding.OPEN)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["cloud", "instance"], condition=Q(until=None), name="one_open_stake")
        ]
        indexes = [
            models.Index(fields=["project", "id"]),
            models.Index(fields=["until"]),
        ]
