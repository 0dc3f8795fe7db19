"""Traits of 10,000 hypervisors of which none has to change: requests to Placement, counted at a stand-in."""

import sys

from tests.bench.report import Line, report
from tests.bench.stopwatch import seconds
from tests.bench.world import World, installation

from django.conf import settings  # isort: skip - after the settings

from tests.bench.fleet import APPROVED
from tests.cloud.fake import connect, serve
from tests.cloud.living import LivingCloud, Provider
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.keeper import Keeper
from txt_dashboard.cloud.connection import Connection, Limits
from txt_dashboard.models import Cloud, CloudHost, Host, TraitIntent

HOSTS = 10_000
TRAIT = "CUSTOM_TRUSTED_HOST"
REQUESTS = 2
TICK = 2.0  # seconds


def main() -> int:
    """Looks twice: at the first look the connection is made."""
    settings.TXT_CLOUDS = ["east"]
    living = LivingCloud(traits={TRAIT})
    with installation(), serve(living):
        world = World(HOSTS)
        world.next_poll(lambda _number: APPROVED)
        world.poll()
        world.check("trusted")
        _connect(world, living)
        account = Connection(connect(living).login, Limits(byte_limit=64 * 1024 * 1024))
        keeper = Keeper(lambda _name: Accounts(account, account), lambda: world.now)
        asked, taken = [], []
        for _ in range(2):
            Cloud.objects.update(due_at=None)
            before = len(living.asked)
            keeper.keep_traits()
            cloud = Cloud.objects.get()
            if cloud.problem or cloud.reconciled_at != world.now:
                raise AssertionError(cloud.problem or "Nothing was compared.")
            asked.append([each for each in living.asked[before:] if each.path.startswith("/placement/")])
            taken.append(seconds(keeper.keep_traits))
        account.close()
    what = f"requests that compare {HOSTS:,} providers' traits"
    return report(
        [
            Line(what, len(asked[-1]), REQUESTS, "allowed", 1, "requests"),
            Line("  a tick between two such looks", taken[-1], TICK, "from tick to tick", 0.1, "s"),
        ]
    )


def _connect(world: World, living: LivingCloud) -> None:
    """As after many days: all are matched, trusted, and have the trait by our doing."""
    cloud = Cloud.objects.create(name="east", trait=TRAIT, begun_at=world.now)
    for number, host in enumerate(Host.objects.order_by("pk")):
        living.providers[f"u{number}"] = Provider(host.name, traits={TRAIT})
    hosts = zip(living.providers.items(), Host.objects.order_by("pk"), strict=True)
    rows = [
        CloudHost(
            cloud=cloud,
            provider=uuid,
            hypervisor_hostname=each.name,
            service_host=each.name,
            host=host,
            pinned=host,
            since=world.now,
        )
        for (uuid, each), host in hosts
    ]
    CloudHost.objects.bulk_create(rows, batch_size=500)
    intents = [TraitIntent(cloud=cloud, provider=uuid, trait=TRAIT, at=world.now) for uuid in living.providers]
    TraitIntent.objects.bulk_create(intents, batch_size=500)


if __name__ == "__main__":
    sys.exit(main())
