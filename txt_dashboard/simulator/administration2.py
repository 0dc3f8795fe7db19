"""OpenAttestation 2.x told what to expect: it takes few registers, and asks each host that is registered."""

from collections.abc import Mapping

from txt_dashboard.simulator.administration import Administration
from txt_dashboard.simulator.registry import Exists, InUse, Missing, Refused, Registered
from txt_dashboard.simulator.whitelist import MleType
from txt_dashboard.simulator.wire import WHITELIST, Fault, Json, Reply, Request

REGISTERS = {MleType.BIOS: frozenset(range(6)), MleType.VMM: frozenset(range(17, 21))}
_PROPERTIES = {
    "oem": frozenset({"Name", "Description"}),
    "os": frozenset({"Name", "Version", "Description"}),
    "mles": frozenset(
        {
            "Name",
            "Version",
            "OsName",
            "OsVersion",
            "OemName",
            "Attestation_Type",
            "MLE_Type",
            "Description",
            "MLE_Manifests",
        }
    ),
    "hosts": frozenset(
        {
            "HostName",
            "IPAddress",
            "Port",
            "BIOS_Name",
            "BIOS_Version",
            "BIOS_Oem",
            "VMM_Name",
            "VMM_Version",
            "VMM_OSName",
            "VMM_OSVersion",
            "AddOn_Connection_String",
            "Description",
            "Email",
            "Location",
            "AIK_Certificate",
        }
    ),
}
_FAULTS: Mapping[tuple[type[Refused], str], tuple[int, str]] = {
    (Exists, "oem"): (2002, "OEM '%s' is already configured in the system."),
    (Exists, "os"): (2005, "OS '%s' is already configured in the system."),
    (Exists, "mle"): (2007, "MLE '%s' is already configured in the system."),
    (Exists, "host"): (1005, "Host '%s' already exists."),
    (Missing, "oem"): (2001, "OEM '%s' is not configured in the system."),
    (Missing, "os"): (2004, "OS '%s' is not configured in the system."),
    (Missing, "mle"): (2009, "MLE '%s' is not configured in the system."),
    (Missing, "host"): (1003, "Host '%s' not found."),
    (Missing, "bios"): (1004, "Bios '%s' is incorrect."),
    (Missing, "vmm"): (1004, "VMM '%s' is incorrect."),
    (InUse, "mle"): (2010, "MLE '%s' cannot be deleted as it is associated with hosts."),
}
_PCR_NOT_VALID = 2022  # the real number stands in no source that was found


class Administration2(Administration):
    """Says `true`; its whitelist services say it as text only."""

    by_name_alone = False
    put_registers_anew = True

    def checked(self, request: Request, resource: str) -> Json:
        document = request.json()
        if not document.keys() <= _PROPERTIES[resource]:
            raise Fault(400, 400, "Unrecognized field in the request.")
        if request.path.startswith(WHITELIST) and not _takes_text(request.accept):
            raise Fault(406, 406, "Not Acceptable")
        return document

    def done(self, request: Request) -> Reply:
        as_json = request.method == "DELETE" or not request.path.startswith(WHITELIST)
        return Reply(200, b"true", "application/json" if as_json else "text/plain")

    def refusal(self, refused: Refused, request: Request) -> Fault:
        code, sentence = _FAULTS[type(refused), refused.what]
        return Fault(400, code, sentence % refused.name)

    def check_values(self, kind: MleType, values: Mapping[int, bytes]) -> None:
        if outside := values.keys() - REGISTERS[kind]:
            raise Fault(400, _PCR_NOT_VALID, f"PCR {min(outside)} is not valid for a {kind} MLE.")

    def check_host(self, host: Registered) -> None:
        if not self.simulation.reaches(host.name):
            raise Fault(400, 1011, f"Unable to communicate with host: {host.name}")


def _takes_text(accept: str) -> bool:
    kinds = {part.split(";")[0].strip() for part in accept.split(",")}
    return not kinds.isdisjoint({"text/plain", "text/*", "*/*"})
