"""A list of hosts to register with a server, as an operator brings it along: CSV, one host a line."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from txt_dashboard.servers.mle import HIGHEST_PORT, MleKind, MleRef, Registration
from txt_dashboard.servers.oat_wire import is_name

HEADER = (
    "host", "address", "port", "pool",
    "bios_name", "bios_version", "bios_oem",
    "vmm_name", "vmm_version", "vmm_os_name", "vmm_os_version",
)  # fmt: skip
MOST_HOSTS = 100_000
LONGEST_FILE = 64 * 1024 * 1024  # characters
LONGEST_VALUE = 255
MOST_PROBLEMS = 100
_MAY_BE_EMPTY = frozenset({"pool"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One host to register, and the pool that it stands in."""

    registration: Registration
    pool: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line, counted from 1; the sentence fits after *line 7:*."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Registrations:
    """What a file says. Where it has problems, `hosts` are those of the other lines."""

    hosts: tuple[Listed, ...]
    problems: tuple[Problem, ...]  # at most `MOST_PROBLEMS`


def write_registrations(hosts: Iterable[str], *, port: int, bios: Sequence[str], vmm: Sequence[str]) -> str:
    """A file as `read_registrations` takes it, for hosts that are all judged by the same MLEs and in no pool.

    Each is reached by its name: an address that is not known is the name. `bios` is name, version and manufacturer,
    `vmm` is name, version, and the name and version of the operating system.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows((host, host, port, "", *bios, *vmm) for host in sorted(set(hosts)))
    return text.getvalue()


class _BadLine(ValueError):
    """A line that can't be used; the sentence says why."""


def read_registrations(text: str) -> Registrations:
    """The hosts in a CSV file whose first line is `HEADER`. Never raises: what is wrong stands in `problems`.

    A host that is named twice is refused the second time. What one kind of server takes and another does not is
    not looked at. After `MOST_PROBLEMS` nothing more is read, and nothing after a line that is no CSV.
    """
    if len(text) > LONGEST_FILE:
        return Registrations((), (Problem(1, f"the file is longer than {LONGEST_FILE} characters"),))
    hosts: dict[str, Listed] = {}
    problems: list[Problem] = []
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        if tuple(next(reader, ())) != HEADER:
            return Registrations((), (Problem(1, f"the file must begin with the line {','.join(HEADER)}"),))
        for values in filter(None, reader):
            try:
                listed = _listed(values)
                if hosts.setdefault(listed.registration.host, listed) is not listed:
                    raise _BadLine(f"host {listed.registration.host} stands further up already")
                if len(hosts) > MOST_HOSTS:
                    raise _BadLine(f"the file holds more than {MOST_HOSTS} hosts")
            except _BadLine as bad:
                problems.append(Problem(reader.line_num, str(bad)))
            if len(problems) == MOST_PROBLEMS or len(hosts) > MOST_HOSTS:
                break
    except csv.Error as error:
        problems.append(Problem(reader.line_num, f"it is no CSV ({error})"))
    return Registrations(tuple(hosts.values()), tuple(problems))


def _listed(values: Sequence[str]) -> Listed:
    if len(values) != len(HEADER):
        raise _BadLine(f"it has {len(values)} values, not {len(HEADER)}")
    row = dict(zip(HEADER, (value.strip() for value in values), strict=True))
    for name, value in row.items():
        if not value and name not in _MAY_BE_EMPTY:
            raise _BadLine(f"{name} is empty")
        if len(value) > LONGEST_VALUE or not value.isprintable():
            raise _BadLine(f"{name} is longer than {LONGEST_VALUE} characters, or holds some that can't be seen")
    if not is_name(row["host"]):
        raise _BadLine("no host can have this name")
    bios = MleRef(MleKind.BIOS, row["bios_name"], row["bios_version"], row["bios_oem"])
    os = {"os_name": row["vmm_os_name"], "os_version": row["vmm_os_version"]}
    vmm = MleRef(MleKind.VMM, row["vmm_name"], row["vmm_version"], **os)
    return Listed(Registration(row["host"], row["address"], _port(row["port"]), bios, vmm), row["pool"])


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= HIGHEST_PORT):
        raise _BadLine(f"port must be a number from 1 to {HIGHEST_PORT}")
    return int(text)
