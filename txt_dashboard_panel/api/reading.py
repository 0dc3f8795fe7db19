"""Answers become values of dataclasses, field by field: what is missing or of another type is refused.

Fields that a dataclass does not name are left out, so that a newer service can say more. A state that is not known
is read as unknown: nothing is trusted by mistake.
"""

import dataclasses
import types
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

State = NewType("State", str)

TRUSTED, UNTRUSTED, STALE, UNKNOWN = State("trusted"), State("untrusted"), State("stale"), State("unknown")
STATES = (TRUSTED, UNTRUSTED, STALE, UNKNOWN)

_Value = TypeVar("_Value")


class Unreadable(ValueError):
    """What was read is not of the type that was expected."""


def read(kind: type[_Value], found: object) -> _Value:
    """The dataclass from decoded JSON; raises `Unreadable` with the place."""
    value: _Value = _read(kind, found, kind.__name__)
    return value


def _read(kind: Any, found: object, place: str) -> Any:
    if kind is State:
        return State(found) if isinstance(found, str) and found in STATES else UNKNOWN
    if kind is Any:
        return found
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, found, place)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(kind, found, place)
    if origin is list and isinstance(found, list):
        (inner,) = get_args(kind)
        return [_read(inner, each, place) for each in found]
    if origin is dict and isinstance(found, Mapping):
        _, inner = get_args(kind)
        return {str(key): _read(inner, each, f"{place}.{key}") for key, each in found.items()}
    return _plain(kind, found, place)


def _dataclass(kind: Any, found: object, place: str) -> Any:
    if not isinstance(found, Mapping):
        raise Unreadable(place)
    values = {}
    for name, (hint, needed) in _fields(kind).items():
        if name in found:
            values[name] = _read(hint, found[name], f"{place}.{name}")
        elif needed:
            raise Unreadable(f"{place}.{name}")
    return kind(**values)


def _optional(kind: Any, found: object, place: str) -> Any:
    if found is None:
        return None
    (inner,) = (each for each in get_args(kind) if each is not type(None))
    return _read(inner, found, place)


def _plain(kind: Any, found: object, place: str) -> Any:
    if kind is datetime and isinstance(found, str):
        try:
            moment = datetime.fromisoformat(found.replace("Z", "+00:00"))
        except ValueError:
            raise Unreadable(place) from None
        if moment.tzinfo is not None:
            return moment
    # A bool is an int for Python, and for nobody else.
    elif kind in (str, int, bool) and type(found) is kind:
        return found
    raise Unreadable(place)


@lru_cache(maxsize=256)
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Each field's type, and whether it must be there."""
    hints = get_type_hints(kind)
    missing = dataclasses.MISSING
    return {
        each.name: (hints[each.name], each.default is missing and each.default_factory is missing)
        for each in dataclasses.fields(kind)
    }
