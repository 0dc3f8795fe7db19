"""From a cloud's name in the settings to connections."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from txt_dashboard import conf
from txt_dashboard.cloud.connection import Connection, Limits
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.cloud.login import from_environment, read_clouds

TRAITS = "-traits"  # ends the name of the entry that is used for Placement


@dataclass(frozen=True, slots=True)
class Accounts:
    """The ways into one cloud: what needs the role admin, and what needs only service. They may be the same."""

    compute: Connection
    placement: Connection


Connect = Callable[[str], Accounts]
# Somebody waits for the answer.
_FOR_PEOPLE = Limits(connect_timeout=3.0, deadline=8.0, byte_limit=1024 * 1024)


def connect(name: str) -> Accounts:
    """The accounts that the settings have for this cloud. Asks nobody; raises `Misconfigured`."""
    return _connect(conf.clouds_file(), name, Limits())


def connect_for_people(name: str) -> Accounts:
    """The same for what people wait for, made once in each process; raises `Misconfigured`."""
    return _kept(conf.clouds_file(), name)


@cache
def _kept(file: Path | None, name: str) -> Accounts:
    return _connect(file, name, _FOR_PEOPLE)


def _connect(file: Path | None, name: str, limits: Limits) -> Accounts:
    if file is None:
        only = Connection(from_environment(os.environ, name), limits)
        return Accounts(only, only)
    logins = read_clouds(file)
    if name not in logins:
        raise Misconfigured(f"{file} has no cloud {name}: name it there, or correct TXT_CLOUDS")
    compute = Connection(logins[name], limits)
    keeper = logins.get(name + TRAITS)
    return Accounts(compute, Connection(replace(keeper, cloud=name), limits) if keeper else compute)
