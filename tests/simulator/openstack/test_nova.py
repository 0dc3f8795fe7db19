"""The simulated Nova, asked as the product asks a real one."""

import pytest

from txt_dashboard.cloud import compute, errors
from txt_dashboard.cloud.connection import Service
from txt_dashboard.cloud.enforcement import Enforcement, Pitfall, change, enforced, pitfalls
from txt_dashboard.cloud.matching import Why, host_id, is_settled, match
from txt_dashboard.simulator.openstack.estate import STRANGER
from txt_dashboard.simulator.openstack.people import project_named

TRAIT = "CUSTOM_TRUSTED_HOST"


def test_the_version_is_negotiated(admin):
    assert admin.endpoint(Service.COMPUTE).microversion == "2.87"


def test_hypervisors_match_the_fleet_but_for_controllers_and_a_stranger(cloud, admin):
    matching = match([host.name for host in cloud.estate.fleet.hosts], compute.list_hypervisors(admin), {})
    assert matching.unmatched_hosts == dict.fromkeys(cloud.estate.controllers, Why.NO_NODE)
    assert list(matching.unmatched_nodes.values()) == [Why.NO_HOST]
    assert len(matching.nodes) == 84 - len(cloud.estate.controllers)


def test_names_differ_as_they_do_in_real_clouds(admin):
    names = {each.hostname: each.host for each in compute.list_hypervisors(admin)}
    assert names["az1-001"] == "az1-001"
    assert names["az2-001"] == "nova-az2-001"
    assert names["edge-001.edge.example.org"] == "edge-001.edge.example.org"
    assert names[STRANGER] == STRANGER


def test_lists_come_in_pages(start):
    served = start(hosts=1200)
    hypervisors = compute.list_hypervisors(served.login("admin", "admin"))
    assert len({each.uuid for each in hypervisors}) == len(served.estate.nodes) > 1000


def test_services_zones_and_aggregates_speak_of_the_same_hosts(cloud, admin):
    services = {each.host: each.zone for each in compute.list_services(admin)}
    assert services == {node.service: node.zone for node in cloud.estate.nodes}
    zones = {each.name: set(each.hosts) for each in compute.list_zones(admin)}
    assert zones.pop("internal") == set(cloud.estate.controllers)
    assert {host: zone for zone, hosts in zones.items() for host in hosts} == services
    groups = compute.list_aggregates(admin)
    assert {each.zone for each in groups if each.zone} == {"az1", "az2", "edge"}
    models = {each.metadata["model"]: each.hosts for each in groups if "model" in each.metadata}
    assert sum(map(len, models.values())) == len(services)


def test_flavors_of_one_project_are_for_it_and_administrators(cloud, admin, member):
    every = {each.name: each for each in compute.list_flavors(admin)}
    assert not every["db.xlarge"].public
    assert "db.xlarge" not in {each.name for each in compute.list_flavors(member)}
    assert "db.xlarge" in {each.name for each in compute.list_flavors(cloud.login("member", "analytics"))}
    assert enforced(every["trusted.medium"].extra_specs, TRAIT) is Enforcement.TRAIT
    assert enforced(every["trusted.small"].extra_specs, TRAIT) is Enforcement.FILTER
    assert pitfalls(every["secure.large"].extra_specs, TRAIT) == {Pitfall.UNSCOPED_KEY}


def test_a_flavor_becomes_a_trusted_one_and_an_ordinary_one_again(admin):
    before = compute.get_extra_specs(admin, "7")
    on = change(before, Enforcement.BOTH, TRAIT)
    compute.set_extra_specs(admin, "7", on.put)
    assert enforced(compute.get_extra_specs(admin, "7"), TRAIT) is Enforcement.BOTH
    compute.unset_extra_specs(admin, "7", change(compute.get_extra_specs(admin, "7"), None, TRAIT).remove)
    assert compute.get_extra_specs(admin, "7") == before
    compute.unset_extra_specs(admin, "7", ["never:there"])


def test_values_that_nova_knows_to_be_wrong_are_refused(admin):
    with pytest.raises(errors.RequestRefused):
        compute.set_extra_specs(admin, "1", {f"trait:{TRAIT}": "wanted"})
    with pytest.raises(errors.NotThere):
        compute.get_extra_specs(admin, "nowhere")


def test_a_tenant_sees_its_instances_and_no_host(cloud, member):
    mine = compute.list_instances(member, all_projects=False)
    project = project_named("web-shop").id
    assert {each.project_id for each in mine} == {project}
    assert {each.host for each in mine} | {each.hypervisor for each in mine} == {""}
    hosts = {host_id(project, node.service) for node in cloud.estate.nodes}
    assert {each.host_id for each in mine} <= hosts
    assert [each.name for each in mine if not is_settled(each)] == ["web-5"]


def test_administrators_see_all_and_which_demand_is_old(admin):
    every = compute.list_instances(admin, all_projects=True)
    assert {each.project_id for each in every} == {project_named(name).id for name in ("web-shop", "analytics")}
    assert all(bool(each.host) == bool(each.host_id) for each in every)
    ordered = compute.list_instances(admin, all_projects=True, flavor_id="4")
    assert [each.name for each in ordered if not each.extra_specs] == ["batch-1"]
    assert {each.flavor_name for each in ordered} == {"trusted.medium"}


@pytest.mark.parametrize(
    "call",
    [
        compute.list_hypervisors,
        compute.list_services,
        compute.list_aggregates,
        compute.list_zones,
        lambda who: compute.list_instances(who, all_projects=True),
        lambda who: compute.set_extra_specs(who, "1", {"a": "b"}),
        lambda who: compute.unset_extra_specs(who, "1", ["a"]),
    ],
)
@pytest.mark.parametrize("who", ["member", "keeper"])
def test_what_needs_an_administrator_is_refused_to_others(request, who, call):
    with pytest.raises(errors.RoleMissing):
        call(request.getfixturevalue(who))
