"""Traits in a real Placement, with an account that has the service role and nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.openstack.stage import TRAIT
from txt_dashboard.cloud import errors, placement
from txt_dashboard.cloud.plan import Providers, plan
from txt_dashboard.deadman.rounds import take_all

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]


@pytest.fixture
def keeper(accounts):
    """The account with the service role; no host has the trait, before and after."""
    service = accounts["service"]
    placement.create_trait(service, TRAIT)
    take_all(service, TRAIT)
    yield service
    take_all(service, TRAIT)


def holders(keeper) -> frozenset[str]:
    return frozenset(each.uuid for each in placement.list_providers(keeper, having=TRAIT))


def test_a_trait_comes_and_goes_and_the_others_stay(keeper):
    provider = placement.list_providers(keeper)[0].uuid
    before = placement.get_traits(keeper, provider).traits
    assert before
    assert placement.change_trait(keeper, provider, TRAIT, present=True)
    assert placement.get_traits(keeper, provider).traits == before | {TRAIT}
    assert holders(keeper) == {provider}
    assert not placement.change_trait(keeper, provider, TRAIT, present=True)
    assert placement.change_trait(keeper, provider, TRAIT, present=False)
    assert placement.get_traits(keeper, provider).traits == before


def test_a_stale_generation_is_refused_as_such(keeper):
    provider = placement.list_providers(keeper)[0].uuid
    old = placement.get_traits(keeper, provider)
    placement.change_trait(keeper, provider, TRAIT, present=True)
    with pytest.raises(errors.StaleGeneration):
        placement.put_traits(keeper, provider, old.traits, old.generation)


def test_many_at_once_lose_nothing_of_each_other(keeper):
    provider = placement.list_providers(keeper)[0].uuid
    names = [f"CUSTOM_TEST_{number}" for number in range(8)]
    for name in names:
        placement.create_trait(keeper, name)
    for name in names:
        placement.change_trait(keeper, provider, name, present=False)  # left by a run that failed
    before = placement.get_traits(keeper, provider).traits
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: placement.change_trait(keeper, provider, name, present=True), names))
    assert placement.get_traits(keeper, provider).traits == before | set(names)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: placement.change_trait(keeper, provider, name, present=False), names))
    assert placement.get_traits(keeper, provider).traits == before


def test_a_trait_that_does_not_exist_is_refused(keeper):
    provider = placement.get_traits(keeper, placement.list_providers(keeper)[0].uuid)
    with pytest.raises(errors.RequestRefused):
        placement.put_traits(keeper, provider.provider, {"CUSTOM_NEVER_CREATED"}, provider.generation)
    with pytest.raises(errors.RequestRefused):
        placement.list_providers(keeper, having="CUSTOM_NEVER_CREATED")


def test_a_plan_carried_out_leaves_exactly_what_should_be(keeper):
    every = [each.uuid for each in placement.list_providers(keeper)]
    placement.change_trait(keeper, every[3], TRAIT, present=True)  # by somebody else
    should, intended = frozenset(every[:2]), frozenset({every[0]})
    now = Providers(should, holders(keeper), frozenset(every), intended)
    todo = plan(now)
    assert todo.foreign == (every[3],)
    for provider in todo.remove:
        placement.change_trait(keeper, provider, TRAIT, present=False)
    for provider in todo.add:
        placement.change_trait(keeper, provider, TRAIT, present=True)
    assert holders(keeper) == should


def test_the_dead_man_takes_it_from_all(keeper):
    every = [each.uuid for each in placement.list_providers(keeper)]
    for provider in every[:3]:
        placement.change_trait(keeper, provider, TRAIT, present=True)
    assert take_all(keeper, TRAIT) == (3, 0)
    assert holders(keeper) == frozenset()
