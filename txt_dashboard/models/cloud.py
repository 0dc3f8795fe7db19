"""Connected clouds: which host is which hypervisor, and which providers have the trait by our doing."""

from django.db import models
from django.db.models import Q


class Cloud(models.Model):
    """One cloud, by its name in the settings: what workers found there, and when they look again."""

    name = models.CharField(max_length=255, unique=True)

    match_due_at = models.DateTimeField(null=True)
    matched_at = models.DateTimeField(null=True)
    match_problem = models.TextField(blank=True)

    trait = models.CharField(max_length=255, blank=True)  # the one that was begun with
    begun_at = models.DateTimeField(null=True)  # before that, traits are asked about that were there already
    lease_until = models.DateTimeField(null=True)  # while a worker changes traits
    due_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)  # when the last reconciliation that ended well began
    problem = models.TextField(blank=True)
    vanished = models.PositiveIntegerField(default=0)  # trusted hypervisors that Placement does not know
    heartbeat = models.TextField(blank=True)  # cloud.heartbeat, signed by a worker

    flavors_due_at = models.DateTimeField(null=True)
    flavors_at = models.DateTimeField(null=True)  # when the last look at the flavors that ended well began
    flavors_problem = models.TextField(blank=True)
    flavors_holders = models.PositiveIntegerField(null=True)  # how many had our trait when room was looked for last

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CloudHost(models.Model):
    """One hypervisor of a cloud, as Nova lists it. Four names are kept apart (see `cloud.matching`)."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="hosts")
    provider = models.CharField(max_length=64)  # UUID of compute node and resource provider
    hypervisor_hostname = models.CharField(max_length=255, db_index=True)
    service_host = models.CharField(max_length=255)
    host = models.ForeignKey("Host", null=True, on_delete=models.SET_NULL, related_name="nodes")
    # Which attested host it was first matched with. Stays where that comes to be in doubt.
    pinned = models.ForeignKey("Host", null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=20, blank=True)  # cloud.matching.Why, where it is no host that we know
    since = models.DateTimeField()  # seen like this without a break

    class Meta:
        ordering = ["hypervisor_hostname"]
        constraints = [
            models.UniqueConstraint(fields=["cloud", "provider"], name="one_row_per_hypervisor"),
            models.UniqueConstraint(
                fields=["cloud", "host"], condition=Q(host__isnull=False), name="one_hypervisor_per_host_and_cloud"
            ),
        ]


class UnmatchedHost(models.Model):
    """An attested host that is no hypervisor of this cloud, and why."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="unmatched")
    host = models.ForeignKey("Host", on_delete=models.CASCADE, related_name="unmatched")
    why = models.CharField(max_length=20)  # cloud.matching.Why

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cloud", "host"], name="one_reason_per_host_and_cloud")]


class NotHypervisor(models.Model):
    """The role of an attested host that is none, such as a controller: it is matched with nothing."""

    host = models.OneToOneField("Host", on_delete=models.CASCADE, related_name="not_hypervisor")
    at = models.DateTimeField()


class TraitIntent(models.Model):
    """On record before a trait is put: we meant this provider to have it. Gone once the trait is gone, too."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="intents")
    provider = models.CharField(max_length=64)
    trait = models.CharField(max_length=255)
    at = models.DateTimeField()
    taking = models.BooleanField(default=False)  # we are about to take it away
    entry = models.BigIntegerField(null=True)  # in the activity log: what is intended and has no outcome yet

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cloud", "provider", "trait"], name="one_intent_per_provider_and_trait")
        ]


class TraitHold(models.Model):
    """A trait that we did not put there.

    Found at the first connection, it waits for a person's answer. Set later, it is taken away, and its host counts as
    not trusted until a person has acknowledged that.
    """

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="holds")
    provider = models.CharField(max_length=64)
    name = models.CharField(max_length=255)  # as Placement calls the provider
    root = models.CharField(max_length=64)  # the provider of the hypervisor that it belongs to
    host = models.ForeignKey("Host", null=True, on_delete=models.SET_NULL, related_name="trait_holds")
    at_first = models.BooleanField()  # it was there when this cloud was connected
    found_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)  # how often it was set again
    taken = models.BooleanField(default=False)
    entry = models.BigIntegerField(null=True)  # as in `TraitIntent`

    class Meta:
        ordering = ["found_at", "id"]
        constraints = [models.UniqueConstraint(fields=["cloud", "provider"], name="one_hold_per_provider")]


class PoolMove(models.Model):
    """A host that the cloud puts into a pool where it would be judged by other rules: it stays until people agree."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="pool_moves")
    host = models.OneToOneField("Host", on_delete=models.CASCADE, related_name="pool_move")
    pool = models.CharField(max_length=63)
    found_at = models.DateTimeField()
