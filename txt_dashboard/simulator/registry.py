"""What the simulated server was told: manufacturers, operating systems, MLEs, and which host is judged by which.

It begins as a server that somebody set up for the fleet at the story's start. What was told since is kept in a file,
if there is one, so that a restart forgets nothing; the beginning follows from the fleet and is not in it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path
from threading import RLock
from typing import Any

from txt_dashboard.simulator.fleet import Fleet, Host
from txt_dashboard.simulator.whitelist import Key, Mle, MleType, all_mles, registered

FIRST_ADDRESS = IPv4Address("10.20.0.1")
AGENT_PORT = 9999
_FORMAT = "txt-dashboard simulated server 1"

Os = tuple[str, str]  # name, version


class UnusableState(Exception):
    """The file can't be read, or belongs to another fleet; the sentence says which."""


class Refused(Exception):
    """What was asked for is not possible: `what` is the kind of thing, as the wire's resources call it."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{what} {name}")
        self.what = what
        self.name = name


class Exists(Refused):
    """There is one of that name."""


class Missing(Refused):
    """There is none of that name."""


class InUse(Refused):
    """Something refers to it."""


@dataclass(frozen=True)
class Registered:
    """One host as the server knows it."""

    name: str
    address: str
    port: str
    bios: Key
    vmm: Key
    email: str = ""
    connection: str = ""
    description: str = ""


class Registry:
    """The server's database. Safe to use from many threads."""

    def __init__(self, fleet: Fleet, enrolled: Iterable[Host], state: Path | None = None) -> None:
        """Raises `UnusableState`, or `OSError` where the file can't be read."""
        self._fleet = fleet
        self._state = state
        self._lock = RLock()
        self._first_mles = {mle.key: mle for mle in all_mles(fleet)}
        self._first_hosts = {each.name: each for each in _first_hosts(fleet, enrolled)}
        self.mles = dict(self._first_mles)
        self.hosts = dict(self._first_hosts)
        self.oems = {mle.oem for mle in self.mles.values() if mle.oem}
        self.oses = {(mle.os_name, mle.os_version) for mle in self.mles.values() if mle.os_name}
        if state is not None and state.exists():
            self._load(state)

    def add_oem(self, name: str) -> None:
        """Raises `Exists`."""
        with self._lock:
            if name in self.oems:
                raise Exists("oem", name)
            self.oems.add(name)
            self._keep()

    def add_os(self, os: Os) -> None:
        """Raises `Exists`."""
        with self._lock:
            if os in self.oses:
                raise Exists("os", " ".join(os))
            self.oses.add(os)
            self._keep()

    def add_mle(self, mle: Mle, *, by_name_alone: bool) -> None:
        """Raises `Exists` and `Missing`; 1.x takes one for another by name and version alone."""
        with self._lock:
            owned = mle.oem in self.oems if mle.kind is MleType.BIOS else (mle.os_name, mle.os_version) in self.oses
            if not owned:
                raise Missing("oem" if mle.kind is MleType.BIOS else "os", mle.oem or mle.os_name)
            alike = {key[:2] for key in self.mles} if by_name_alone else self.mles
            if (mle.key[:2] if by_name_alone else mle.key) in alike:
                raise Exists("mle", mle.name)
            self.mles[mle.key] = mle
            self._keep()

    def set_values(self, key: Key, values: Mapping[int, bytes]) -> None:
        """Gives an MLE other values, in use or not: the real server lets people do that. Raises `Missing`."""
        with self._lock:
            if key not in self.mles:
                raise Missing("mle", key[0])
            self.mles[key] = replace(self.mles[key], values=dict(values))
            self._keep()

    def delete_mle(self, key: Key) -> None:
        """Raises `Missing`, and `InUse` where a host is judged by it."""
        with self._lock:
            if key not in self.mles:
                raise Missing("mle", key[0])
            if any(key in (host.bios, host.vmm) for host in self.hosts.values()):
                raise InUse("mle", key[0])
            del self.mles[key]
            self._keep()

    def add_host(self, host: Registered) -> None:
        """Raises `Exists`, and `Missing` where it would be judged by an MLE that is not there."""
        with self._lock:
            if host.name in self.hosts:
                raise Exists("host", host.name)
            self._put(host)

    def edit_host(self, host: Registered, *, mles_too: bool) -> None:
        """Changes a host's data, and its MLEs only where told to. Raises `Missing`."""
        with self._lock:
            before = self.hosts.get(host.name)
            if before is None:
                raise Missing("host", host.name)
            self._require_mles(host)
            self._put(host if mles_too else replace(host, bios=before.bios, vmm=before.vmm))

    def delete_host(self, name: str) -> None:
        """Raises `Missing`."""
        with self._lock:
            if self.hosts.pop(name, None) is None:
                raise Missing("host", name)
            self._keep()

    def judges(self, name: str) -> tuple[Mle, Mle] | None:
        """The BIOS and the VMM MLE that the host is judged by; `None` where it is not registered."""
        with self._lock:
            host = self.hosts.get(name)
            return (self.mles[host.bios], self.mles[host.vmm]) if host else None

    def listed_hosts(self, part: str) -> list[Registered]:
        """The hosts with this in their names, in the order in which they were registered."""
        with self._lock:
            return [host for host in self.hosts.values() if part.lower() in host.name.lower()]

    def listed_mles(self, part: str) -> list[Mle]:
        """The MLEs with this in their names, by name."""
        with self._lock:
            found = [mle for mle in self.mles.values() if part.lower() in mle.name.lower()]
            return sorted(found, key=lambda mle: mle.key)

    def _put(self, host: Registered) -> None:
        self._require_mles(host)
        self.hosts[host.name] = host
        self._keep()

    def _require_mles(self, host: Registered) -> None:
        for what, key in (("bios", host.bios), ("vmm", host.vmm)):
            if key not in self.mles:
                raise Missing(what, key[0])

    def _keep(self) -> None:
        """Writes what differs from the beginning; whoever reads the file meanwhile sees it as it was or as it is."""
        if self._state is None:
            return
        new = self._state.with_suffix(".new")
        new.write_text(json.dumps(self._told(), indent=1) + "\n", encoding="utf-8")
        new.replace(self._state)

    def _told(self) -> dict[str, Any]:
        hosts = {name: asdict(host) for name, host in self.hosts.items() if self._first_hosts.get(name) != host}
        gone = dict.fromkeys(self._first_hosts.keys() - self.hosts.keys())
        return {
            **self._head(),
            "oems": sorted(self.oems),
            "oses": sorted(self.oses),
            "mles": [_document(mle) for key, mle in self.mles.items() if self._first_mles.get(key) != mle],
            "gone_mles": sorted(self._first_mles.keys() - self.mles.keys()),
            "hosts": hosts | gone,
        }

    def _head(self) -> dict[str, Any]:
        return {"format": _FORMAT, "fleet": {"hosts": len(self._fleet.hosts), "seed": self._fleet.seed}}

    def _load(self, state: Path) -> None:
        try:
            told = json.loads(state.read_text(encoding="utf-8"))
            if {name: told[name] for name in self._head()} != self._head():
                raise UnusableState(f"{state} belongs to another fleet, or to another version of this program")
            self.oems = set(told["oems"])
            self.oses = {(name, version) for name, version in told["oses"]}
            for key in told["gone_mles"]:
                del self.mles[_key(key)]
            self.mles |= {mle.key: mle for mle in map(_mle, told["mles"])}
            for name, host in told["hosts"].items():
                self._load_host(name, host)
        except (ValueError, TypeError, KeyError):
            raise UnusableState(f"{state} can't be read; without it the server begins anew") from None

    def _load_host(self, name: str, row: dict[str, Any] | None) -> None:
        if row is None:
            del self.hosts[name]
        else:
            host = Registered(**{**row, "bios": _key(row["bios"]), "vmm": _key(row["vmm"])})
            self.hosts[name] = host
            self._require_loaded(host)

    def _require_loaded(self, host: Registered) -> None:
        if host.bios not in self.mles or host.vmm not in self.mles:
            raise ValueError("a host without its MLEs")


def _first_hosts(fleet: Fleet, enrolled: Iterable[Host]) -> Iterable[Registered]:
    known = {host.name for host in enrolled}
    return (each for each in registrations(fleet) if each.name in known)


def registrations(fleet: Fleet) -> Iterable[Registered]:
    """How somebody who sets the server up would register every host of the fleet."""
    for at, host in enumerate(fleet.hosts):
        bios, vmm = registered(host.hardware, fleet.seed)
        about = f"simulated {host.hardware.oem} {host.hardware.model}"
        address = str(FIRST_ADDRESS + at)
        yield Registered(host.name, address, str(AGENT_PORT), bios.key, vmm.key, description=about)


def _document(mle: Mle) -> dict[str, Any]:
    values = {str(index): value.hex() for index, value in sorted(mle.values.items())}
    return {**asdict(mle), "kind": mle.kind.value, "values": values}


def _mle(document: dict[str, Any]) -> Mle:
    values = {int(index): bytes.fromhex(value) for index, value in document["values"].items()}
    return Mle(**{**document, "kind": MleType(document["kind"]), "values": values})


def _key(parts: Iterable[str]) -> Key:
    name, version, oem, os_name, os_version = parts
    return name, version, oem, os_name, os_version
