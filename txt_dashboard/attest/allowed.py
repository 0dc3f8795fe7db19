"""Which values approved baselines let a register have, for verifiers that are told lists of values.

Such a verifier knows no baselines: it takes any value of a register with any of another. We don't, and both must
agree.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Requirement, Rules

MOST_VALUES = 64  # of one register


class CannotAllow(Exception):
    """What is in force can't be told as lists of values; the clause says why."""


@dataclass(frozen=True)
class Allowed:
    """For each register that a policy requires, all values that it may have."""

    bank: Bank
    values: Mapping[int, frozenset[bytes]]

    @cached_property
    def key(self) -> str:
        """SHA-256 of all of it, in hex: equal keys allow the same."""
        lines = [f"{index}:{sorted(each.hex() for each in some)}" for index, some in sorted(self.values.items())]
        return hashlib.sha256("\n".join([self.bank, *lines]).encode()).hexdigest()


def allowed_by(rules: Rules) -> Allowed:
    """What the policy and the baselines of one pool let its hosts show; raises `CannotAllow`.

    Whatever was approved counts, for hosts change from one approved value to another at any time.
    """
    needs = rules.policy.requirements
    if not needs:
        raise CannotAllow("the policy in force requires no register")
    banks = {need.bank for need in needs}
    if len(banks) > 1:
        raise CannotAllow("the policy in force requires registers of two banks, and an agent quotes one")
    values: dict[int, frozenset[bytes]] = {}
    for need in needs:
        for index, some in _of(need, rules).items():
            values[index] = values.get(index, frozenset()) | some
    for index, some in sorted(values.items()):
        if len(some) > MOST_VALUES:
            raise CannotAllow(f"register {index} has {len(some)} approved values, and a list takes {MOST_VALUES}")
    return Allowed(banks.pop(), values)


def _of(need: Requirement, rules: Rules) -> Mapping[int, frozenset[bytes]]:
    covering = [each for each in rules.baselines if each.covers(need)]
    if not covering:
        raise CannotAllow(f"no approved baseline in force names all {need.bank} registers of the part {need.part}")
    for baseline in covering:
        if varying := sorted(need.registers & baseline.events.keys()):
            raise CannotAllow(_varies(baseline, varying))
    return {index: frozenset(each.values[index] for each in covering) for index in need.indexes}


def _varies(baseline: Baseline, registers: list[int]) -> str:
    listed = ", ".join(map(str, registers))
    return f"baseline {baseline.name} judges register {listed} by its events, and a list holds values only"
