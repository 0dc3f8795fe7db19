"""The broker that needs no server: none lost, none doubled, and nothing broken stops anybody."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kombu import Connection, Queue
from kombu.exceptions import ChannelError

from txt_dashboard.spool import LEFTOVERS_KEPT_S, Transport

READER = Path(__file__).with_name("spool_reader.py")
QUEUE = Queue("ticks")


@pytest.fixture
def open_spool(tmp_path):
    """Connections on one folder, closed at the end."""
    connections = []

    def connect(**options: object) -> Connection:
        connection = Connection(transport=Transport, transport_options={"folder": str(tmp_path), **options})
        connections.append(connection)
        return connection

    yield connect
    for connection in connections:
        connection.release()


@pytest.fixture
def start_reader(tmp_path):
    """Readers in processes of their own."""
    readers = []

    def start() -> subprocess.Popen:
        command = [sys.executable, str(READER), str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": str(READER.parent.parent)}
        readers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
        return readers[-1]

    yield start
    for reader in readers:
        reader.kill()
        reader.wait()
        reader.stdout.close()


def publish(connection: Connection, number: int, **options: object) -> None:
    connection.Producer().publish({"number": number}, routing_key="ticks", declare=[QUEUE], **options)


def get(connection: Connection) -> object:
    message = connection.default_channel.basic_get("ticks", no_ack=True)
    return message and message.decode()["number"]


def numbers(reader: subprocess.Popen) -> list[int]:
    return [int(line) for line in reader.communicate(timeout=60)[0].split()]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_readers_get_thousands_of_messages_each_exactly_once(open_spool, start_reader):
    readers = [start_reader(), start_reader()]
    spool = open_spool(most_waiting=10_000)
    for number in range(2000):
        publish(spool, number)
    first, second = (numbers(reader) for reader in readers)
    assert sorted(first + second) == list(range(2000))
    assert first
    assert second


def test_a_killed_reader_loses_at_most_the_message_in_its_hand(open_spool, start_reader):
    spool = open_spool(most_waiting=10_000)
    for number in range(600):
        publish(spool, number)
    killed, survivor = start_reader(), start_reader()
    wait_until(lambda: spool.default_channel._size("ticks") < 500)
    killed.kill()
    got = numbers(killed) + numbers(survivor)
    assert len(got) == len(set(got))
    assert len(got) >= 599


def test_messages_come_in_the_order_they_were_sent(open_spool):
    spool = open_spool()
    for number in range(5):
        publish(spool, number)
    assert [get(spool) for _ in range(6)] == [0, 1, 2, 3, 4, None]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"body": "!", "properties": {"delivery_tag": 1, "body_encoding": "x"}}',
    ],
)
def test_a_broken_file_is_set_aside_and_stops_nobody(open_spool, tmp_path, content):
    spool = open_spool()
    (tmp_path / "ticks").mkdir()
    (tmp_path / "ticks" / f"{0:020d}-broken.msg").write_bytes(content)
    publish(spool, 7)
    assert get(spool) == 7
    assert [path.suffix for path in (tmp_path / "ticks").iterdir()] == [".broken"]


def test_a_file_that_is_not_ours_is_set_aside(open_spool, tmp_path):
    spool = open_spool()
    publish(spool, 1)
    (waiting,) = (tmp_path / "ticks").iterdir()
    waiting.rename(waiting.with_name("from elsewhere.msg"))
    assert get(spool) is None


def test_a_file_that_vanishes_is_passed_over(open_spool, tmp_path, monkeypatch):
    spool = open_spool()
    publish(spool, 1)
    (waiting,) = (tmp_path / "ticks").iterdir()
    monkeypatch.setattr("txt_dashboard.spool._waiting", lambda folder: ["0-gone.msg", waiting.name])
    assert get(spool) == 1


def test_a_folder_that_vanishes_is_empty_and_made_again(open_spool, tmp_path):
    spool = open_spool()
    publish(spool, 1)
    for path in (tmp_path / "ticks").iterdir():
        path.unlink()
    (tmp_path / "ticks").rmdir()
    assert get(spool) is None
    publish(spool, 2)
    assert get(spool) == 2


def test_a_message_that_waited_too_long_is_dropped(open_spool):
    spool = open_spool()
    publish(spool, 1, expiration=0.05)
    publish(spool, 2, expiration=60)
    time.sleep(0.1)
    assert get(spool) == 2
    assert get(spool) is None


def test_without_a_reader_the_oldest_make_room(open_spool):
    spool = open_spool(most_waiting=3)
    for number in range(10):
        publish(spool, number)
    assert spool.default_channel._size("ticks") == 3
    assert get(spool) == 7


def test_a_message_that_can_not_be_written_raises_and_leaves_nothing(open_spool, tmp_path, monkeypatch):
    spool = open_spool()
    publish(spool, 1)

    def disk_full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", disk_full)
    with pytest.raises(OSError, match="No space left"):
        publish(spool, 2)
    assert [path.suffix for path in (tmp_path / "ticks").iterdir()] == [".msg"]


def test_leftovers_of_the_dead_are_swept_after_a_day(open_spool, tmp_path):
    folder = tmp_path / "ticks"
    folder.mkdir()
    names = ["a.new", "b.taken", "c.broken"]
    for name in names:
        (folder / name).touch()
    spool = open_spool()
    QUEUE(spool.default_channel).declare()
    assert sorted(path.name for path in folder.iterdir()) == names
    for path in folder.iterdir():
        os.utime(path, (0, time.time() - LEFTOVERS_KEPT_S - 1))
    QUEUE(spool.default_channel).declare()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", ".", ""])
def test_a_queue_can_not_lie_outside_the_folder(open_spool, name):
    with pytest.raises(ChannelError):
        open_spool().default_channel._put(name, {})


def test_messages_can_be_purged(open_spool):
    spool = open_spool()
    publish(spool, 1)
    assert QUEUE(spool.default_channel).purge() == 1
    assert get(spool) is None


def test_a_folder_that_can_not_be_used_is_a_lost_connection(tmp_path):
    (tmp_path / "file").touch()
    options = {"folder": str(tmp_path / "file")}
    with Connection(transport=Transport, transport_options=options) as connection:
        with pytest.raises(FileExistsError):
            connection.transport.establish_connection()
        assert issubclass(FileExistsError, connection.connection_errors)


def test_a_short_wait_ends_in_time(open_spool):
    spool = open_spool()
    with spool.Consumer([QUEUE], callbacks=[print]):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            spool.drain_events(timeout=2)
        assert time.monotonic() - began < 1.5
