"""One worker at a time changes the traits of a cloud: two would take each other's for somebody else's."""

from datetime import datetime, timedelta

from django.db.models import Q

from txt_dashboard.models import Cloud
from txt_dashboard.servers.base import Clock

LASTS = timedelta(seconds=60)  # longer than any one request, so that only dead workers lose it


class LeaseLost(Exception):
    """Another worker has taken over: stop."""


class Lease:
    """Held from `take` to `release`; renewed before each step."""

    def __init__(self, cloud: Cloud, until: datetime, clock: Clock) -> None:
        self._cloud = cloud
        self._until = until
        self._clock = clock

    @classmethod
    def take(cls, cloud: Cloud, clock: Clock) -> "Lease | None":
        """The lease, unless another worker has it; one that ends too late for clocks that differ a little is none."""
        now = clock()
        until = now + LASTS
        free = Q(lease_until=None) | Q(lease_until__lte=now) | Q(lease_until__gt=until + LASTS)
        taken = Cloud.objects.filter(free, pk=cloud.pk).update(lease_until=until)
        return cls(cloud, until, clock) if taken else None

    def renew(self) -> None:
        """Raises `LeaseLost`."""
        until = max(self._clock() + LASTS, self._until + timedelta(microseconds=1))
        if not Cloud.objects.filter(pk=self._cloud.pk, lease_until=self._until).update(lease_until=until):
            raise LeaseLost
        self._until = until

    def release(self) -> None:
        """Lets others go on."""
        Cloud.objects.filter(pk=self._cloud.pk, lease_until=self._until).update(lease_until=None)
