"""What a Keylime judges by, read from its policies: whatever can't be read, or allows anything, says so."""

import json

import pytest

from txt_dashboard.servers.keylime_policy import read_policy
from txt_dashboard.servers.mle import MleKind

A, B = "aa" * 32, "bb" * 32


def told(policy: object) -> list[tuple[MleKind, dict[int, str], str]]:
    text = policy if isinstance(policy, str) or policy is None else json.dumps(policy)
    found = read_policy(text, ("hv1",))
    assert all(each.hosts == ("hv1",) for each in found)
    assert len({each.ref.version for each in found}) == 1
    return [(each.ref.kind, {at: value.hex() for at, value in each.values.items()}, each.problem) for each in found]


def test_registers_are_told_by_our_parts() -> None:
    policy = {"0": [A], "16": [A], "17": [B], "22": A, "mask": "0x600ff"}
    assert told(policy) == [(MleKind.BIOS, {0: A, 16: A}, ""), (MleKind.VMM, {17: B, 22: A}, "")]


def test_several_values_are_several_lists() -> None:
    assert told({"0": [A, B], "1": [B]}) == [(MleKind.BIOS, {0: A, 1: B}, ""), (MleKind.BIOS, {0: B}, "")]


@pytest.mark.parametrize("policy", [{}, {"mask": "0xff"}, {"0": []}, None, ""])
def test_a_policy_without_values_matches_every_host(policy: object) -> None:
    assert [problem for _, _, problem in told(policy)] == ["it names no register, so it matches every host"]


@pytest.mark.parametrize(
    "policy",
    [
        "no JSON", "[]", "[" * 9999, {"24": [A]}, {"x": [A]}, {"0": ["xx"]}, {"0": [7]}, {"0": {"a": 1}},
        {"0": ["aa"]}, {"0": [A] * 65}, {"0": ["a" * 131]}, {str(number): [A] for number in range(33)},
    ],
)  # fmt: skip
def test_a_policy_that_can_t_be_read_says_so(policy: object) -> None:
    assert [problem for _, _, problem in told(policy)] == ["it can't be read"]
