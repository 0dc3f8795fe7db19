"""What an instance of a flavor asks Placement for, as far as that can be told from the flavor alone. Pure.

Nova adds what the image and the network ask for, and shapes some requests further (granular groups, pinned CPUs).
So a host that is counted may still refuse an instance; one that is not counted has no room for it.
"""

import re
from dataclasses import dataclass

from txt_dashboard.cloud.values import Flavor

_RESOURCE = re.compile(r"resources:([A-Z0-9_]{1,255})", re.ASCII)
_TRAIT = re.compile(r"trait:([A-Z0-9_]{1,255})", re.ASCII)
_MOST = 2**31 - 1  # Placement's own limit
_MOST_TRAITS = 50


@dataclass(frozen=True, slots=True)
class Request:
    """Amounts by resource class, and traits that a host must, or must not, have."""

    resources: tuple[tuple[str, int], ...]
    required: tuple[str, ...]
    forbidden: tuple[str, ...]


def request_of(flavor: Flavor, *, trusted: str = "") -> Request:
    """What an instance of this flavor asks for; with `trusted`, only of hosts that have this trait."""
    amounts = {"VCPU": flavor.vcpus, "MEMORY_MB": flavor.ram_mib, "DISK_GB": flavor.disk_gib}
    required, forbidden = set[str](), set[str]()
    for key, value in flavor.extra_specs.items():
        if (found := _RESOURCE.fullmatch(key)) and value.isascii() and value.isdigit() and len(value) < 11:
            amounts[found[1]] = int(value)
        elif found := _TRAIT.fullmatch(key):
            {"required": required, "forbidden": forbidden}.get(value, set[str]()).add(found[1])
    if trusted:
        required.add(trusted)
        forbidden.discard(trusted)
    asked = sorted((name, amount) for name, amount in amounts.items() if 0 < amount <= _MOST)
    return Request(tuple(asked), _few(required), _few(forbidden - required))


def _few(traits: set[str]) -> tuple[str, ...]:
    return tuple(sorted(traits)[:_MOST_TRAITS])
