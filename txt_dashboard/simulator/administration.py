"""How the simulated server is told what to expect: the whitelist services and the registration of hosts.

What both generations have in common; how each says yes and no is its own. Sources: `Source/WLMService` and
`HOSTResource` (1.x), `services/WLMService` and `HostBO` (2.x) of OpenAttestation's repository.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from txt_dashboard.attest.pcr import PcrError, parse_index, parse_value
from txt_dashboard.simulator.fleet import BANK
from txt_dashboard.simulator.registry import Refused, Registered
from txt_dashboard.simulator.simulation import Simulation
from txt_dashboard.simulator.whitelist import Key, Mle, MleType
from txt_dashboard.simulator.wire import ATTESTATION, WHITELIST, Fault, Json, Reply, Request, Route, mle_key


class Administration(ABC):
    """The resources that change something."""

    by_name_alone: bool  # whether an MLE's name and version are all that tells it from others
    put_registers_anew: bool  # whether PUT hosts gives a host other MLEs

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.registry = simulation.registry
        routes: dict[tuple[str, str], Route] = {
            ("POST", f"{WHITELIST}/oem"): self.add_oem,
            ("POST", f"{WHITELIST}/os"): self.add_os,
            ("POST", f"{WHITELIST}/mles"): self.add_mle,
            ("PUT", f"{WHITELIST}/mles"): self.edit_mle,
            ("DELETE", f"{WHITELIST}/mles"): self.delete_mle,
            ("POST", f"{ATTESTATION}/hosts"): self.add_host,
            ("PUT", f"{ATTESTATION}/hosts"): self.edit_host,
            ("DELETE", f"{ATTESTATION}/hosts"): self.delete_host,
        }
        self.routes = {place: self._refusing(route) for place, route in routes.items()}

    def add_oem(self, request: Request) -> Reply:
        """A manufacturer that BIOS MLEs can belong to."""
        document = self.checked(request, "oem")
        self.registry.add_oem(text(document, "Name"))
        return self.done(request)

    def add_os(self, request: Request) -> Reply:
        """An operating system that VMM MLEs can belong to."""
        document = self.checked(request, "os")
        self.registry.add_os((text(document, "Name"), text(document, "Version")))
        return self.done(request)

    def add_mle(self, request: Request) -> Reply:
        """An MLE and its values."""
        self.registry.add_mle(self._mle(self.checked(request, "mles")), by_name_alone=self.by_name_alone)
        return self.done(request)

    def edit_mle(self, request: Request) -> Reply:
        """Other values for an MLE, even for one that hosts are judged by."""
        mle = self._mle(self.checked(request, "mles"))
        self.registry.set_values(mle.key, mle.values)
        return self.done(request)

    def delete_mle(self, request: Request) -> Reply:
        """An MLE by which no host is judged."""
        self.registry.delete_mle(mle_key(request.query))
        return self.done(request)

    def add_host(self, request: Request) -> Reply:
        """A host that was not registered."""
        host = self._host(self.checked(request, "hosts"))
        self.registry.add_host(host)
        return self.done(request)

    def edit_host(self, request: Request) -> Reply:
        """A host that is registered."""
        host = self._host(self.checked(request, "hosts"))
        self.registry.edit_host(host, mles_too=self.put_registers_anew)
        return self.done(request)

    def delete_host(self, request: Request) -> Reply:
        """A host that is registered."""
        self.registry.delete_host(request.query.get("hostName", ""))
        return self.done(request)

    @abstractmethod
    def checked(self, request: Request, resource: str) -> Json:
        """The request's document; raises `Fault` where this generation refuses it for its form."""

    @abstractmethod
    def done(self, request: Request) -> Reply:
        """How this generation says yes."""

    @abstractmethod
    def refusal(self, refused: Refused, request: Request) -> Fault:
        """How this generation says no."""

    @abstractmethod
    def check_values(self, kind: MleType, values: Mapping[int, bytes]) -> None:
        """Raises `Fault` where this generation takes no such registers."""

    @abstractmethod
    def check_host(self, host: Registered) -> None:
        """Raises `Fault` where this generation does not register such a host."""

    def _refusing(self, route: Route) -> Route:
        def answer(request: Request) -> Reply:
            try:
                return route(request)
            except Refused as refused:
                raise self.refusal(refused, request) from None

        return answer

    def _mle(self, document: Json) -> Mle:
        try:
            kind = MleType(text(document, "MLE_Type"))
            rows = document.get("MLE_Manifests") or []
            values = {parse_index(row["Name"]): parse_value(row["Value"], BANK) for row in rows}
        except (ValueError, TypeError, KeyError, PcrError) as error:
            raise Fault(400, 400, f"No such MLE can be: {error}") from None
        self.check_values(kind, values)
        name, version, about = (text(document, key) for key in ("Name", "Version", "Description"))
        if kind is MleType.BIOS:
            return Mle(name, version, kind, values, oem=text(document, "OemName"), description=about)
        os_name, os_version = text(document, "OsName"), text(document, "OsVersion")
        return Mle(name, version, kind, values, os_name=os_name, os_version=os_version, description=about)

    def _host(self, document: Json) -> Registered:
        bios_name, bios_version, oem = (text(document, f"BIOS_{key}") for key in ("Name", "Version", "Oem"))
        vmm: Key = (
            text(document, "VMM_Name"),
            text(document, "VMM_Version"),
            "",
            text(document, "VMM_OSName"),
            text(document, "VMM_OSVersion"),
        )
        host = Registered(
            text(document, "HostName"),
            text(document, "IPAddress"),
            text(document, "Port"),
            (bios_name, bios_version, oem, "", ""),
            vmm,
            text(document, "Email"),
            text(document, "AddOn_Connection_String"),
            text(document, "Description"),
        )
        self.check_host(host)
        return host


def text(document: Json, key: str) -> str:
    """One of the document's texts, empty where it is not there; raises `Fault` where it is something else."""
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise Fault(400, 400, f"{key} is no text.")
    return "" if value is None else str(value)
