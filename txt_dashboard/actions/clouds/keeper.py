"""What a worker does at each tick for the clouds in the settings. Any number of workers may."""

from datetime import datetime
from threading import Lock

import structlog
from django.db.models import Q

from txt_dashboard import conf
from txt_dashboard.actions.clouds.connect import Accounts, Connect
from txt_dashboard.actions.clouds.instances import note_problem, store_instances, take_look
from txt_dashboard.actions.clouds.lease import Lease, LeaseLost
from txt_dashboard.actions.clouds.match import store_matches
from txt_dashboard.actions.clouds.pools import pools_at, take_pools
from txt_dashboard.actions.clouds.reconcile import is_due, note, reconcile
from txt_dashboard.actions.clouds.survey import look_at_flavors, wants_another_look
from txt_dashboard.cloud import compute
from txt_dashboard.cloud.enforcement import is_trait_name
from txt_dashboard.cloud.errors import CloudError, Misconfigured
from txt_dashboard.models import Cloud
from txt_dashboard.servers.base import Clock

log = structlog.get_logger()


class Keeper:
    """What a worker process keeps between ticks: its connections. Any number of threads may use it at once."""

    def __init__(self, connect: Connect, clock: Clock) -> None:
        self._connect = connect
        self._clock = clock
        self._lock = Lock()
        self._accounts: dict[str, Accounts] = {}

    def keep_traits(self) -> None:
        """Has traits follow from what is known of hosts. One cloud's failure costs no other anything."""
        for name in conf.clouds():
            cloud, _ = Cloud.objects.get_or_create(name=name)
            if is_due(cloud, conf.cloud_trait(), self._clock()):
                self._keep(cloud)

    def match(self) -> None:
        """Looks up who is which hypervisor, where that is due."""
        for name in conf.clouds():
            cloud, _ = Cloud.objects.get_or_create(name=name)
            if self._take_matching(cloud):
                self._match(cloud)

    def watch_instances(self) -> None:
        """Looks where the instances of all projects are, where that is due."""
        for name in conf.clouds():
            cloud, _ = Cloud.objects.get_or_create(name=name)
            now = self._clock()
            if take_look(cloud, now):
                self._watch(cloud, now)

    def look_at_flavors(self) -> None:
        """Looks at the flavors and who runs on them, where that is due."""
        for name in conf.clouds():
            cloud, _ = Cloud.objects.get_or_create(name=name)
            if self._take_flavors(cloud):
                self._look_at_flavors(cloud)

    def _keep(self, cloud: Cloud) -> None:
        lease = Lease.take(cloud, self._clock)
        if lease is None:
            return
        try:
            cloud.refresh_from_db()
            trait = conf.cloud_trait()
            if not is_trait_name(trait):
                raise Misconfigured(f"TXT_CLOUD_TRAIT must be CUSTOM_ and A-Z, 0-9, _, not {trait}")
            reconcile(cloud, self._accounts_of(cloud.name).placement, trait, lease, self._clock)
        except CloudError as error:
            note(cloud, str(error))
            log.error("traits not compared", cloud=cloud.name, why=str(error))
        except LeaseLost:
            log.warning("another worker compares traits", cloud=cloud.name)
        finally:
            lease.release()

    def _take_matching(self, cloud: Cloud) -> bool:
        now = self._clock()
        later = now + conf.cloud_interval()
        due = Q(match_due_at=None) | Q(match_due_at__lte=now) | Q(match_due_at__gt=later + conf.cloud_interval())
        return bool(Cloud.objects.filter(due, pk=cloud.pk).update(match_due_at=later))

    def _match(self, cloud: Cloud) -> None:
        source, pools = conf.pools_from(), None
        try:
            account = self._accounts_of(cloud.name).compute
            listed = compute.list_hypervisors(account)
            pools = pools_at(account, source) if source else None
        except CloudError as error:
            # What was matched last stays: that a cloud can't be asked takes trust from nobody, and gives it to none.
            Cloud.objects.filter(pk=cloud.pk).update(match_problem=str(error))
            log.error("hypervisors not listed", cloud=cloud.name, why=str(error))
            return
        store_matches(cloud, listed, now=self._clock())
        if pools is not None:
            names = conf.clouds()
            take_pools(cloud, pools, names[: names.index(cloud.name)], now=self._clock())

    def _watch(self, cloud: Cloud, now: datetime) -> None:
        try:
            listed = compute.list_instances(self._accounts_of(cloud.name).compute, all_projects=True)
        except CloudError as error:
            note_problem(cloud, str(error))
            log.error("instances not listed", cloud=cloud.name, why=str(error))
            return
        store_instances(cloud, listed, now=now)

    def _take_flavors(self, cloud: Cloud) -> bool:
        now = self._clock()
        later = now + conf.flavors_interval()
        due = (
            Q(flavors_due_at=None)
            | Q(flavors_due_at__lte=now)
            | Q(flavors_due_at__gt=later + conf.flavors_interval())
        )
        if wants_another_look(cloud, now):
            due |= Q(flavors_at=cloud.flavors_at, flavors_due_at=cloud.flavors_due_at)
        return bool(Cloud.objects.filter(due, pk=cloud.pk).update(flavors_due_at=later))

    def _look_at_flavors(self, cloud: Cloud) -> None:
        try:
            look_at_flavors(cloud, self._accounts_of(cloud.name), self._clock)
        except CloudError as error:
            soon = self._clock() + min(conf.cloud_interval(), conf.flavors_interval())
            Cloud.objects.filter(pk=cloud.pk).update(flavors_problem=str(error), flavors_due_at=soon)
            log.error("flavors not listed", cloud=cloud.name, why=str(error))

    def _accounts_of(self, name: str) -> Accounts:
        with self._lock:
            if name not in self._accounts:
                self._accounts[name] = self._connect(name)
            return self._accounts[name]
