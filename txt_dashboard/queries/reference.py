"""The reference values and policies in force, as the rules' own types."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Part, Policy, ReferenceSet, Requirement
from txt_dashboard.models import Baseline as BaselineRow
from txt_dashboard.models import Policy as PolicyRow


def current_reference() -> ReferenceSet:
    """All approved baselines, and a policy for each server and pool. Two queries."""
    keys = tuple(BaselineRow.objects.order_by("key").values_list("key", flat=True))
    policies = {
        (server, pool): read_policy(parts, validity_s, word_is_enough=word)
        for server, pool, parts, validity_s, word in PolicyRow.objects.values_list(
            "server__name", "pool", "parts", "validity_s", "word_is_enough"
        )
    }
    return ReferenceSet(_baselines(keys), policies)


def read_policy(parts: Mapping[str, Mapping[str, object]], validity_s: int, *, word_is_enough: bool) -> Policy:
    """A policy from its stored form; raises `InvalidReference`, or `ValueError` for an unknown part or bank."""
    requirements = tuple(
        Requirement(Part(part), Bank(str(need["bank"])), frozenset(_indexes(need["registers"])))
        for part, need in sorted(parts.items())
    )
    return Policy(requirements, timedelta(seconds=validity_s), word_is_enough)


def read_baseline(row: BaselineRow) -> Baseline:
    """A baseline from its row."""
    return Baseline(
        name=row.name,
        part=Part(row.part),
        bank=Bank(row.bank),
        values={int(index): bytes.fromhex(value) for index, value in row.values.items()},
        pools=frozenset(row.pools),
        not_before=row.not_before,
        not_after=row.not_after,
    )


@lru_cache(maxsize=4)
def _baselines(keys: tuple[str, ...]) -> tuple[Baseline, ...]:
    # A key is the hash of all that a baseline says, so the same keys are the same baselines.
    return tuple(read_baseline(row) for row in BaselineRow.objects.filter(key__in=keys).order_by("key"))


def _indexes(registers: object) -> list[int]:
    if not isinstance(registers, list) or not all(type(index) is int for index in registers):
        raise ValueError("registers must be a list of numbers")
    return registers
