"""A Keylime in small: verifier, registrar and agents over real TLS, with TPMs that really sign. Made by hand.

What the answers hold is what a real one's hold (see `txt_dashboard.servers.keylime`), with values of our own.
"""

import base64
import hashlib
import json
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.attest.forge import ECDSA, Forge
from tests.servers.harness import Authority, Respond, answer, start
from txt_dashboard.servers.base import Agents, Connection

LOOPBACK = (ip_network("127.0.0.0/8"),)
BOOTED = {index: hashlib.sha256(f"booted {index}".encode()).digest() for index in range(24)}
NO_CERTIFICATE = answer(b'{"code": 403, "status": "Forbidden", "results": {}}', 403)


def blob(values: dict[int, bytes], *, bank: int = 0x0B) -> bytes:
    """Register values as tpm2-tools writes them."""
    bits = sum(1 << index for index in values).to_bytes(3, "little")
    selections = struct.pack("<IHB4sx", 1, bank, 3, bits) + bytes(15 * 8)
    slots = [struct.pack("<H64s", len(each), each) for _, each in sorted(values.items())]
    lists = [slots[at : at + 8] for at in range(0, len(slots), 8)]
    packed = b"".join(struct.pack("<I", len(some)) + b"".join(some).ljust(8 * 66, b"\0") for some in lists)
    return selections + struct.pack("<I", len(lists)) + packed


def sentence(code: int, results: object) -> bytes:
    return json.dumps({"code": code, "status": "Success", "results": results}).encode()


