"""A cloud with two projects, a fleet in all states below it, and callers that have only a project there."""

import json
from dataclasses import dataclass

from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from tests.cloud.fake import PASSWORD
from tests.cloud.owning import OwningCloud, Person
from txt_dashboard.actions.clouds.instances import store_instances, take_look
from txt_dashboard.actions.clouds.match import store_matches
from txt_dashboard.cloud.values import Hypervisor, Instance
from txt_dashboard.models import Cloud, Host

ROLES_IN = "r" * 32
WEB, BANK = "web0" * 8, "bank" * 8
MIA = Person("mia's password", {WEB: ("member",), BANK: ("member",)})
TIM = Person("tim's password", {WEB: ("member",)})
ADA = Person("ada's password", {ROLES_IN: ("admin",), WEB: ("admin",)})


@dataclass
class World:
    cloud: OwningCloud

    def caller(self, user: str, project: str, *roles: str) -> Client:
        return Client(headers={"X-Auth-Token": self.cloud.grant(user, project, *roles)})

    @property
    def tenant(self) -> Client:
        return self.caller("mia", WEB, "member")

    @property
    def administrator(self) -> Client:
        return self.caller("ada", ROLES_IN, "admin")


def name_cloud(cloud: OwningCloud, settings, folder) -> None:
    """Has the settings say that this Keystone vouches for people, and that its Nova is connected."""
    auth = (
        f"{{auth_url: '{cloud.url}/v3', username: trust, password: {PASSWORD}, project_name: service,"
        " user_domain_id: default, project_domain_id: default}"
    )
    file = folder / "clouds.yaml"
    file.write_text(f"clouds:\n  east:\n    region_name: RegionOne\n    auth: {auth}\n")
    settings.TXT_KEYSTONE_CONFIG = str(file)
    settings.TXT_KEYSTONE_CLOUD = "east"
    settings.TXT_KEYSTONE_PROJECT = ROLES_IN
    settings.TXT_KEYSTONE_ROLES = ["admin=administrator", "admin=operator", "trust_approver=approver"]
    settings.TXT_CLOUDS = ["east"]


def populate(cloud: OwningCloud) -> None:
    """Instances on every kind of host. The fleet has hv1 (trusted), hv2 (untrusted) and hv3 (stale) already."""
    cloud.people |= {"mia": MIA, "tim": TIM, "ada": ADA}
    for number in range(1, 5):
        cloud.add(f"u{number}", f"hypervisor-{number}.rack", service=f"compute-service-{number}")
    east, _ = Cloud.objects.get_or_create(name="east")
    listed = [Hypervisor(uuid, name, host, "QEMU", up=True, enabled=True) for uuid, (name, host) in nodes(cloud)]
    store_matches(east, listed, now=timezone.now())
    for number, host in enumerate(("hv1", "hv2", "hv3"), 1):
        east.hosts.filter(provider=f"u{number}").update(host=Host.objects.get(name=host))
    for project in (WEB, BANK):
        short = project[:4]
        cloud.boot(f"{short}-good", project, "compute-service-1")
        cloud.boot(f"{short}-bad", project, "compute-service-2")
        cloud.boot(f"{short}-old", project, "compute-service-3")
        cloud.boot(f"{short}-dark", project, "compute-service-4", asks=False)
        cloud.boot(f"{short}-moving", project, "compute-service-1", status="MIGRATING", task="migrating")
        cloud.boot(f"{short}-shelved", project, "", status="SHELVED_OFFLOADED")
        cloud.boot(f"{short}-lost", project, "a-host-that-nobody-knows")
    look(cloud, east)


def look(cloud: OwningCloud, east: Cloud) -> None:
    """What a worker would see."""
    now = timezone.now()
    take_look(east, now)
    names = {host: name for name, host in cloud.hypervisors.values()}
    listed = [
        Instance(
            id=name,
            name=f"name of {name}",
            project_id=row["project"],
            status=row.get("status", "ACTIVE"),
            task=row.get("task", ""),
            host_id="",
            host=row["host"],
            hypervisor=names.get(row["host"], ""),
            zone="",
            flavor_name="m1",
            extra_specs=row["specs"],
        )
        for name, row in cloud.servers.items()
    ]
    store_instances(east, listed, now=now)


def nodes(cloud: OwningCloud) -> list[tuple[str, tuple[str, str]]]:
    return list(cloud.hypervisors.items())


def items(answer) -> dict[str, dict]:
    """The instances of an answer, by id."""
    assert answer.status_code == 200, answer.content
    return {each["id"]: each for each in json.loads(answer.content)["items"]}


def forget() -> None:
    """What was known of tokens."""
    caches["api"].clear()
