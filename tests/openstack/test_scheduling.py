"""A trusted flavor means something: by the trait, by our filter, and for those who look at their instances."""

import time
from pathlib import Path

import pytest

from tests.openstack.minicloud import ODD_HYPERVISOR, ODD_SERVICE
from tests.openstack.stage import TRAIT
from txt_dashboard.cloud import compute, errors, placement
from txt_dashboard.cloud.enforcement import Enforcement, change, demands, enforced
from txt_dashboard.cloud.matching import host_id, host_ids, is_settled, match
from txt_dashboard.deadman.rounds import take_all

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]

CACHED = 1.2  # seconds: longer than the filter keeps an answer here


@pytest.fixture
def trusted(accounts, poll_hosts):
    """Makes these hosts the trusted ones, for Placement and for PollHosts."""
    keeper = accounts["service"]
    placement.create_trait(keeper, TRAIT)

    def make(*hosts: str) -> None:
        for provider in placement.list_providers(keeper):
            placement.change_trait(keeper, provider.uuid, TRAIT, present=provider.name in hosts)
        poll_hosts.trusted = set(hosts)
        poll_hosts.silent = False
        time.sleep(CACHED)

    yield make
    take_all(keeper, TRAIT)
    poll_hosts.trusted = set()
    poll_hosts.silent = False


@pytest.mark.parametrize("enforcement", Enforcement)
def test_instances_land_on_trusted_hosts_only_and_the_next_on_what_is_left(trusted, servers, enforcement):
    flavor = servers.flavor(demands(enforcement, TRAIT))
    trusted("compute1", "compute2")
    assert set(servers.hosts(servers.boot(flavor, 5))) <= {"compute1", "compute2"}
    trusted("compute2")
    assert set(servers.hosts(servers.boot(flavor, 2))) == {"compute2"}
    trusted()
    (server,) = servers.boot(flavor)
    assert (server.status, server.fault["message"].split(".")[0]) == ("ERROR", "No valid host was found")


def test_an_ordinary_flavor_goes_anywhere_even_while_nobody_answers(trusted, servers, poll_hosts):
    trusted()
    poll_hosts.silent = True
    before = len(poll_hosts.asked)
    assert {server.status for server in servers.boot(servers.flavor(), 3)} == {"ACTIVE"}
    assert len(poll_hosts.asked) == before


def test_a_flavor_is_made_trusted_and_back(trusted, admin, servers):
    trusted("compute4")
    flavor = servers.flavor({"hw:cpu_policy": "shared"})
    for enforcement in (Enforcement.TRAIT, Enforcement.BOTH, Enforcement.FILTER, None):
        todo = change(compute.get_extra_specs(admin, flavor), enforcement, TRAIT)
        if todo.put:
            compute.set_extra_specs(admin, flavor, todo.put)
        compute.unset_extra_specs(admin, flavor, todo.remove)
        assert enforced(compute.get_extra_specs(admin, flavor), TRAIT) is enforcement
        if enforcement:
            assert set(servers.hosts(servers.boot(flavor))) == {"compute4"}
    assert compute.get_extra_specs(admin, flavor) == {"hw:cpu_policy": "shared"}


def test_novas_log_says_why_a_host_was_refused(mini, trusted, servers):
    trusted("compute1")
    servers.boot(servers.flavor(demands(Enforcement.FILTER, TRAIT)))
    assert "Host compute2 is refused for instance" in mini.log("nova-scheduler")
    assert "the trust level is untrusted" in mini.log("nova-scheduler")


def test_where_polling_gets_no_answer_nobody_is_trusted_and_the_scheduler_goes_on(mini, trusted, servers, poll_hosts):
    flavor = servers.flavor(demands(Enforcement.FILTER, TRAIT))
    trusted("compute1")
    poll_hosts.silent = True
    began = time.monotonic()
    (server,) = servers.boot(flavor)
    assert server.status == "ERROR"
    assert time.monotonic() - began < 20
    assert "PollHosts could not be asked: no answer within 2 s" in mini.log("nova-scheduler")


@pytest.mark.parametrize(
    ("key", "value"),
    [("trust:trusted_host", "Trusted"), ("trust:trusted_hosts", "trusted"), ("trusted_host", "trusted")],
)
def test_nova_refuses_a_typo_in_the_demand(admin, servers, key, value):
    with pytest.raises(errors.RequestRefused):
        compute.set_extra_specs(admin, servers.flavor(), {key: value})


def test_the_filter_in_novas_own_environment(mini, poll_hosts):
    poll_hosts.trusted = {"hv1"}
    found = mini.run_in_nova(Path(__file__).with_name("in_nova.py"))
    assert found == {
        "found by its name": True,
        "ordinary flavor": ["hv1", "hv2"],
        "trusted flavor": ["hv1"],
        "one host": [True, False],
        "a rebuild on a host that is not trusted": False,
        "another demand": [],
        "no address configured": [],
        "validators": ["trust:trusted_host", "trusted_host"],
        "right demand": "",
        "wrong demand": "Validation failed; 'no' is not one of: trusted.",
        "unscoped demand": "Validation failed; 'trusted_host' enforces nothing: use 'trust:trusted_host' instead.",
    }


def test_a_tenant_finds_its_host_by_host_id_and_sees_no_name(trusted, admin, accounts, servers):
    trusted("compute3")
    tenant = accounts["member"]
    flavor = servers.flavor(demands(Enforcement.TRAIT, TRAIT))
    servers.boot(flavor, who=tenant)
    (mine,) = compute.list_instances(tenant, all_projects=False)
    (seen,) = compute.list_instances(admin, all_projects=True, flavor_id=flavor)
    assert (mine.host, mine.hypervisor) == ("", "")
    assert seen.host == "compute3"
    assert mine.host_id == seen.host_id == host_id(mine.project_id, "compute3")
    hypervisors = compute.list_hypervisors(admin)
    assert host_ids(mine.project_id, [each.host for each in hypervisors])[mine.host_id] == "compute3"
    assert is_settled(mine)
    assert enforced(mine.extra_specs, TRAIT) is Enforcement.TRAIT
    by_name = {each.hostname: each.uuid for each in hypervisors}
    assert match(["Compute3.example.org"], hypervisors, {}).nodes == {"Compute3.example.org": by_name["compute3"]}


def test_a_host_id_is_of_the_service_and_not_of_the_hypervisor_where_their_names_differ(
    trusted, admin, accounts, servers
):
    trusted(ODD_HYPERVISOR)
    tenant = accounts["member"]
    servers.boot(servers.flavor(demands(Enforcement.BOTH, TRAIT)), who=tenant)
    (mine,) = compute.list_instances(tenant, all_projects=False)
    assert mine.host_id == host_id(mine.project_id, ODD_SERVICE)
    assert mine.host_id != host_id(mine.project_id, ODD_HYPERVISOR)
    (node,) = [each for each in compute.list_hypervisors(admin) if each.hostname == ODD_HYPERVISOR]
    assert host_ids(mine.project_id, [node.host]) == {mine.host_id: ODD_SERVICE}


def test_an_instance_keeps_the_demand_that_it_was_booted_with(trusted, admin, servers):
    trusted("compute3")
    flavor = servers.flavor(demands(Enforcement.TRAIT, TRAIT))
    servers.boot(flavor)
    compute.unset_extra_specs(admin, flavor, [f"trait:{TRAIT}"])
    (still,) = compute.list_instances(admin, all_projects=True, flavor_id=flavor)
    assert enforced(still.extra_specs, TRAIT) is Enforcement.TRAIT
    assert enforced(compute.get_extra_specs(admin, flavor), TRAIT) is None
