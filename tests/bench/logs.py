"""Reading event logs against what they can't do without: the same hash calls. `python -m tests.bench.logs`."""

import hashlib
import statistics
import time
from collections.abc import Callable

from tests.attest.logbuilder import Record, agile_log, grub, read_file, real_form
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.pcr import Bank

ROUNDS, SECONDS = 9, 0.15


def boot_log() -> bytes:
    """A log of real form and size: about 120 events in 38 KB, mostly GRUB's commands and two large variables."""
    commands = [grub(f"set variable_{number}=value_{number}") for number in range(70)]
    files = [read_file(f"(hd0,gpt2)/grub/x86_64-efi/module_{number}.mod", b"%d" % number) for number in range(12)]
    databases = [Record(7, 0x80000001, bytes([number]) * 9000) for number in range(3)]
    return agile_log(*real_form(), *databases, *commands, *files)


def seconds(work: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    done, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < SECONDS:
        for _ in range(20):
            work()
        done += 20
    return elapsed / done


def bare_replay(data: bytes) -> Callable[[], object]:
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


def main() -> None:
    """Prints work, peer, ratio and limit."""
    data = boot_log()
    log = parse(data)
    bare = bare_replay(data)
    print(f"a log of {len(data)} bytes, {len(log.events)} events; one bank (sha256)")
    print(f"{'work':<34}{'ours/s':>10}{'peer/s':>10}{'ratio':>8}  limit")
    for name, work, limit in (
        ("replay a parsed log", lambda: replay(log, Bank.SHA256), 1.5),
        ("parse and replay", lambda: replay(parse(data), Bank.SHA256), 10),
    ):
        rounds = [(seconds(work), seconds(bare)) for _ in range(ROUNDS)]
        ours, peer = (statistics.median(side) for side in zip(*rounds, strict=True))
        ratio = statistics.median(mine / theirs for mine, theirs in rounds)
        print(f"{name:<34}{1 / ours:>10.0f}{1 / peer:>10.0f}{ratio:>7.2f}x  at most {limit}x the same hash calls")


if __name__ == "__main__":
    main()
