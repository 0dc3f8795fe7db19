"""What the simulated cloud was told: extra specs of flavors, traits of providers, and each provider's generation.

The beginning follows from the fleet. What was told since is kept in a file, one line a change, if there is a file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from txt_dashboard.simulator.openstack.estate import Estate
from txt_dashboard.simulator.openstack.orders import FLAVORS, TRAIT, holders_at_first
from txt_dashboard.simulator.registry import UnusableState

_FORMAT = "txt-dashboard simulated cloud 1"
STANDARD_TRAITS = frozenset({"COMPUTE_NODE", "COMPUTE_TRUSTED_CERTS", "HW_CPU_X86_AVX2"})


class Stale(Exception):
    """The provider has another generation by now."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What Placement knows of one hypervisor."""

    name: str
    generation: int
    traits: frozenset[str]


class State:
    """All that can change. Safe to use from many threads."""

    def __init__(self, estate: Estate, file: Path | None = None) -> None:
        """Raises `UnusableState`, or `OSError` where the file can't be used."""
        self._lock = RLock()
        self._file: Path | None = None
        marked = holders_at_first(estate)
        self.specs: dict[str, Mapping[str, str]] = {flavor.id: flavor.first_specs for flavor in FLAVORS}
        self.traits: frozenset[str] = STANDARD_TRAITS | {TRAIT}
        self.providers = {
            node.uuid: Provider(node.hostname, 1, STANDARD_TRAITS | ({TRAIT} if node.uuid in marked else set()))
            for node in estate.nodes
        }
        if file is not None:
            self._open(file, {"format": _FORMAT, "hosts": len(estate.fleet.hosts), "seed": estate.fleet.seed})

    def set_specs(self, flavor: str, added: Mapping[str, str], removed: str = "") -> Mapping[str, str]:
        """The flavor's extra specs afterwards."""
        with self._lock:
            specs = {key: value for key, value in self.specs[flavor].items() if key != removed} | dict(added)
            self.specs[flavor] = specs
            self._note({"flavor": flavor, "specs": specs})
            return specs

    def add_trait(self, name: str) -> bool:
        """Whether it is new."""
        with self._lock:
            if name in self.traits:
                return False
            self.traits |= {name}
            self._note({"trait": name})
            return True

    def put_traits(self, uuid: str, traits: frozenset[str], generation: int) -> Provider:
        """Raises `Stale`."""
        with self._lock:
            before = self.providers[uuid]
            if before.generation != generation:
                raise Stale
            provider = self.providers[uuid] = Provider(before.name, generation + 1, traits)
            self._note({"provider": uuid, "generation": provider.generation, "traits": sorted(traits)})
            return provider

    def _open(self, file: Path, head: dict[str, Any]) -> None:
        """Takes over what the file tells, and goes on with it."""
        told = _lines(file) if file.exists() else []
        if told and told[0] != head:
            raise UnusableState(f"{file} belongs to another fleet, or to another version of this program")
        try:
            for change in told[1:]:
                self._take(change)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UnusableState(f"{file} can't be read; without it the cloud begins anew") from None
        # Only the last word on each thing is kept.
        last = {(each.get("flavor"), each.get("trait"), each.get("provider")): each for each in told[1:]}
        new = file.with_suffix(".new")
        new.write_text("".join(f"{json.dumps(each)}\n" for each in (head, *last.values())), encoding="utf-8")
        new.replace(file)
        self._file = file

    def _take(self, change: dict[str, Any]) -> None:
        if "flavor" in change:
            self.specs[change["flavor"]] = dict(change["specs"])
        elif "trait" in change:
            self.traits |= {str(change["trait"])}
        else:
            name = self.providers[change["provider"]].name
            self.providers[change["provider"]] = Provider(name, change["generation"], frozenset(change["traits"]))

    def _note(self, change: dict[str, Any]) -> None:
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(change) + "\n")


def _lines(file: Path) -> list[dict[str, Any]]:
    """Every line but the last one must be JSON: that may have been cut short by a sudden end, and nobody knows it."""
    lines = file.read_text(encoding="utf-8").splitlines()
    read = []
    for number, line in enumerate(lines):
        try:
            read.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            if number == 0 or number < len(lines) - 1:
                raise UnusableState(f"{file} can't be read; without it the cloud begins anew") from None
    return read
