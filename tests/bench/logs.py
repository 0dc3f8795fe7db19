"""Reading event logs, against what nobody can do without: the same hash calls."""

import hashlib
import sys
from collections.abc import Iterator

from tests.attest.logbuilder import Record, agile_log, grub, read_file, real_form
from tests.bench.loops import Work, least
from tests.bench.report import Line, report
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.pcr import Bank

ROUNDS, CALLS = 60, 10


def main() -> int:
    """Prints the lines; the exit status."""
    return report(_lines())


def _lines() -> Iterator[Line]:
    data = boot_log()
    log = parse(data)
    bare = bare_replay(data)
    what = f"a log of {len(log.events)} events"
    for done, work, allowed in (
        (f"replay {what}, parsed already", lambda: replay(log, Bank.SHA256), 1.5),
        (f"parse and replay {what}", lambda: replay(parse(data), Bank.SHA256), 10),
    ):
        ours, peer = least(ROUNDS, CALLS, work, bare)
        yield Line(done, ours, peer, "the same hash calls of one bank", allowed, "µs")


def boot_log() -> bytes:
    """A log of real form and size: about 120 events in 38 KB, mostly GRUB's commands and two large variables."""
    commands = [grub(f"set variable_{number}=value_{number}") for number in range(70)]
    files = [read_file(f"(hd0,gpt2)/grub/x86_64-efi/module_{number}.mod", b"%d" % number) for number in range(12)]
    databases = [Record(7, 0x80000001, bytes([number]) * 9000) for number in range(3)]
    return agile_log(*real_form(), *databases, *commands, *files)


def bare_replay(data: bytes) -> Work:
    """The same hash calls alone: each register's digests are at hand in a list."""
    digests: dict[int, list[bytes]] = {}
    for event in parse(data).events:
        if event.extends and event.register < 24:
            digests.setdefault(event.register, []).append(event.digests[Bank.SHA256])
    start = [(bytes(32), each) for each in digests.values()]
    sha256 = hashlib.sha256

    def work() -> list[bytes]:
        values = []
        for value, measured in start:
            for digest in measured:
                value = sha256(value + digest).digest()  # noqa: PLW2901 - the register grows
            values.append(value)
        return values

    return work


if __name__ == "__main__":
    sys.exit(main())
