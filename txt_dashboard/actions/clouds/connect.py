"""From a cloud's name in the settings to connections."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from txt_dashboard import conf
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.cloud.login import from_environment, read_clouds

TRAITS = "-traits"  # ends the name of the entry that is used for Placement


@dataclass(frozen=True, slots=True)
class Accounts:
    """The ways into one cloud: what needs the role admin, and what needs only service. They may be the same."""

    compute: Connection
    placement: Connection


Connect = Callable[[str], Accounts]


def connect(name: str) -> Accounts:
    """The accounts that the settings have for this cloud. Asks nobody; raises `Misconfigured`."""
    file = conf.clouds_file()
    if file is None:
        only = Connection(from_environment(os.environ, name))
        return Accounts(only, only)
    logins = read_clouds(file)
    if name not in logins:
        raise Misconfigured(f"{file} has no cloud {name}: name it there, or correct TXT_CLOUDS")
    compute = Connection(logins[name])
    keeper = logins.get(name + TRAITS)
    return Accounts(compute, Connection(replace(keeper, cloud=name)) if keeper else compute)
