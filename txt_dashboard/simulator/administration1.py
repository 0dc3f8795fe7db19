"""OpenAttestation 1.6 told what to expect: it compares lengths, and PUT leaves a host's MLEs as they were."""

from collections.abc import Mapping

from txt_dashboard.simulator.administration import Administration
from txt_dashboard.simulator.registry import Exists, InUse, Missing, Refused, Registered
from txt_dashboard.simulator.whitelist import MleType
from txt_dashboard.simulator.wire import Fault, Json, Reply, Request

FORBIDDEN = frozenset("#&+:\"'")
LONGEST = 50  # characters
LONGER = {"Description": 100, "AddOn_Connection_String": 100, "BIOS_Version": 100, "VMM_Version": 100}
_UNCHECKED = frozenset({"Email"})
_FAULTS: Mapping[tuple[type[Refused], str], tuple[int, int]] = {
    (Exists, "oem"): (400, 1006),
    (Exists, "os"): (400, 1006),
    (Exists, "mle"): (400, 1006),
    (Exists, "host"): (400, 2001),
    (Missing, "oem"): (400, 1006),
    (Missing, "os"): (400, 1006),
    (Missing, "mle"): (400, 1007),
    (Missing, "host"): (400, 2000),
    (Missing, "bios"): (400, 2001),
    (Missing, "vmm"): (400, 2001),
    (InUse, "mle"): (500, 500),
}


class Administration1(Administration):
    """Says `True`."""

    by_name_alone = True
    put_registers_anew = False

    def checked(self, request: Request, resource: str) -> Json:
        document = request.json()
        for key, value in document.items():
            if isinstance(value, str) and key not in _UNCHECKED and not _acceptable(value, LONGER.get(key, LONGEST)):
                raise Fault(500, 500, "It failed, please check the length and the characters of each parameter")
        if not document.get("HostName" if resource == "hosts" else "Name"):
            raise Fault(500, 500, "It failed, please check the length and the characters of each parameter")
        if resource == "mles" and document.get("Attestation_Type") != "PCR":
            raise Fault(500, 500, "Invalid put for Attestation type")
        return document

    def done(self, request: Request) -> Reply:
        status = 202 if request.method == "PUT" and request.path.endswith("/hosts") else 200
        return Reply(status, b"True", "text/plain")

    def refusal(self, refused: Refused, request: Request) -> Fault:
        if request.method == "PUT" and refused.what == "host":
            return Fault(404, 404, "Update host entry failed.")
        status, code = _FAULTS[type(refused), refused.what]
        return Fault(status, code, f"Data Error - {refused}")

    def check_values(self, kind: MleType, values: Mapping[int, bytes]) -> None:
        """It takes all registers."""

    def check_host(self, host: Registered) -> None:
        """It asks no host."""
        if not (all(host.bios[:3]) and all(host.vmm[:2]) and all(host.vmm[3:])):
            raise Fault(400, 2001, "Data Error - HOST please check the input parameters")


def _acceptable(text: str, longest: int) -> bool:
    return len(text) <= longest and FORBIDDEN.isdisjoint(text)
