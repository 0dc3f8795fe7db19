"""OpenAttestation 2.x on the wire: PollHosts gives verdicts, and a report for each host its last stored values."""

from datetime import datetime

from txt_dashboard.attest.pcr import Values
from txt_dashboard.simulator.administration2 import Administration2
from txt_dashboard.simulator.registry import Registered
from txt_dashboard.simulator.simulation import Attestation, Refusal, Simulation
from txt_dashboard.simulator.whitelist import Mle
from txt_dashboard.simulator.wire import (
    ATTESTATION,
    Dialect,
    Fault,
    Json,
    Now,
    Reply,
    Request,
    host_names,
    reply,
    whole_host_row,
    whole_mle_row,
)

_POLL_KEYS = frozenset({"hosts", "count", "pcrmask"})


class Oat2(Dialect):
    """Jackson: plain lists, times with an offset without a colon. Remembers each host's last attestation."""

    name = "2.x"

    def __init__(self, simulation: Simulation, now: Now) -> None:
        super().__init__(simulation, now)
        self._last: dict[str, tuple[Attestation, datetime]] = {}
        self.routes |= Administration2(simulation).routes
        self.routes["GET", f"{ATTESTATION}/hosts/trust"] = self.trust
        self.routes["GET", f"{ATTESTATION}/hosts/reports/attestationreport"] = self.report

    def poll_hosts(self, request: Request) -> Reply:
        """A row for each host asked for; `vtime` is when the request began, the same for all."""
        document = request.json()
        if not document.keys() <= _POLL_KEYS:
            raise Fault(400, 400, "Unrecognized field in the request.")
        began = self.now()
        vtime = _jackson_time(began)
        names = host_names(document)
        return reply(
            {"hosts": [{"host_name": name, "trust_lvl": self._level(name), "vtime": vtime} for name in names]}
        )

    def trust(self, request: Request) -> Reply:
        """Attests one host on the spot: its two MLEs' verdicts apart."""
        name = request.query.get("hostName", "")
        attested = self._attest(name)
        if isinstance(attested, Refusal):
            raise _fault(attested, name)
        verdicts = {"bios": attested.bios, "vmm": attested.vmm, "location": False, "asset_tag": False}
        return reply({"hostname": name, "trust": verdicts})

    def report(self, request: Request) -> Reply:
        """The last attestation's registers beside the whitelist's; an empty report where there was none."""
        name = request.query.get("hostName", "")
        if name not in self.simulation.registry.hosts:
            raise _fault(Refusal.NOT_KNOWN, name)
        rows = self._report_rows(name)
        if request.query.get("failure_only", "false").lower() == "true":
            rows = [row for row in rows if not row["TrustStatus"]]
        return reply({"PcrLogReport": rows})

    def listed(self, bean: str, rows: list[Json]) -> object:
        return rows

    def mle_row(self, mle: Mle) -> Json:
        """A search names the MLEs; their values come with the manifest."""
        return {**whole_mle_row(mle), "MLE_Manifests": []}

    def host_row(self, host: Registered) -> Json:
        """The port is a number, and each host has a connection string, if need be one that was made for it."""
        connection = host.connection or f"intel:https://{host.address}:{host.port}"
        port = int(host.port) if host.port.isascii() and host.port.isdigit() else None
        return {**whole_host_row(host), "Port": port, "AddOn_Connection_String": connection}

    def no_manifest(self, request: Request) -> Reply:
        raise Fault(400, 2009, f"MLE '{request.query.get('mleName', '')}' is not configured in the system.")

    def _level(self, name: str) -> str:
        attested = self._attest(name)
        if isinstance(attested, Refusal):
            return "unknown"  # the real one says so after any exception, whatever it was
        return "trusted" if attested.trusted else "untrusted"

    def _attest(self, name: str) -> Attestation | Refusal:
        attested = self.simulation.attest(name)
        if isinstance(attested, Attestation):
            self._last[name] = attested, self.now()
        return attested

    def _report_rows(self, name: str) -> list[Json]:
        if name not in self._last:
            return []
        attested, verified_on = self._last[name]
        # The real one's database column keeps whole seconds.
        stored = _jackson_time(verified_on.replace(microsecond=0))
        return [row for mle in attested.mles for row in _mle_rows(attested, mle.values, stored)]


def _mle_rows(attested: Attestation, expected: Values, verified_on: str) -> list[Json]:
    return [
        {
            "Name": index,
            "Value": attested.values[index],
            "WhitelistValue": value.hex(),
            "TrustStatus": int(attested.values[index] == value.hex()),
            "Verified_On": verified_on,
            "ModuleLogs": [],
        }
        for index, value in expected.items()
    ]


def _fault(refusal: Refusal, name: str) -> Fault:
    if refusal is Refusal.NOT_KNOWN:
        return Fault(400, 1003, f"Host '{name}' not found.")
    return Fault(400, 1011, f"Unable to communicate with host: {name}")


def _jackson_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{moment:%z}"
