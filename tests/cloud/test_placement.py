"""Placement's traits: read, merged, put, and again where somebody was faster."""

import pytest

from tests.cloud.fake import answer
from txt_dashboard.cloud import errors, placement
from txt_dashboard.cloud.values import Provider, ProviderTraits

PROVIDERS = "GET /placement/resource_providers"
GET = "GET /placement/resource_providers/u1/traits"
PUT = "PUT /placement/resource_providers/u1/traits"
TRAIT = "CUSTOM_TRUSTED_HOST"
STALE = answer({"errors": [{"status": 409, "code": "placement.concurrent_update"}]}, 409)


def traits(generation: int, *names: str):
    return answer({"traits": list(names), "resource_provider_generation": generation})


def test_providers_come_in_one_request(cloud, connection):
    rows = [
        {"uuid": "u1", "name": "hv1", "generation": 3, "parent_provider_uuid": None, "root_provider_uuid": "u1"},
        {"uuid": "u2", "name": "hv1_gpu", "generation": 0, "parent_provider_uuid": "u1", "root_provider_uuid": "u1"},
    ]
    cloud.on(PROVIDERS, answer({"resource_providers": rows}))
    found = placement.list_providers(connection, having=TRAIT)
    assert found == (Provider("u1", "hv1", 3, ""), Provider("u2", "hv1_gpu", 0, "u1"))
    assert [each.query for each in cloud.requests(PROVIDERS)] == [{"required": [TRAIT]}]


def test_traits_are_put_with_the_generation_that_was_read(cloud, connection):
    cloud.on(PUT, traits(8, "B", "A"))
    found = placement.put_traits(connection, "u1", {"B", "A"}, 7)
    assert found == ProviderTraits("u1", 8, frozenset({"A", "B"}))
    assert cloud.requests(PUT)[0].json == {"traits": ["A", "B"], "resource_provider_generation": 7}


def test_a_stale_generation_is_told_apart_from_other_conflicts(cloud, connection):
    cloud.on(PUT, STALE, answer({"errors": [{"code": "placement.undefined_code"}]}, 409))
    with pytest.raises(errors.StaleGeneration):
        placement.put_traits(connection, "u1", [], 7)
    with pytest.raises(errors.Conflict):
        placement.put_traits(connection, "u1", [], 7)


def test_a_trait_is_created_or_was_there(cloud, connection):
    cloud.on(f"PUT /placement/traits/{TRAIT}", answer(b"", 201), answer(b"", 204))
    assert placement.create_trait(connection, TRAIT) is True
    assert placement.create_trait(connection, TRAIT) is False
    assert placement.trait_exists(connection, TRAIT) is False
    cloud.on(f"GET /placement/traits/{TRAIT}", answer(b"", 204))
    assert placement.trait_exists(connection, TRAIT) is True


def test_a_change_leaves_all_other_traits(cloud, connection):
    cloud.on(GET, traits(1, "HW_CPU_X86_VMX"))
    cloud.on(PUT, traits(2, "HW_CPU_X86_VMX", TRAIT))
    assert placement.change_trait(connection, "u1", TRAIT, present=True)
    assert cloud.requests(PUT)[0].json["traits"] == [TRAIT, "HW_CPU_X86_VMX"]


def test_what_is_as_it_should_be_is_not_written(cloud, connection):
    cloud.on(GET, traits(1, TRAIT))
    assert not placement.change_trait(connection, "u1", TRAIT, present=True)
    assert cloud.requests(PUT) == []


def test_twenty_times_somebody_is_faster_and_nothing_of_theirs_is_lost(cloud, connection):
    cloud.on(GET, *(traits(number, TRAIT, f"CUSTOM_{number}") for number in range(21)))
    cloud.on(PUT, *([STALE] * 20), traits(99, "CUSTOM_20"))
    waited: list[float] = []
    assert placement.change_trait(connection, "u1", TRAIT, present=False, sleep=waited.append)
    last = cloud.requests(PUT)[-1].json
    assert last == {"traits": ["CUSTOM_20"], "resource_provider_generation": 20}
    assert len(waited) == 20
    assert max(waited) <= 0.2


def test_it_gives_up_in_the_end_and_says_so(cloud, connection):
    cloud.on(GET, traits(1))
    cloud.on(PUT, STALE)
    with pytest.raises(errors.StaleGeneration):
        placement.change_trait(connection, "u1", TRAIT, present=True, attempts=3, sleep=lambda _seconds: None)
    assert len(cloud.requests(PUT)) == 3


def test_a_deadlock_in_its_database_is_borne_and_a_broken_placement_is_not(cloud, connection):
    cloud.on(GET, traits(1))
    cloud.on(PUT, answer({}, 500), answer({}, 500), traits(2, TRAIT))
    assert placement.change_trait(connection, "u1", TRAIT, present=True, sleep=lambda _seconds: None)
    cloud.on(PUT, answer({}, 500))
    with pytest.raises(errors.ServiceFailed):
        placement.change_trait(connection, "u1", TRAIT, present=True, sleep=lambda _seconds: None)
    assert len(cloud.requests(PUT)) == 3 + 6


def test_a_success_that_is_none_is_noticed(cloud, connection):
    cloud.on(GET, traits(1, TRAIT))
    cloud.on(PUT, traits(2, TRAIT))
    with pytest.raises(errors.AnswerUnusable):
        placement.change_trait(connection, "u1", TRAIT, present=False)


@pytest.mark.parametrize(
    "body", [{}, {"traits": "A", "resource_provider_generation": 1}, {"traits": []}, {"traits": [1]}]
)
def test_traits_of_another_shape_are_refused(cloud, connection, body):
    cloud.on(GET, answer(body))
    with pytest.raises(errors.AnswerUnusable):
        placement.get_traits(connection, "u1")
