"""One round: listen for the heartbeat, and where there is none take the trait from every host."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from requests.exceptions import RequestException

from txt_dashboard.attest.signing import PublicKeys
from txt_dashboard.cloud import placement
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.errors import CloudError, NotThere
from txt_dashboard.cloud.heartbeat import LARGEST, BadHeartbeat, read
from txt_dashboard.cloud.transport import BoundedSession
from txt_dashboard.deadman.watch import Watch
from txt_dashboard.keyring import KeyringError

log = logging.getLogger("txt_dashboard.deadman")
_CONNECT_TIMEOUT = 5.0  # seconds
_DEADLINE = 10.0  # seconds


class Unheard(Exception):
    """No heartbeat came; the sentence says why."""


def fetch(url: str, ca_file: Path | None) -> bytes:
    """What is served at the well-known address; raises `Unheard`."""
    with BoundedSession(_CONNECT_TIMEOUT, _DEADLINE, LARGEST) as session:
        try:
            response = session.get(url, verify=str(ca_file) if ca_file else True)
        except (RequestException, OSError, ValueError) as error:
            raise Unheard(f"{url} does not answer ({type(error).__name__})") from None
    if response.status_code != 200:
        raise Unheard(f"{url} answers {response.status_code}")
    return response.content


def take_all(connection: Connection, trait: str) -> tuple[int, int]:
    """Takes the trait from every provider that has it; how many lost it, and how many could not be reached.

    One that fails costs that one, never the others. Raises `CloudError` where not even the list can be had.
    """
    if not placement.trait_exists(connection, trait):
        return 0, 0
    taken = failed = 0
    for provider in placement.list_providers(connection, having=trait):
        try:
            taken += placement.change_trait(connection, provider.uuid, trait, present=False)
        except NotThere:
            continue  # the provider is gone, and its traits with it
        except CloudError as error:
            failed += 1
            log.error("%s keeps %s: %s", provider.name, trait, error)
    return taken, failed


@dataclass
class Rounds:
    """All that a round needs; clocks and the network are parameters."""

    watch: Watch
    keys: Callable[[], PublicKeys]  # asked each time, for one may be declared void; raises `KeyringError`
    listen: Callable[[], bytes]  # raises `Unheard`
    take: Callable[[], tuple[int, int]]  # raises `CloudError`
    clock: Callable[[], datetime]
    ticks: Callable[[], float]
    was_alive: bool | None = None

    def listens(self) -> bool:
        """Listens without doing anything; whether the product is alive."""
        self._hear()
        return self.watch.is_alive(self.clock(), self.ticks())

    def run(self) -> bool:
        """One round; whether all is well: alive, or dead with no trait left. Raises nothing that time may heal."""
        why = self._hear()
        alive = self.watch.is_alive(self.clock(), self.ticks())
        self._tell(why, alive=alive)
        self.was_alive = alive
        return True if alive else self._take()

    def _hear(self) -> str:
        try:
            self.watch.hear(read(self.listen(), self.keys()), self.clock(), self.ticks())
        except (Unheard, BadHeartbeat, KeyringError) as error:
            return str(error)
        return ""

    def _tell(self, why: str, *, alive: bool) -> None:
        last = self.watch.newest.at.isoformat(timespec="seconds") if self.watch.newest else "none"
        if why and alive:
            log.warning("no heartbeat: %s; the last one is of %s", why, last)
        elif alive != self.was_alive:
            state = "alive" if alive else f"dead: {why or 'its heartbeat is too old'}"
            log.warning("cloud %s is %s; the last heartbeat is of %s", self.watch.cloud, state, last)

    def _take(self) -> bool:
        try:
            taken, failed = self.take()
        except CloudError as error:
            log.error("traits could not be taken: %s", error)
            return False
        if taken:
            log.warning("the trait was taken from %d providers", taken)
        return not failed
