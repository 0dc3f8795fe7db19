"""Flavors of connected clouds, as workers and verbs saw them last; and when a scheduler asked us last."""

from django.db import models


class CloudFlavor(models.Model):
    """One flavor, with its extra specs, who runs on it, and how many hosts could take it."""

    cloud = models.ForeignKey("Cloud", on_delete=models.CASCADE, related_name="flavors")
    flavor_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    public = models.BooleanField()
    vcpus = models.PositiveBigIntegerField()
    ram_mib = models.PositiveBigIntegerField()
    disk_gib = models.PositiveBigIntegerField()
    specs = models.JSONField(default=dict)

    # What its instances demand by their own copy of the flavor: an enforcement, "" for none, "?" where it can't be
    # seen; each with the number of instances. Null: not counted yet.
    demanded = models.JSONField(null=True)
    counted_at = models.DateTimeField(null=True)
    capacity = models.PositiveIntegerField(null=True)  # trusted hosts that could take one more
    measured_at = models.DateTimeField(null=True)

    changing_until = models.DateTimeField(null=True)  # while somebody changes it
    changed_at = models.DateTimeField(null=True)
    # In the activity log: what is intended and has no outcome yet. As long as that is so `specs` may be wrong.
    entry = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["name", "flavor_id"]
        constraints = [models.UniqueConstraint(fields=["cloud", "flavor_id"], name="one_row_per_flavor")]

    def __str__(self) -> str:
        return self.name


class SchedulerAsked(models.Model):
    """One row: when somebody who may last asked PollHosts. Without that no scheduler filter is at work."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
