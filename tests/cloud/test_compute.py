"""Nova's answers as values: all pages, nothing made up, nothing lost."""

import pytest

from tests.cloud.fake import answer
from txt_dashboard.cloud import compute, errors
from txt_dashboard.cloud.values import Aggregate, ComputeService, Flavor, Hypervisor, Zone

HYPERVISORS = "GET /nova/v2.1/os-hypervisors/detail"
FLAVORS = "GET /nova/v2.1/flavors/detail"
SERVERS = "GET /nova/v2.1/servers/detail"
SPECS = "/nova/v2.1/flavors/f1/os-extra_specs"


def hypervisor(uuid: str, **more: object) -> dict[str, object]:
    return {
        "id": uuid,
        "hypervisor_hostname": f"{uuid}.example.org",
        "hypervisor_type": "QEMU",
        "state": "up",
        "status": "enabled",
        "service": {"id": "s", "host": uuid, "disabled_reason": None},
        "host_ip": "10.0.0.1",
    } | more


def flavor(**more: object) -> dict[str, object]:
    return {
        "id": "f1",
        "name": "m1.trusted",
        "os-flavor-access:is_public": False,
        "vcpus": 2,
        "ram": 2048,
        "disk": 20,
        "extra_specs": {"trust:trusted_host": "trusted"},
    } | more


def server(**more: object) -> dict[str, object]:
    return {
        "id": "i1",
        "name": "web",
        "tenant_id": "p1",
        "status": "ACTIVE",
        "OS-EXT-STS:task_state": None,
        "hostId": "ab" * 28,
        "OS-EXT-SRV-ATTR:host": "hv1",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "hv1.example.org",
        "OS-EXT-AZ:availability_zone": "nova",
        "flavor": {"original_name": "m1", "vcpus": 1, "extra_specs": {"a": "b"}},
    } | more


def test_every_page_is_read(cloud, connection):
    pages = [[hypervisor("u1"), hypervisor("u2")], [hypervisor("u3")], []]
    cloud.on(HYPERVISORS, *(answer({"hypervisors": page}) for page in pages))
    assert [each.uuid for each in compute.list_hypervisors(connection)] == ["u1", "u2", "u3"]
    assert [each.query.get("marker") for each in cloud.requests(HYPERVISORS)] == [None, ["u2"], ["u3"]]


def test_pages_without_an_end_are_noticed(cloud, connection):
    cloud.on(HYPERVISORS, answer({"hypervisors": [hypervisor("u1")]}))
    with pytest.raises(errors.AnswerUnusable, match="no end"):
        compute.list_hypervisors(connection)


@pytest.mark.parametrize("instead", ["the beginning", "a refusal"])
def test_what_goes_away_between_two_pages_has_the_list_asked_for_anew(cloud, connection, instead):
    first = answer({"hypervisors": [hypervisor("u1"), hypervisor("u2")]})
    refusal = answer({"badRequest": {"message": "marker [u2] not found"}}, 400)
    after = answer({"hypervisors": [hypervisor("u1")]})
    cloud.on(HYPERVISORS, first, first if instead == "the beginning" else refusal, after, empty("hypervisors"))
    assert [each.uuid for each in compute.list_hypervisors(connection)] == ["u1"]


def test_a_refusal_of_the_first_page_is_none_of_a_marker(cloud, connection):
    cloud.on(HYPERVISORS, answer({"badRequest": {"message": "no"}}, 400))
    with pytest.raises(errors.RequestRefused):
        compute.list_hypervisors(connection)
    assert len(cloud.requests(HYPERVISORS)) == 1


def test_a_hypervisor_keeps_its_names_apart(cloud, connection):
    cloud.on(
        HYPERVISORS,
        answer({"hypervisors": [hypervisor("u1", state="down", status="disabled")]}),
        empty("hypervisors"),
    )
    assert compute.list_hypervisors(connection) == (
        Hypervisor("u1", "u1.example.org", "u1", "QEMU", up=False, enabled=False),
    )


@pytest.mark.parametrize("missing", ["id", "hypervisor_hostname", "service", "state"])
def test_a_row_that_lacks_what_counts_is_refused(cloud, connection, missing):
    row = hypervisor("u1")
    del row[missing]
    cloud.on(HYPERVISORS, answer({"hypervisors": [row]}), empty("hypervisors"))
    with pytest.raises(errors.AnswerUnusable):
        compute.list_hypervisors(connection)


def test_compute_services(cloud, connection):
    row = {"id": "s1", "host": "hv1", "binary": "nova-compute", "zone": "nova", "state": "up", "status": "disabled"}
    cloud.on("GET /nova/v2.1/os-services", answer({"services": [row | {"disabled_reason": "disk"}]}))
    assert compute.list_services(connection) == (
        ComputeService("s1", "hv1", "nova", up=True, enabled=False, disabled_reason="disk"),
    )
    assert cloud.requests("GET /nova/v2.1/os-services")[0].query == {"binary": ["nova-compute"]}