@dataclass
class Agent:
    """One host's agent and its TPM, and what the verifier and the registrar say of it."""

    id: str
    directory: Path
    clients: str
    name: str = ""
    values: dict[int, bytes] = field(default_factory=lambda: dict(BOOTED))
    says: dict[str, object] = field(default_factory=dict)  # instead of what a healthy agent's row says
    registers: dict[str, object] = field(default_factory=dict)  # instead of what it registered
    tamper: Callable[[dict[str, str]], None] = lambda quote: None
    asked: list[dict[str, str]] = field(default_factory=list)
    measured: str = ""  # what IMA measured: it comes with each quote
    versions: list[str] = field(default_factory=lambda: ["2.0", "2.1"])  # of its interface
    hides: set[str] = field(default_factory=set)  # what the verifier shows of others, and not of it
    held: dict[str, object] = field(default_factory=dict)  # what the verifier was told and never shows
    latest: dict[str, object] | None = None  # what it pushed last, as the verifier hands it over

    def __post_init__(self) -> None:
        self.restart()
        own = Authority(self.directory, self.id)
        self.certificate = own.pem
        path = self.directory / f"agent-{self.id}.pem"
        key = own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(key + own.pem.encode())
        self.httpd = start(self.respond, path, self.clients)
        self.port: int = self.httpd.server_address[1]

    def restart(self) -> None:
        """With a new attestation key, as an agent does that finds no old one."""
        self.tpm = Forge(ec.generate_private_key(ec.SECP256R1()), ECDSA)

    def row(self) -> dict[str, object]:
        now = int(time.time())
        policy = {str(index): [self.values[index].hex()] for index in (*range(8), 17, 18)}
        usual = {
            "operational_state": 3, "v": None, "ip": "127.0.0.1", "port": self.port,
            "tpm_policy": json.dumps({**policy, "mask": "0x600ff"}),
            "meta_data": json.dumps({"name": self.name} if self.name else {}),
            "has_mb_refstate": 0, "has_runtime_policy": 0, "accept_tpm_hash_algs": ["sha256"],
            "accept_tpm_encryption_algs": ["ecc"], "accept_tpm_signing_algs": ["ecdsa"], "hash_alg": "sha256",
            "enc_alg": "ecc", "sign_alg": "ecdsa", "verifier_id": "default", "verifier_ip": "127.0.0.1",
            "verifier_port": 8881, "severity_level": None, "last_event_id": None, "attestation_count": 23,
            "last_received_quote": now, "last_successful_attestation": now, "attestation_status": "PASS",
            "attestation_period": "2s", "maximum_attestation_interval": "10s",
        }  # fmt: skip
        return {name: each for name, each in {**usual, **self.says}.items() if name not in self.hides}

    def added(self, said: dict[str, object]) -> dict[str, object]:
        """What the verifier shows of it after it was added; without one of these names a real one answers 400."""
        told = {name: said[name] for name in ("tpm_policy", "accept_tpm_hash_algs", "accept_tpm_encryption_algs")}
        self.held = {
            name: said[name] for name in ("ima_sign_verification_keys", "revocation_key", "ak_tpm", "mb_policy")
        }
        return {
            **told, "accept_tpm_signing_algs": said["accept_tpm_signing_algs"], "meta_data": said["metadata"],
            "ip": said["cloudagent_ip"], "port": said["cloudagent_port"], "operational_state": 3,
            "attestation_status": "PASS", "attestation_count": 0, "last_received_quote": 0,
            "last_successful_attestation": 0, "hash_alg": "",
        }  # fmt: skip

    def attest(self, at: int) -> None:
        """As the verifier does it: it leaves an agent alone once it failed."""
        row = self.row()
        if row["operational_state"] in (7, 9, 10):
            return
        policy = json.loads(str(row["tpm_policy"]))
        good = all(self.values[int(index)].hex() in some for index, some in policy.items() if index != "mask")
        self.says |= {"last_received_quote": at, "hash_alg": "sha256"}
        if good:
            count = int(str(row["attestation_count"])) + 1
            self.says |= {"operational_state": 3, "attestation_status": "PASS", "attestation_count": count}
            self.says |= {"last_successful_attestation": at}
        else:
            event = "pcr_validation.invalid_pcr_17"
            self.says |= {"operational_state": 9, "attestation_status": "FAIL", "last_event_id": event}

    def registration(self) -> dict[str, object]:
        usual = {
            "agent_id": self.id, "ek_tpm": "", "ekcert": None, "ip": "127.0.0.1", "port": self.port,
            "aik_tpm": base64.b64encode(self.tpm.area).decode(), "mtls_cert": self.certificate, "regcount": 1,
        }  # fmt: skip
        return {**usual, **self.registers}

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path)
        if not handler.connection.getpeercert():
            return NO_CERTIFICATE(handler)
        if path.path == "/version":
            return answer(sentence(200, {"supported_versions": self.versions}))(handler)
        asked = {name: each[0] for name, each in parse_qs(path.query).items()}
        self.asked.append({"path": path.path, **asked})
        parts = self.quote(asked["nonce"].encode(), int(asked["mask"], 16))
        self.tamper(parts)
        text = "r" + ":".join(parts[name] for name in ("message", "signature", "values"))
        told = {"quote": text, "hash_alg": "sha256", "ima_measurement_list": self.measured, "boottime": 1}
        return answer(sentence(200, told))(handler)

    def push(self, challenge: bytes = b"sixteen bytes of", mask: int = 0x600FF, **more: object) -> dict[str, object]:
        """Has it push its evidence; returns the attributes of what the verifier then hands over.

        The registrar has an address of it nevertheless: real ones register as those that are asked do.
        """
        self.says |= {"ip": None, "port": None}
        parts = self.quote(challenge, mask, binding=0)
        key = {"public": base64.b64encode(self.tpm.area).decode(), "server_identifier": "ak"}
        evidence: dict[str, object] = {
            "evidence_class": "certification",
            "evidence_type": "tpm_quote",
            "chosen_parameters": {"challenge": base64.b64encode(challenge).decode(), "certification_key": key},
            "data": {
                "message": parts["message"],
                "signature": parts["signature"],
                "subject_data": parts["values"],
                "meta": {},
            },
        }
        moment = datetime.now(UTC).isoformat()
        usual = {"stage": "verification_complete", "evaluation": "pass", "evidence_received_at": moment}
        self.latest = {**usual, "evidence": [evidence], **more}
        return self.latest

    def quote(self, nonce: bytes, mask: int, binding: int = 1 << 16) -> dict[str, str]:
        """The parts of a quote in base64, with register 16 as agents add it."""
        chosen = tuple(index for index in range(24) if (mask | binding) >> index & 1)
        digest = hashlib.sha256(b"".join(self.values[index] for index in chosen)).digest()
        clock = time.monotonic_ns() // 1_000_000
        signed = self.tpm.but(nonce=nonce, selection={"sha256": chosen}, digest=digest, counters=(5, 1, clock))
        parts = {
            "message": signed.message,
            "signature": signed.sign(signed.message),
            "values": blob({index: self.values[index] for index in chosen}),
        }
        return {name: base64.b64encode(part).decode() for name, part in parts.items()}


