"""What both generations of OpenAttestation have in common on the wire: requests, replies, faults, listings.

Source: OpenAttestation's own code, `Source/` (1.x) and `services/` (2.x) of its repository. Nothing here knows of
sockets: a request goes in, a reply comes out.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from txt_dashboard.simulator.registry import Registered
from txt_dashboard.simulator.simulation import Simulation
from txt_dashboard.simulator.whitelist import Key, Mle

ATTESTATION = "/AttestationService/resources"
WHITELIST = "/WLMService/resources"

Now = Callable[[], datetime]  # aware
Query = Mapping[str, str]
Json = dict[str, Any]


class Fault(Exception):
    """The request can't be answered; goes out as HTTP status, error code and sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def reply(self) -> "Reply":
        """The fault as both generations write it."""
        return reply({"error_code": self.code, "error_message": str(self)}, self.status)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, without what concerns only the connection."""

    method: str
    path: str
    query: Query
    body: bytes = b""
    accept: str = "*/*"
    headers: Mapping[str, str] = field(default_factory=dict)  # by their names in lower case

    def json(self) -> Json:
        """The body as a JSON object; raises `Fault` where it is none."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Fault(400, 400, "The body is not JSON.") from None
        if not isinstance(document, dict):
            raise Fault(400, 400, "The body is not a JSON object.")
        return document


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def reply(document: object, status: int = 200) -> Reply:
    """An answer in compact JSON."""
    return Reply(status, json.dumps(document, separators=(",", ":")).encode())


Route = Callable[[Request], Reply]


class Service(Protocol):
    """What a simulated server has to say."""

    @property
    def silent(self) -> bool:
        """Whether it takes requests and answers none now."""

    def answer(self, request: Request) -> Reply:
        """The reply to any request, faults included."""


class Dialect(ABC):
    """One generation's way to say what the simulation knows."""

    name: str

    def __init__(self, simulation: Simulation, now: Now) -> None:
        self.simulation = simulation
        self.now = now
        self.routes: dict[tuple[str, str], Route] = {
            ("POST", f"{ATTESTATION}/PollHosts"): self.poll_hosts,
            ("GET", f"{ATTESTATION}/hosts"): self.hosts,
            ("GET", f"{WHITELIST}/mles"): self.mles,
            ("GET", f"{WHITELIST}/mles/manifest"): self.manifest,
        }

    @property
    def silent(self) -> bool:
        """Whether the server takes requests and answers none now."""
        return self.simulation.silent

    def answer(self, request: Request) -> Reply:
        """The reply to any request, faults included."""
        route = self.routes.get((request.method, request.path))
        if route is None:
            return Fault(404, 404, "No such resource.").reply
        try:
            return route(request)
        except Fault as fault:
            return fault.reply

    def hosts(self, request: Request) -> Reply:
        """Registered hosts whose name contains `searchCriteria`; all for an empty one."""
        found = self.simulation.registry.listed_hosts(request.query.get("searchCriteria", ""))
        return reply(self.listed("hostBean", [self.host_row(host) for host in found]))

    def mles(self, request: Request) -> Reply:
        """MLEs whose name contains `searchCriteria`; all for an empty one."""
        found = self.simulation.registry.listed_mles(request.query.get("searchCriteria", ""))
        return reply(self.listed("mleBean", [self.mle_row(mle) for mle in found]))

    def manifest(self, request: Request) -> Reply:
        """One MLE and its register values, by name, version and manufacturer or operating system."""
        mle = self.simulation.registry.mles.get(mle_key(request.query))
        return reply(whole_mle_row(mle)) if mle else self.no_manifest(request)

    @abstractmethod
    def poll_hosts(self, request: Request) -> Reply:
        """Attests the hosts asked for, each on the spot."""

    @abstractmethod
    def listed(self, bean: str, rows: list[Json]) -> object:
        """A list as this generation's JSON writer puts it; `bean` is the rows' class."""

    @abstractmethod
    def mle_row(self, mle: Mle) -> Json:
        """One MLE in a search's answer."""

    @abstractmethod
    def host_row(self, host: Registered) -> Json:
        """One host in a search's answer."""

    @abstractmethod
    def no_manifest(self, request: Request) -> Reply:
        """The answer to whoever asks for the values of an MLE that is not there; may raise `Fault`."""


def mle_key(query: Query) -> Key:
    """What names an MLE in a query."""
    name, version, oem, os_name, os_version = (
        query.get(key, "") for key in ("mleName", "mleVersion", "oemName", "osName", "osVersion")
    )
    return name, version, oem, os_name, os_version


def whole_mle_row(mle: Mle) -> Json:
    """An MLE with its register values; what does not apply is the word null, as the real servers write it."""
    return {
        "Name": mle.name,
        "Version": mle.version,
        "OsName": mle.os_name or "null",
        "OsVersion": mle.os_version or "null",
        "OemName": mle.oem or "null",
        "Attestation_Type": "PCR",
        "MLE_Type": mle.kind.value,
        "Description": mle.description,
        "MLE_Manifests": [{"Name": str(index), "Value": value.hex()} for index, value in mle.values.items()],
    }


def host_names(document: Json) -> list[str]:
    """The hosts that a PollHosts request asks for; raises `Fault` where they are no list of strings."""
    names = document.get("hosts")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Fault(400, 1008, "Missing or invalid input 'hosts'.")
    return names


def whole_host_row(host: Registered) -> Json:
    """A host with all that the real servers list of it, as text."""
    bios_name, bios_version, bios_oem, _, _ = host.bios
    vmm_name, vmm_version, _, vmm_os_name, vmm_os_version = host.vmm
    return {
        "HostName": host.name,
        "IPAddress": host.address,
        "Port": host.port,
        "BIOS_Name": bios_name,
        "BIOS_Version": bios_version,
        "BIOS_Oem": bios_oem,
        "VMM_Name": vmm_name,
        "VMM_Version": vmm_version,
        "VMM_OSName": vmm_os_name,
        "VMM_OSVersion": vmm_os_version,
        "AddOn_Connection_String": host.connection,
        "Description": host.description,
        "Email": host.email,
    }