def test_flavors_come_with_their_extra_specs_and_those_of_projects_too(cloud, connection):
    cloud.on(FLAVORS, answer({"flavors": [flavor()]}), empty("flavors"))
    specs = {"trust:trusted_host": "trusted"}
    assert compute.list_flavors(connection) == (Flavor("f1", "m1.trusted", False, 2, 2048, 20, specs),)
    assert cloud.requests(FLAVORS)[0].query == {"is_public": ["None"]}


def test_extra_specs_that_are_hidden_are_not_taken_for_none(cloud, connection):
    row = flavor()
    del row["extra_specs"]
    cloud.on(FLAVORS, answer({"flavors": [row]}), empty("flavors"))
    with pytest.raises(errors.AnswerUnusable):
        compute.list_flavors(connection)


def test_extra_specs_are_set_and_others_left(cloud, connection):
    cloud.on(f"POST {SPECS}", answer({"extra_specs": {"a": "b"}}))
    compute.set_extra_specs(connection, "f1", {"a": "b"})
    assert cloud.requests(f"POST {SPECS}")[0].json == {"extra_specs": {"a": "b"}}


def test_what_is_gone_already_is_as_good_as_unset(cloud, connection):
    cloud.on(f"DELETE {SPECS}/trust:trusted_host", answer(b""))
    compute.unset_extra_specs(connection, "f1", ["trait:GONE", "trust:trusted_host"])
    assert len(cloud.requests(f"DELETE {SPECS}/trust:trusted_host")) == 1


def test_extra_specs_of_one_flavor(cloud, connection):
    cloud.on(f"GET {SPECS}", answer({"extra_specs": {"a": "b"}}))
    assert compute.get_extra_specs(connection, "f1") == {"a": "b"}
    with pytest.raises(errors.NotThere):
        compute.get_extra_specs(connection, "f2")


def test_a_strange_id_stays_within_its_place(cloud, connection):
    with pytest.raises(errors.NotThere):
        compute.get_extra_specs(connection, "../servers?x=")
    assert cloud.asked[-1].path == "/nova/v2.1/flavors/..%2Fservers%3Fx%3D/os-extra_specs"


def test_instances_of_all_projects_by_flavor(cloud, connection):
    cloud.on(SERVERS, answer({"servers": [server()]}), empty("servers"))
    (found,) = compute.list_instances(connection, all_projects=True, flavor_id="f1")
    assert (found.host, found.hypervisor, found.host_id) == ("hv1", "hv1.example.org", "ab" * 28)
    assert (found.task, found.flavor_name, found.extra_specs) == ("", "m1", {"a": "b"})
    assert cloud.requests(SERVERS)[0].query == {"all_tenants": ["1"], "flavor": ["f1"]}


def test_a_tenant_asks_for_its_own_only(cloud, connection):
    row = server()
    for hidden in ("OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname"):
        del row[hidden]
    cloud.on(SERVERS, answer({"servers": [row]}), empty("servers"))
    (found,) = compute.list_instances(connection, all_projects=False)
    assert (found.host, found.hypervisor) == ("", "")
    assert cloud.requests(SERVERS)[0].query == {}


def test_an_instance_in_a_cell_that_is_down_is_there_without_its_host(cloud, connection):
    row = {"id": "i1", "tenant_id": "p1", "status": "UNKNOWN", "created": "2026-03-01T12:00:00Z", "links": []}
    cloud.on(SERVERS, answer({"servers": [row]}), empty("servers"))
    (found,) = compute.list_instances(connection, all_projects=True)
    assert (found.status, found.host_id, found.extra_specs) == ("UNKNOWN", "", None)


def test_aggregates_and_zones(cloud, connection):
    row = {
        "id": 1,
        "name": "rack",
        "hosts": ["hv1"],
        "metadata": {"availability_zone": "az1"},
        "availability_zone": "az1",
    }
    cloud.on("GET /nova/v2.1/os-aggregates", answer({"aggregates": [row]}))
    assert compute.list_aggregates(connection) == (
        Aggregate(1, "rack", ("hv1",), {"availability_zone": "az1"}, "az1"),
    )
    zone = {"zoneName": "az1", "zoneState": {"available": True}, "hosts": {"hv1": {"nova-compute": {}}}}
    other = {"zoneName": "az2", "zoneState": {"available": False}, "hosts": None}
    route = "GET /nova/v2.1/os-availability-zone/detail"
    cloud.on(route, answer({"availabilityZoneInfo": [zone, other]}))
    assert compute.list_zones(connection) == (Zone("az1", True, ("hv1",)), Zone("az2", False, ()))


def empty(key: str):
    return answer({key: []})
