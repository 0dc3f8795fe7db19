"""The simulated Placement, asked as the product asks a real one."""

import json
import threading

import pytest

from txt_dashboard.cloud import compute, errors, placement
from txt_dashboard.cloud.connection import Service
from txt_dashboard.simulator.openstack.orders import holders_at_first

TRAIT = "CUSTOM_TRUSTED_HOST"


@pytest.fixture
def uuid(cloud) -> str:
    return cloud.estate.nodes[5].uuid


def test_providers_are_the_hypervisors(admin, keeper):
    listed = {each.uuid: each.name for each in placement.list_providers(keeper)}
    assert listed == {each.uuid: each.hostname for each in compute.list_hypervisors(admin)}
    assert keeper.endpoint(Service.PLACEMENT).microversion == "1.23"


def test_somebody_had_set_the_trait_before(cloud, keeper):
    having = {each.uuid for each in placement.list_providers(keeper, having=TRAIT)}
    assert having == holders_at_first(cloud.estate)


def test_a_trait_comes_and_goes_and_others_stay(keeper, uuid):
    before = placement.get_traits(keeper, uuid)
    assert placement.change_trait(keeper, uuid, TRAIT, present=True)
    assert placement.get_traits(keeper, uuid).traits == before.traits | {TRAIT}
    assert placement.change_trait(keeper, uuid, TRAIT, present=False)
    after = placement.get_traits(keeper, uuid)
    assert (after.traits, after.generation) == (before.traits, before.generation + 2)


def test_an_old_generation_is_refused(keeper, uuid):
    now = placement.get_traits(keeper, uuid)
    placement.put_traits(keeper, uuid, now.traits, now.generation)
    with pytest.raises(errors.StaleGeneration):
        placement.put_traits(keeper, uuid, now.traits, now.generation)


def test_many_writers_at_once_lose_nothing(cloud, uuid):
    names = [f"CUSTOM_{number}" for number in range(8)]

    def add(name: str) -> None:
        who = cloud.login("trust-traits", "service")
        placement.create_trait(who, name)
        placement.change_trait(who, uuid, name, present=True)

    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(names) <= cloud.cloud.state.providers[uuid].traits


def test_traits_must_exist(keeper, uuid):
    with pytest.raises(errors.RequestRefused):
        placement.list_providers(keeper, having="CUSTOM_NOBODY")
    with pytest.raises(errors.RequestRefused):
        placement.put_traits(keeper, uuid, {"CUSTOM_NOBODY"}, placement.get_traits(keeper, uuid).generation)
    assert not placement.trait_exists(keeper, "CUSTOM_NOBODY")
    assert placement.create_trait(keeper, "CUSTOM_NOBODY")
    assert not placement.create_trait(keeper, "CUSTOM_NOBODY")
    assert placement.trait_exists(keeper, "CUSTOM_NOBODY")
    with pytest.raises(errors.NotThere):
        placement.get_traits(keeper, "nobody")


def test_tenants_have_no_business_here(member):
    with pytest.raises(errors.RoleMissing):
        placement.list_providers(member)


def test_who_could_take_an_instance(cloud, admin):
    def candidates(**query: str) -> set[str]:
        with admin.asking(Service.PLACEMENT, "list candidates", None) as call:
            answer = admin.ask(Service.PLACEMENT, "GET", "/allocation_candidates", call, params=query)
        return set(answer.body["provider_summaries"])

    small = "VCPU:1,MEMORY_MB:2048"
    assert candidates(resources=small) == {node.uuid for node in cloud.estate.nodes}
    assert candidates(resources=small, required=TRAIT) == holders_at_first(cloud.estate)
    assert candidates(resources="DISK_GB:4000") < candidates(resources=small)


def test_a_restart_forgets_nothing(start, tmp_path):
    file = tmp_path / "cloud.json"
    first = start(state=file)
    keeper, uuid = first.login("trust-traits", "service"), first.estate.nodes[7].uuid
    for present in (True, False, True):
        placement.change_trait(keeper, uuid, TRAIT, present=present)
    compute.set_extra_specs(first.login("admin", "admin"), "1", {"trust:trusted_host": "trusted"})
    with file.open("a") as cut_short:
        cut_short.write('{"provider": "')
    again = start(state=file)
    provider = again.cloud.state.providers[uuid]
    assert (provider, again.cloud.state.specs["1"]) == (
        first.cloud.state.providers[uuid],
        {"trust:trusted_host": "trusted"},
    )
    assert len(file.read_text().splitlines()) == 3


@pytest.mark.parametrize("content", ["{", "[]", "{}\n", '{"format": "another"}\n', None])
def test_a_file_that_is_none_of_this_cloud_is_a_sentence(content, tmp_path):
    from txt_dashboard.simulator.openstack.__main__ import main  # noqa: PLC0415

    file, passwords = tmp_path / "cloud.json", tmp_path / "passwords.json"
    passwords.write_text(json.dumps({"admin": "x"}) if content else "no passwords")
    if content:
        file.write_text(content)
    assert main(["--state", str(file), "--passwords", str(passwords), "--hosts", "10"]) == 2