class World:
    """A verifier and a registrar, and the agents that a test puts there. Close it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.authority = Authority(directory, "Keylime's authority")
        certificate = self.authority.issue("localhost", "127.0.0.1")
        self.client_pem = self.authority.issue("client")
        self.client_pem.chmod(0o600)
        self.agents: dict[str, Agent] = {}
        self.bulk: Callable[[], bytes] = lambda: sentence(200, {id_: self.agents[id_].row() for id_ in self.known()})
        self.out: set[str] = set()  # agents that are registered, and that the verifier does not know
        self.told: list[tuple[str, str, dict[str, object]]] = []  # what was to be changed there
        self.obeys: Callable[[str, str], bool] = lambda method, id_: True  # else it says yes, and does nothing
        self.refuses: Callable[[str, dict[str, object]], bool] = lambda method, body: False
        self.asked: list[str] = []
        self.instead: Respond | None = None  # of whatever verifier and registrar would answer
        self._running: list[ThreadingHTTPServer] = []
        self.url = self._serve(self.verifier, certificate)
        self.registrar = self._serve(self.registry, certificate)

    def name_in(self, settings: Any) -> None:
        """Has the settings say of the server `keylime` what an operator would."""
        networks = self.connection().networks
        settings.TXT_SERVER_NETWORKS = settings.TXT_KEYLIME_AGENT_NETWORKS = networks
        settings.TXT_CLIENT_CERTIFICATES = [f"keylime={self.client_pem}"]
        settings.TXT_KEYLIME_REGISTRARS = [f"keylime={self.registrar}"]
        settings.TXT_KEYLIME_AGENT_PORTS = "1024-65535"

    def add(self, id_: str, name: str = "", **more: object) -> Agent:
        self.agents[id_] = Agent(id_, self.directory, self.authority.pem, name, **more)  # type: ignore[arg-type]
        self._running.append(self.agents[id_].httpd)
        return self.agents[id_]

    def connection(self, **changes: object) -> Connection:
        ports = range(1024, 65536)
        usual = {
            "networks": LOOPBACK, "ca_pem": self.authority.pem, "client_pem": self.client_pem,
            "agents": Agents(self.registrar, LOOPBACK, ports), "connect_timeout": 1.0, "deadline": 5.0,
        }  # fmt: skip
        return Connection("keylime", **{"url": self.url, **usual, **changes})  # type: ignore[arg-type]

    def verifier(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        if self.instead is not None:
            self.instead(handler)
        elif not handler.connection.getpeercert():
            NO_CERTIFICATE(handler)
        elif handler.path == "/v2.6/agents/?bulk=true":
            answer(self.bulk())(handler)
        elif handler.path == "/v2.6/agents":
            answer(sentence(200, {"uuids": [[id_] for id_ in self.known()]}))(handler)
        elif handler.path.startswith("/v2.6/agents/"):
            answer(*self._agent(handler))(handler)
        elif (latest := self._latest(handler.path)) is not None:
            answer(json.dumps({"data": {"type": "attestation", "attributes": latest}}).encode(), 201)(handler)
        else:
            answer(sentence(404, {}), 404)(handler)

    def known(self) -> list[str]:
        """The agents that the verifier knows."""
        return [id_ for id_ in self.agents if id_ not in self.out]

    def attest(self, at: int) -> None:
        """A round of the verifier over all agents that have not failed."""
        for id_ in self.known():
            self.agents[id_].attest(at)

    def _agent(self, handler: BaseHTTPRequestHandler) -> tuple[bytes, int]:
        """One agent: shown, taken out, added or reactivated as a real verifier does it."""
        id_, _, verb = handler.path.removeprefix("/v2.6/agents/").partition("/")
        body = json.loads(handler.rfile.read(int(handler.headers.get("Content-Length") or 0)) or "{}")
        agent, there = self.agents[id_], id_ not in self.out
        if handler.command == "GET":
            return (sentence(200, agent.row()), 200) if there else (sentence(404, {}), 404)
        self.told.append((handler.command, id_, body))
        if self.refuses(handler.command, body) or there is (handler.command == "POST"):
            return sentence(400, {}), 409 if there else 404
        if not self.obeys(handler.command, id_):
            return sentence(200, {}), 200
        if handler.command == "DELETE":
            self.out.add(id_)
        elif handler.command == "POST":
            agent.says = agent.added(body)
            self.out.discard(id_)
        elif verb == "reactivate" and agent.row()["operational_state"] != 10:
            agent.says |= {"operational_state": 1, "attestation_status": "PENDING"}
        return sentence(200, {}), 200

    def _latest(self, path: str) -> dict[str, object] | None:
        id_ = path.removeprefix("/v3.0/agents/").removesuffix("/attestations/latest")
        return self.agents[id_].latest if id_ in self.agents else None

    def registry(self, handler: BaseHTTPRequestHandler) -> None:
        agent = self.agents.get(handler.path.removeprefix("/v2.6/agents/"))
        if self.instead is not None:
            self.instead(handler)
        elif handler.path == "/version":
            answer(sentence(200, {"current_version": "2.6"}))(handler)
        elif not handler.connection.getpeercert():
            NO_CERTIFICATE(handler)
        elif agent is None:
            answer(sentence(404, {}), 404)(handler)
        else:
            answer(sentence(200, agent.registration()))(handler)

    def close(self) -> None:
        for httpd in self._running:
            httpd.shutdown()
            httpd.server_close()

    def _serve(self, respond: Callable[[BaseHTTPRequestHandler], None], certificate: Path) -> str:
        httpd = start(respond, certificate, self.authority.pem)
        self._running.append(httpd)
        return f"https://localhost:{httpd.server_address[1]}"
