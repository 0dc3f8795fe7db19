"""What the work on one server's agents is done with."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from txt_dashboard.servers.base import Clock
from txt_dashboard.servers.policed import PolicedAgents


class LeaseLost(Exception):
    """Another worker goes on."""


@dataclass(frozen=True, slots=True)
class Tools:
    """`hold` keeps the lease, and raises `LeaseLost` where it is this worker's no more."""

    agents: PolicedAgents
    clock: Clock
    hold: Callable[[], None]
    sleep: Callable[[float], None] = time.sleep
