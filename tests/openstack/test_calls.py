"""Every call of `cloud/` against real services: what it gives, and the least role that it needs."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from novaclient.v2.flavors import FlavorManager

from tests.openstack.minicloud import HYPERVISORS
from tests.openstack.stage import TRAIT
from txt_dashboard.cloud import compute, errors, placement
from txt_dashboard.cloud.connection import Connection, Service
from txt_dashboard.cloud.login import Login

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]

HOSTS = set(HYPERVISORS.values())
NOBODY = "00000000-0000-0000-0000-000000000000"
# Each call, and who may make it; of the others it is tested that they may not.
CALLS: dict[str, tuple[Callable[[Connection], object], set[str]]] = {
    "list the hypervisors": (compute.list_hypervisors, {"admin"}),
    "list the compute services": (compute.list_services, {"admin"}),
    "list the aggregates": (compute.list_aggregates, {"admin"}),
    "list the availability zones": (compute.list_zones, {"admin"}),
    "list the instances of all": (lambda who: compute.list_instances(who, all_projects=True), {"admin"}),
    "list the instances": (
        lambda who: compute.list_instances(who, all_projects=False),
        {"admin", "member", "reader"},
    ),
    "list the flavors": (compute.list_flavors, {"admin", "service", "member", "reader"}),
    "set extra specs": (lambda who: compute.set_extra_specs(who, NOBODY, {"a": "b"}), {"admin"}),
    "unset extra specs": (lambda who: compute.unset_extra_specs(who, NOBODY, ["a"]), {"admin"}),
    "list the providers": (placement.list_providers, {"admin", "service"}),
    "read traits": (lambda who: placement.get_traits(who, NOBODY), {"admin", "service"}),
    "set traits": (lambda who: placement.put_traits(who, NOBODY, [], 0), {"admin", "service"}),
    "create a trait": (lambda who: placement.create_trait(who, TRAIT), {"admin", "service"}),
    "look up a trait": (lambda who: placement.trait_exists(who, TRAIT), {"admin", "service"}),
}


@pytest.mark.parametrize("role", ["admin", "service", "member", "reader"])
@pytest.mark.parametrize("name", CALLS)
def test_the_least_role_of_each_call(accounts, name, role):
    call, allowed = CALLS[name]
    if role in allowed:
        with suppress(errors.NotThere):  # let in, and there is no such thing
            call(accounts[role])
    else:
        with pytest.raises(errors.RoleMissing):
            call(accounts[role])


def test_hypervisors_services_and_providers_are_the_same_hosts(admin):
    hypervisors = compute.list_hypervisors(admin)
    assert {each.hostname: each.host for each in hypervisors} == HYPERVISORS
    assert {each.host for each in compute.list_services(admin)} == HOSTS
    providers = placement.list_providers(admin)
    assert {each.uuid: each.name for each in providers} == {each.uuid: each.hostname for each in hypervisors}
    assert all(each.up and each.enabled for each in hypervisors)


def test_a_version_is_negotiated_with_a_nova_that_is_newer_than_we_are(admin):
    assert admin.endpoint(Service.COMPUTE).microversion == "2.87"
    assert admin.endpoint(Service.PLACEMENT).microversion == "1.23"


def test_zones_and_aggregates(admin, servers):
    made = servers.nova.aggregates.create("test-rack", "az1")
    try:
        servers.nova.aggregates.add_host(made, "compute1")
        (found,) = [each for each in compute.list_aggregates(admin) if each.name == "test-rack"]
        assert (found.hosts, found.zone) == (("compute1",), "az1")
        zones = {each.name: set(each.hosts) for each in compute.list_zones(admin)}
        assert zones["az1"] == {"compute1"}
        assert zones["nova"] == HOSTS - {"compute1"}
    finally:
        servers.nova.aggregates.remove_host(made, "compute1")
        servers.nova.aggregates.delete(made)


def test_flavors_of_single_projects_are_seen_with_their_extra_specs(admin, accounts, servers):
    hidden = servers.flavor({f"trait:{TRAIT}": "required"}, public=False)
    (found,) = [each for each in compute.list_flavors(admin) if each.id == hidden]
    assert (found.public, found.extra_specs) == (False, {f"trait:{TRAIT}": "required"})
    assert hidden not in {each.id for each in compute.list_flavors(accounts["member"])}


def test_extra_specs_come_and_go(admin, accounts, servers):
    flavor = servers.flavor({"hw:cpu_policy": "shared"})
    compute.set_extra_specs(admin, flavor, {f"trait:{TRAIT}": "required"})
    both = {"hw:cpu_policy": "shared", f"trait:{TRAIT}": "required"}
    assert compute.get_extra_specs(accounts["member"], flavor) == both
    compute.unset_extra_specs(admin, flavor, [f"trait:{TRAIT}", "never:there"])
    assert compute.get_extra_specs(admin, flavor) == {"hw:cpu_policy": "shared"}
    with pytest.raises(errors.RequestRefused):
        compute.set_extra_specs(admin, flavor, {f"trait:{TRAIT}": "wanted"})


def test_a_long_list_comes_in_pages(admin, servers, monkeypatch):
    wanted = {servers.flavor() for _ in range(5)}
    whole = FlavorManager.list
    monkeypatch.setattr(FlavorManager, "list", lambda self, **more: whole(self, limit=2, **more))
    assert wanted <= {each.id for each in compute.list_flavors(admin)}


def test_a_wrong_password_is_told_as_such(mini):
    auth = {"auth_url": mini.auth_url, "username": "admin", "password": "wrong", "project_name": "admin"}
    domains = {"user_domain_id": "default", "project_domain_id": "default"}
    with pytest.raises(errors.LoginRefused, match="Keystone of cloud mini"):
        placement.list_providers(Connection(Login("mini", auth | domains)))
