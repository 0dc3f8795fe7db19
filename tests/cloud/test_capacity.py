"""What an instance of a flavor asks Placement for."""

import pytest

from tests.cloud.fake import answer
from txt_dashboard.cloud import placement
from txt_dashboard.cloud.capacity import Request, request_of
from txt_dashboard.cloud.values import Flavor

CANDIDATES = "GET /placement/allocation_candidates"
TRAIT = "CUSTOM_TRUSTED_HOST"


def flavor(disk: int = 20, **specs: str) -> Flavor:
    named = {key.replace("__", ":"): value for key, value in specs.items()}
    return Flavor("f1", "m1", public=True, vcpus=2, ram_mib=2048, disk_gib=disk, extra_specs=named)


def test_a_flavor_asks_for_its_size():
    assert request_of(flavor()).resources == (("DISK_GB", 20), ("MEMORY_MB", 2048), ("VCPU", 2))


def test_what_is_nothing_is_not_asked_for():
    assert dict(request_of(flavor(disk=0)).resources) == {"MEMORY_MB": 2048, "VCPU": 2}


@pytest.mark.parametrize(
    ("specs", "resources", "required", "forbidden"),
    [
        ({"resources__VCPU": "0", "resources__CUSTOM_METAL": "1"}, {"CUSTOM_METAL": 1}, set(), set()),
        ({"trait__HW_CPU_X86_AVX": "required"}, {}, {"HW_CPU_X86_AVX"}, set()),
        ({"trait__CUSTOM_SLOW": "forbidden"}, {}, set(), {"CUSTOM_SLOW"}),
        ({"trait__CUSTOM_SLOW": "rubbish", "resources__VCPU": "a lot"}, {}, set(), set()),
        ({"trait1__CUSTOM_X": "required", "resources1__VGPU": "1"}, {}, set(), set()),
    ],
)
def test_its_extra_specs_shape_the_request(specs, resources, required, forbidden):
    found = request_of(flavor(**specs))
    assert set(resources.items()) <= set(found.resources)
    assert (set(found.required), set(found.forbidden)) == (required, forbidden)
    assert ("VCPU", 2) not in found.resources or "resources__VCPU" not in specs or specs["resources__VCPU"] == "a lot"


def test_trusted_hosts_only():
    found = request_of(flavor(**{f"trait__{TRAIT}": "forbidden"}), trusted=TRAIT)
    assert (found.required, found.forbidden) == ((TRAIT,), ())


def test_providers_that_fit_are_named(cloud, connection):
    rows = [{"allocations": {"u1": {"resources": {}}}}, {"allocations": {"u2": {}, "shared": {}}}]
    cloud.on(CANDIDATES, answer({"allocation_requests": rows, "provider_summaries": {}}))
    wanted = Request((("MEMORY_MB", 512), ("VCPU", 1)), (TRAIT,), ("CUSTOM_SLOW",))
    assert placement.list_candidates(connection, wanted, limit=7) == {"u1", "u2", "shared"}
    (asked,) = cloud.requests(CANDIDATES)
    assert asked.query == {
        "resources": ["MEMORY_MB:512,VCPU:1"],
        "required": [f"{TRAIT},!CUSTOM_SLOW"],
        "limit": ["7"],
    }


def test_what_nobody_ever_had_fits_nowhere(cloud, connection):
    cloud.on(CANDIDATES, answer({"errors": []}, 400))
    assert placement.list_candidates(connection, Request((("VCPU", 1),), (TRAIT,), ()), limit=7) == frozenset()
