"""OpenAttestation 1.6 on the wire: register values come with PollHosts, for the bits of `PCRmask`."""

from collections.abc import Mapping

from txt_dashboard.attest.pcr import REGISTER_COUNT
from txt_dashboard.simulator.administration1 import FORBIDDEN, LONGEST, Administration1
from txt_dashboard.simulator.registry import Registered
from txt_dashboard.simulator.simulation import Refusal, Simulation
from txt_dashboard.simulator.whitelist import Mle
from txt_dashboard.simulator.wire import (
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

_LEVELS = {Refusal.NOT_KNOWN: "unknown", Refusal.NO_ANSWER: "timeout"}


class Oat1(Dialect):
    """Jersey with JAXB: lists are wrapped in their class's name, times carry an offset with a colon."""

    name = "1.6"

    def __init__(self, simulation: Simulation, now: Now) -> None:
        super().__init__(simulation, now)
        self.routes |= Administration1(simulation).routes

    def poll_hosts(self, request: Request) -> Reply:
        """A row for each host asked for; `vtime` is the moment of the answer, as in the real one."""
        document = request.json()
        names = host_names(document)
        if not names or not all(_acceptable(name) for name in names):
            raise Fault(500, 500, "Poll Hosts failed, please check the length and the characters of each parameter")
        registers = selected(document.get("PCRmask"))
        rows = [self._row(name, registers) for name in names]
        vtime = self.now().isoformat(timespec="milliseconds")
        return reply({"hosts": [{**row, "vtime": vtime} for row in rows]})

    def listed(self, bean: str, rows: list[Json]) -> object:
        """JAXB's mapped form: none is null, and a single row stands without its list."""
        if not rows:
            return None
        return {bean: rows[0] if len(rows) == 1 else rows}

    def mle_row(self, mle: Mle) -> Json:
        return whole_mle_row(mle)

    def host_row(self, host: Registered) -> Json:
        """JAXB leaves out what is not set."""
        return {key: value for key, value in whole_host_row(host).items() if value} | {"Location": "null"}

    def no_manifest(self, request: Request) -> Reply:
        """An empty bean: nothing found and a mistake of its own look alike."""
        return reply(None)

    def _row(self, name: str, registers: tuple[int, ...]) -> Json:
        attested = self.simulation.attest(name)
        if isinstance(attested, Refusal):
            return _row(name, _LEVELS[attested], valid=False, registers=[])
        level = "trusted" if attested.trusted else "untrusted"
        return _row(name, level, valid=True, registers=_pcr_values(attested.values, registers))


def selected(mask: object) -> tuple[int, ...]:
    """The registers that a `PCRmask` names: hex digits, the lowest bit is register 0; none without a mask.

    Raises `Fault` where it is no hex number.
    """
    if mask is None:
        return ()
    try:
        bits = int.from_bytes(bytes.fromhex(_even(str(mask))))
    except ValueError:
        raise Fault(500, 500, "Poll Hosts failed, PCRmask is not hexadecimal") from None
    return tuple(index for index in range(REGISTER_COUNT) if bits >> index & 1)


def _even(digits: str) -> str:
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def _acceptable(name: str) -> bool:
    return 0 < len(name) <= LONGEST and FORBIDDEN.isdisjoint(name)


def _pcr_values(values: Mapping[int, str], registers: tuple[int, ...]) -> list[Json]:
    return [{"number": index, "value": values[index]} for index in registers]


def _row(name: str, level: str, *, valid: bool, registers: list[Json]) -> Json:
    return {
        "host_name": name,
        "trust_lvl": level,
        "report_is_valid": valid,
        "analysis_details": [],
        "pcr_values": registers,
    }
