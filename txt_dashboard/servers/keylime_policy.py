"""The golden values that a Keylime judges its agents by: each agent's `tpm_policy`, as a text.

It is JSON in a text: the values allowed by register, `{"0": ["<hex>", …], …, "mask": "0x600ff"}`. Several values of
one register are told as several lists, the first of each register together, then the second: so a policy that allows
what two baselines name is told as both.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated

from msgspec import Meta, MsgspecError
from msgspec.json import Decoder

from txt_dashboard.attest.pcr import DRTM_REGISTERS, PcrError, Values, bank_of, parse_index, parse_value
from txt_dashboard.servers.base import Clock, Connection, NotTaken
from txt_dashboard.servers.keylime import Keylime
from txt_dashboard.servers.mle import InUse, MleKind, MleRef

_NAME = "tpm_policy"
_MOST_VALUES = 64  # of one register
_Allowed = Annotated[list[Annotated[str, Meta(max_length=130)]], Meta(max_length=_MOST_VALUES)]
_POLICY = Decoder(Annotated[dict[str, _Allowed | str], Meta(max_length=32)])
_MASK = re.compile(r"0x[0-9a-fA-F]{1,6}")
_OURS = {MleKind.BIOS: {"oem": "Keylime"}, MleKind.VMM: {"os_name": "Keylime"}}


class KeylimePolicies:
    """What one verifier judges by; fulfils `GoldenValues`.

    Raises `ServerError` for a connection whose own data are unusable.
    """

    def __init__(self, connection: Connection, *, clock: Clock) -> None:
        self._verifier = Keylime(connection, clock=clock)

    def in_use(self) -> tuple[InUse, ...]:
        """Each policy once, with the hosts that it is for: one request."""
        hosts: dict[str | None, list[str]] = {}
        for host, text in self._verifier.policies().items():
            hosts.setdefault(text, []).append(host)
        return tuple(found for text, of in hosts.items() for found in read_policy(text, tuple(of)))

    def close(self) -> None:
        """Closes its connections."""
        self._verifier.close()


def read_policy(text: str | None, hosts: tuple[str, ...]) -> tuple[InUse, ...]:
    """One policy by our parts; what can't be read, or allows anything, says so in its `problem`."""
    version = hashlib.sha256((text or "").encode()).hexdigest()[:12]
    try:
        lists = _lists(_allowed(text))
    except (MsgspecError, PcrError, RecursionError, UnicodeError):
        return (InUse(_ref(MleKind.BIOS, version), hosts, problem="it can't be read"),)
    if not lists:
        return (InUse(_ref(MleKind.BIOS, version), hosts, problem="it names no register, so it matches every host"),)
    return tuple(
        InUse(_ref(kind, version), hosts, values)
        for some in lists
        for kind, values in _by_kind(some).items()
        if values
    )


def allows(text: str, values: Mapping[int, frozenset[bytes]]) -> bool:
    """Whether a policy lets these registers have exactly these values, and has them quoted."""
    try:
        policy = _read(text)
    except NotTaken:
        return False
    quoted = all(policy.mask >> index & 1 for index in values)
    return quoted and all(frozenset(policy.values.get(index, ())) == some for index, some in values.items())


def allowing(text: str, values: Mapping[int, frozenset[bytes]]) -> str:
    """The policy that does so; what it says of other registers stays. Raises `NotTaken` where it can't be read."""
    policy = _read(text)
    told = {index: sorted(each.hex() for each in some) for index, some in {**policy.values, **values}.items()}
    mask = policy.mask | sum(1 << index for index in values)
    return json.dumps({**{str(index): some for index, some in sorted(told.items())}, "mask": hex(mask)})


def same(text: str, other: str) -> bool:
    """Whether two policies say the same; of those that can't be read only the same text does."""
    try:
        return _read(text) == _read(other)
    except NotTaken:
        return text == other


def registers_of(text: str) -> Mapping[str, list[str]]:
    """What a policy allows, as the tenant takes it: without the mask, which it works out itself."""
    return {str(index): sorted(each.hex() for each in some) for index, some in sorted(_read(text).values.items())}


def quotes(text: str, index: int) -> bool:
    """Whether a policy has this register quoted; one that can't be read has all."""
    try:
        return bool(_read(text).mask >> index & 1)
    except NotTaken:
        return True


@dataclass(frozen=True, slots=True)
class _Policy:
    values: dict[int, frozenset[bytes]]
    mask: int


def _read(text: str) -> _Policy:
    """A policy in full; raises `NotTaken` where anything in it has two meanings or none."""
    try:
        policy = _POLICY.decode(text)
        allowed = _allowed(text)
    except (MsgspecError, PcrError, RecursionError, UnicodeError):
        raise NotTaken("its policy at the verifier can't be read") from None
    mask = policy.get("mask", "0x0")
    if len(allowed) != len(policy.keys() - {"mask"}) or not isinstance(mask, str) or not _MASK.fullmatch(mask):
        raise NotTaken("its policy at the verifier can't be read: it names a register twice, or has no usable mask")
    if text != text.lower():
        raise NotTaken(
            "its policy at the verifier holds capital letters, and the verifier finds no value equal to one"
        )
    return _Policy({index: frozenset(some) for index, some in allowed.items()}, int(mask, 16))


def _allowed(text: str | None) -> Mapping[int, list[bytes]]:
    policy = _POLICY.decode(text or "{}")
    return {
        parse_index(index): [_value(each) for each in ([values] if isinstance(values, str) else values)]
        for index, values in policy.items()
        if index != "mask"
    }


def _value(digits: str) -> bytes:
    value = parse_value(digits)
    bank_of(value)
    return value


def _lists(allowed: Mapping[int, list[bytes]]) -> list[Values]:
    rows = zip_longest(*allowed.values())
    return [{index: each for index, each in zip(allowed, row, strict=True) if each is not None} for row in rows]


def _by_kind(values: Values) -> Mapping[MleKind, Values]:
    return {
        MleKind.BIOS: {index: each for index, each in values.items() if index not in DRTM_REGISTERS},
        MleKind.VMM: {index: each for index, each in values.items() if index in DRTM_REGISTERS},
    }


def _ref(kind: MleKind, version: str) -> MleRef:
    return MleRef(kind, _NAME, version, **_OURS[kind])
