"""Golden values at attestation servers: what was written there, what is under way, and what was read back.

Nothing here makes a host trusted: that follows from the signed set and the evidence alone.
"""

from django.db import models


class PublicationState(models.TextChoices):
    """How far a baseline has come at a server."""

    PROVING = "proving"  # no host that is judged by it has been found good yet
    PROVEN = "proven"
    FAILED = "failed"  # `problem` says why; it is tried again


class Publication(models.Model):
    """One baseline as one server's whitelist shall hold it, for one manufacturer or operating system."""

    server = models.ForeignKey("Server", on_delete=models.CASCADE, related_name="publications")
    baseline = models.CharField(max_length=80, db_index=True)  # the id of its entry in the signed set
    mle = models.JSONField()  # servers.mle.MleRef
    version = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=PublicationState, default=PublicationState.PROVING)
    first_host = models.CharField(max_length=253, blank=True)  # on which it was tried first
    problem = models.TextField(blank=True)
    changed_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)  # while a worker tries it on its first host

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["server", "version"], name="one_publication_per_mle")]


class Registering(models.Model):
    """How a host shall be registered with its server, kept until the server has it so, or why it can't be."""

    attestation = models.OneToOneField("Attestation", on_delete=models.CASCADE, related_name="registering")
    wanted = models.JSONField(null=True)  # servers.mle.Registration; NULL: nothing is under way
    problem = models.TextField(blank=True)
    set_number = models.PositiveIntegerField(default=0)  # under which it was tried
    try_at = models.DateTimeField()  # not before


class AgentStand(models.TextChoices):
    """How an agent's own policy stands to what is approved."""

    JUDGED = "judged"  # the agent is judged by it
    WAITING = "waiting"  # it shall be; `problem` says what for it waits, if for anything
    KEPT = "kept"  # its policy is not rewritten; `problem` says why


class AgentPolicy(models.Model):
    """The policy of one agent at a server that judges each agent by its own, as the last round found it.

    `change` is all that is needed to finish a change that was begun, kept from before the agent is taken out.
    """

    attestation = models.OneToOneField(
        "Attestation", primary_key=True, on_delete=models.CASCADE, related_name="agent_policy"
    )
    stand = models.CharField(max_length=10, choices=AgentStand, default=AgentStand.WAITING)
    version = models.CharField(max_length=64, blank=True)  # attest.allowed.Allowed.key
    problem = models.TextField(blank=True)
    command = models.TextField(blank=True)  # what a person may run instead
    change = models.JSONField(null=True)  # actions.policies.change.Change; NULL: nothing is under way
    settled_at = models.DateTimeField(null=True)  # when the last change ended
    try_at = models.DateTimeField(null=True)  # not before, after it could not be done
    reactivated_at = models.DateTimeField(null=True)


class PolicyRound(models.Model):
    """When the agents of a server were last held against what is approved, and who does it now."""

    server = models.OneToOneField("Server", on_delete=models.CASCADE, related_name="policy_round")
    due_at = models.DateTimeField()
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    set_number = models.PositiveIntegerField(default=0)  # the signed set that it was done under
    looked_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)


class Whitelisted(models.Model):
    """An MLE that at least one host is judged by at a server, as it was read back."""

    server = models.ForeignKey("Server", on_delete=models.CASCADE, related_name="whitelisted")
    mle = models.JSONField()  # servers.mle.MleRef
    part = models.CharField(max_length=10)
    values = models.JSONField(default=dict)  # {"18": "<hex>"}, of any bank
    problem = models.TextField(blank=True)  # why there are no values
    hosts = models.PositiveIntegerField()
    first_hosts = models.JSONField(default=list)  # a few names
    pools = models.JSONField(default=list)
    since = models.DateTimeField()  # read like this without a break

    class Meta:
        ordering = ["id"]


class WhitelistReading(models.Model):
    """When a server's whitelist was last read, or why it could not be."""

    server = models.OneToOneField("Server", on_delete=models.CASCADE, related_name="whitelist_reading")
    due_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
