"""The servers that the promises of all adapters are tried on; see `conformance`."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from tests.attest.forge import ECDSA, Forge, values
from tests.servers.conformance import KNOWN
from tests.servers.harness import Respond, Server, answer, start
from tests.servers.keylime_world import LOOPBACK, World
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import AttestationServer, Connection, QuoteServer

_BASE = "/AttestationService/resources"


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(_: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


class OatRig:
    """OpenAttestation of one dialect, with the simulator's extension for quotes."""

    def __init__(self, kind: str, _: Path) -> None:
        self.kinds = (kind,)
        self._levels: dict[str, object] = dict.fromkeys(KNOWN, "trusted")
        self._ahead = timedelta(0)
        self._instead: Respond | None = None
        self._tpms = {host: Forge(ec.generate_private_key(ec.SECP256R1()), ECDSA) for host in KNOWN}
        self._server = Server("", [self._respond])
        self._httpd = start(self._server.respond, None)
        self._server.url = f"http://localhost:{self._httpd.server_address[1]}"

    def adapter(self, *, deadline: float = 5.0) -> AttestationServer:
        return KINDS[self.kinds[0]].build(self._connection(deadline), _now)

    def quotes(self) -> QuoteServer:
        build = KINDS[self.kinds[0]].quotes
        assert build is not None
        return build(self._connection(5.0), _now)

    def forget(self, host: str) -> None:
        del self._levels[host]

    def garble(self, host: str) -> None:
        self._levels[host] = ["trusted"]

    def distrust(self, host: str) -> None:
        self._levels[host] = "untrusted"

    def date(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def say(self, body: bytes, status: int = 200) -> None:
        self._instead = answer(body, status)

    def hang(self) -> None:
        self._instead = _silent

    def rekey(self, host: str) -> bytes:
        before = self._tpms[host].area
        self._tpms[host] = Forge(ec.generate_private_key(ec.SECP256R1()), ECDSA)
        return before

    def calls(self) -> dict[str, str]:
        return {host: host for host in KNOWN}

    def requests(self) -> int:
        return len(self._server.asked)

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def _connection(self, deadline: float) -> Connection:
        return Connection("oat", self._server.url, LOOPBACK, connect_timeout=1.0, deadline=deadline)

    def _respond(self, handler: BaseHTTPRequestHandler) -> None:
        if self._instead is not None:
            return self._instead(handler)
        asked = urlsplit(handler.path)
        name = asked.path.removeprefix(f"{_BASE}/")
        if name == "hosts":
            return self._json(handler, [{"HostName": host} for host in self._levels])
        if name == "hosts/reports/attestationreport":
            return self._json(handler, self._report(parse_qs(asked.query)["hostName"][0]))
        body = self._server.asked[-1].json
        assert isinstance(body, dict)
        if name == "quotes":
            chosen = {bank: tuple(indexes) for bank, indexes in body["selection"].items()}
            rows = [self._quote(host, bytes.fromhex(body["nonce"]), chosen) for host in body["hosts"]]
            return self._json(handler, {"quotes": rows})
        return self._json(handler, {"hosts": [self._row(host) for host in body["hosts"]]})

    def _row(self, host: str) -> dict[str, object]:
        level, registers = self._levels.get(host, "unknown"), [{"number": 17, "value": "ab" * 20}]
        return {"host_name": host, "trust_lvl": level, "vtime": self._vtime(), "pcr_values": registers}

    def _report(self, _: str) -> dict[str, object]:
        return {"PcrLogReport": [{"Name": 17, "Value": "ab" * 20, "Verified_On": self._vtime()}]}

    def _quote(self, host: str, nonce: bytes, chosen: dict[str, tuple[int, ...]]) -> dict[str, object]:
        quote = self._tpms[host].but(nonce=nonce, selection=chosen).quote()
        shown = {bank: {str(at): each.hex() for at, each in some.items()} for bank, some in values(chosen).items()}
        parts = {"attest": quote.message, "signature": quote.signature, "public": self._tpms[host].area}
        packed = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        return {"host_name": host, "vtime": self._vtime(), "pcrs": shown, **packed}

    def _vtime(self) -> str:
        return (_now() + self._ahead).isoformat(timespec="milliseconds")

    def _json(self, handler: BaseHTTPRequestHandler, said: object) -> None:
        answer(json.dumps(said).encode())(handler)


class KeylimeRig:
    """A Keylime whose agents are polled."""

    kinds = ("keylime",)

    def __init__(self, _: str, directory: Path) -> None:
        self._world = World(directory / "keylime")
        self._agents = {host: self._world.add(f"agent-of-{host}", host) for host in KNOWN}

    def adapter(self, *, deadline: float = 5.0) -> AttestationServer:
        return KINDS["keylime"].build(self._world.connection(deadline=deadline), _now)

    def quotes(self) -> QuoteServer:
        build = KINDS["keylime"].quotes
        assert build is not None
        return build(self._world.connection(), _now)

    def forget(self, host: str) -> None:
        del self._world.agents[self._agents[host].id]

    def garble(self, host: str) -> None:
        self._agents[host].says["operational_state"] = ["3"]

    def distrust(self, host: str) -> None:
        failed = {"attestation_status": "FAIL", "last_event_id": "pcr_validation.invalid_pcr_4"}
        self._agents[host].says |= {"operational_state": 9, **failed}

    def date(self, seconds: float) -> None:
        at = int(time.time() + seconds)
        for agent in self._agents.values():
            agent.says |= {"last_received_quote": at, "last_successful_attestation": at}

    def say(self, body: bytes, status: int = 200) -> None:
        self._world.instead = answer(body, status)

    def hang(self) -> None:
        self._world.instead = _silent

    def rekey(self, host: str) -> bytes:
        before = self._agents[host].tpm.area
        self._agents[host].restart()
        return before

    def calls(self) -> dict[str, str]:
        return {host: agent.id for host, agent in self._agents.items()}

    def requests(self) -> int:
        return len(self._world.asked)

    def close(self) -> None:
        self._world.close()
