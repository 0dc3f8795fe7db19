"""A broker that needs no server: Celery's messages as files in one folder of this machine.

A queue is a folder, a message a file in it, and its name's ending says how far it has come:

    .new      being written; nobody reads it
    .msg      waiting; whoever renames it has it, so no two readers get the same one
    .taken    being read; deleted before it is delivered
    .broken   could not be read; kept for a day for whoever wants to know why

A message is lost when its reader is killed while it works. That is meant: messages only ring, the
rows in the database are the work, and the next tick rings again.
"""

import logging
import os
import re
import time
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)

Payload = dict[str, Any]

QUEUE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,200}")
LEFTOVERS = (".new", ".taken", ".broken")
LEFTOVERS_KEPT_S = 24 * 3600
MOST_WAITING = 1000
LONGEST_WAIT_S = 0.5


class Channel(virtual.Channel):
    """Puts and takes messages. Bindings live in each process: whoever publishes declares its queue first."""

    from_transport_options = (  # type: ignore[assignment]  # kombu's types fix the length
        *virtual.Channel.from_transport_options,
        "folder",
        "most_waiting",
    )
    folder: str
    most_waiting: int = MOST_WAITING

    def _put(self, queue: str, message: Payload, **_options: object) -> None:
        """Adds a message; where too many wait for a reader that does not come, the oldest make room.

        Raises `OSError` where the folder can't be written.
        """
        folder = self._queue_folder(queue)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        waiting = _waiting(folder)
        for oldest in waiting[: max(0, len(waiting) + 1 - self.most_waiting)]:
            (folder / oldest).unlink(missing_ok=True)
        new = folder / f"{time.time_ns():020d}-{uuid4().hex}.new"
        try:
            # Not synced to the disk: after a power failure an empty file is set aside, and a tick is soon news.
            new.write_text(dumps(message))
            new.rename(new.with_suffix(".msg"))
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def _get(self, queue: str, timeout: float | None = None) -> Payload:
        """The oldest message that nobody else took and that still counts; raises `Empty`."""
        folder = self._queue_folder(queue)
        for name in _waiting(folder):
            message = self._take(folder / name)
            if message is not None:
                return message
        raise Empty

    def _take(self, path: Path) -> Payload | None:
        taken = path.with_suffix(".taken")
        try:
            path.rename(taken)
        except FileNotFoundError:
            return None  # another reader was faster
        try:
            message: Payload = loads(taken.read_bytes())
            self.Message(message, channel=self)  # what kombu can't read must not reach the worker
            expired = _expired(path, message)
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("A message in %s could not be read and was set aside.", path.parent)
            taken.rename(path.with_suffix(".broken"))
            return None
        taken.unlink()
        return None if expired else message

    def _size(self, queue: str) -> int:
        """How many messages wait."""
        return len(_waiting(self._queue_folder(queue)))

    def _purge(self, queue: str) -> int:
        """Deletes the waiting messages; returns how many there were."""
        folder = self._queue_folder(queue)
        waiting = _waiting(folder)
        for name in waiting:
            (folder / name).unlink(missing_ok=True)
        return len(waiting)

    def _new_queue(self, queue: str, **_options: object) -> None:
        """Called by every process that starts to use a queue: sweeps what dead ones left long ago."""
        folder = self._queue_folder(queue)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in folder.iterdir():
            if path.suffix in LEFTOVERS and _age(path) > LEFTOVERS_KEPT_S:
                path.unlink(missing_ok=True)

    def _queue_folder(self, queue: str) -> Path:
        if not QUEUE_NAME.fullmatch(queue):
            raise ChannelError(f"{queue!r} can't be the name of a queue here.")
        return Path(self.folder) / queue


class Transport(virtual.Transport):
    """`spool://`, with the folder given as the transport option `folder`."""

    Channel = Channel
    can_parse_url = True  # there is nothing in it to parse
    driver_type = driver_name = "spool"
    polling_interval = 0.2  # seconds; an empty look costs one listing of a small folder
    # A full disk or a folder that vanished is a lost connection: workers and beat try again later.
    connection_errors = (*virtual.Transport.connection_errors, OSError)  # type: ignore[assignment]  # as above

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self._folder = Path(client.transport_options["folder"])

    def establish_connection(self) -> Any:
        """Raises `OSError` while the folder can't be used; Celery then waits longer each time, and says so."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.listdir(self._folder)  # noqa: PTH208 - as below
        return super().establish_connection()

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Waits for one message, but briefly: between two waits a worker sees that it was told to stop."""
        super().drain_events(connection, timeout=None if timeout is None else min(timeout, LONGEST_WAIT_S), **kwargs)

    def as_uri(self, uri: str, include_password: bool = False, mask: str = "**") -> str:  # noqa: FBT001, FBT002
        """The address as the log shows it."""
        return uri


def _waiting(folder: Path) -> list[str]:
    """The names of messages that nobody took yet, oldest first."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".msg"))  # noqa: PTH208 - ten times faster
    except FileNotFoundError:
        return []


def _expired(path: Path, message: Payload) -> bool:
    """Whether the message is older than it was to become; its age is in its name, the limit in milliseconds."""
    limit = message["properties"].get("expiration")
    waited_ms = (time.time_ns() - int(path.name.partition("-")[0])) / 1e6
    return limit is not None and waited_ms > int(limit)


def _age(path: Path) -> float:
    """In seconds; none for a file that has just vanished."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
