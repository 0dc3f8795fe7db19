"""Quotes of the hosts that a Keylime attests, asked of their agents with a nonce of ours.

Keylime's verifier hands over no values of registers. So the registrar is asked where an agent is and which keys it
registered with, and then the agent itself, over TLS with exactly the certificate that it registered.

Registrar, `GET /v2.6/agents/{id}`: `{"results": {"aik_tpm", "ip", "port", "mtls_cert", …}}`; the attestation key is a
  TPM2B_PUBLIC in base64. All of it is what the agent itself told: its address is followed only inside of the networks
  and ports that the settings allow, and its key is shown to people, who approve it or not.
Agent, `GET /v2.1/quotes/integrity?nonce=&mask=&partial=1`: `{"results": {"quote": "r<TPMS_ATTEST>:<TPMT_SIGNATURE>:
  <values>", "hash_alg", …}}`, each in base64; the values as `attest.pcr_blob` reads them. The nonce is quoted as the
  text that it is. The bank is the agent's choice, and register 16 is always quoted: it binds the agent's own key.
  Behind the quote comes all that IMA measured, and the event log: agents send both with each quote, asked for or not,
  many megabytes on some hosts. So only the beginning of the answer is read.
An agent that pushes its evidence is not asked, though it registers an address, too: the verifier, which told that it
  does, hands over the latest: `keylime_push`.

Nothing is verified here. One agent that fails costs that host.
"""

import random
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder

from txt_dashboard.attest.evidence import NoEvidence
from txt_dashboard.attest.material import Material
from txt_dashboard.attest.pcr_blob import parse_pcr_blob
from txt_dashboard.attest.quote import Quote
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.servers.base import (
    AddressRefused,
    AnswerUnusable,
    Clock,
    Connection,
    NotTaken,
    QuoteBatch,
    Selection,
    ServerError,
    ServerUnreachable,
)
from txt_dashboard.servers.deadline import Deadline
from txt_dashboard.servers.decode import clean, decode_answer
from txt_dashboard.servers.http import Client
from txt_dashboard.servers.keylime import API
from txt_dashboard.servers.keylime_push import in_base64, read_latest
from txt_dashboard.servers.keylime_wire import is_agent_id, read_called
from txt_dashboard.servers.line import pinned_context

AT_ONCE = 8  # agents that are asked at the same time
_AGENT_API = "/v2.1"
_PUSH_API = "/v3.0"
_REGISTERED_BYTES = 256 * 1024
_QUOTE_BYTES = 64 * 1024  # of an agent's answer
_PUSHED_BYTES = 8 * 1024 * 1024  # with the logs that a verifier kept
_AGENT_SECONDS = 20.0  # a slow TPM needs one or two
_BINDING = 16  # holds the hash of the agent's own key

_Bytes = Annotated[str, Meta(max_length=16 * 1024)]  # base64


class Registered(Struct):
    """What an agent told the registrar of itself."""

    aik_tpm: _Bytes
    ip: Annotated[str, Meta(max_length=255)] | None
    port: int | None
    mtls_cert: Annotated[str, Meta(max_length=64 * 1024)] | None = None
    ek_tpm: _Bytes | None = None
    ekcert: _Bytes | None = None


class _Registration(Struct):
    results: Registered


_REGISTRATION = Decoder(_Registration)
# What a quote is worth says its signature, so it need not be known what else is in the answer.
_QUOTED = re.compile(rb'"quote"\s*:\s*"([A-Za-z0-9+/=:]*)"')


class KeylimeQuotes:
    """Asks the agents of one Keylime; fulfils `QuoteServer`.

    Raises `ServerError` for a connection whose own data are unusable.
    """

    adds = frozenset({_BINDING})

    def __init__(self, connection: Connection, *, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        registrar = connection.agents.registrar
        self._registrar = Client(replace(connection, url=registrar, auth_blob="")) if registrar else None
        self._verifier = Client(connection)

    def quote(self, hosts: Mapping[str, str], nonce: bytes, selection: Selection) -> QuoteBatch:
        """Lets the agents of these hosts quote, some at a time, within the connection's deadline as a whole."""
        requested_at = self._clock()
        if len(selection) != 1:
            raise NotTaken("agents of Keylime quote registers of one bank only, and the policy names others, too")
        mask = sum(1 << index for index in next(iter(selection.values())))
        deadline = Deadline.after(self._connection.deadline)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            # In any order, so that of more than the deadline allows it is not always the same who come too late.
            asked = {
                host: pool.submit(self._ask, agent, nonce, mask, deadline)
                for host, agent in random.sample(sorted(hosts.items()), len(hosts))
            }
            answers = {host: waiting.result() for host, waiting in asked.items()}
        return QuoteBatch(answers, requested_at, self._clock())

    def offers_quotes(self) -> bool:
        """Whether the settings name a registrar: without one nobody says where agents are."""
        return self._registrar is not None

    def event_log(self, host: str) -> bytes:
        """None: agents send one only with a quote of their own choice."""
        raise NotTaken(f"the agent of {host} hands over no event log by itself")

    def ima_list(self, host: str) -> bytes:
        """None either, for the same reason."""
        raise NotTaken(f"the agent of {host} hands over no list of measured files by itself")

    def registered(self, agent: str, deadline: Deadline) -> Registered:
        """What the registrar knows of an agent; raises `ServerError`."""
        if self._registrar is None:
            raise NotTaken("no registrar is set that would say where agents are")
        if not is_agent_id(agent):
            raise NotTaken("no agent can be called that")
        path = f"{self._registrar.url.path}{API}/agents/{agent}"
        body = self._registrar.get(path, deadline=deadline, byte_limit=_REGISTERED_BYTES)
        return decode_answer(_REGISTRATION, body).results

    def agent_client(self, registered: Registered) -> Client:
        """For one agent, where it says that it is: only inside of what the settings allow; raises `ServerError`."""
        port, address = registered.port, registered.ip or ""
        if not address or port is None:
            raise NotTaken("the agent registered no address")
        if port not in self._connection.agents.ports:
            raise AddressRefused(f"the agent's port {port} is none that the settings allow")
        if not registered.mtls_cert or registered.mtls_cert == "disabled":
            raise NotTaken("the agent registered no certificate, so nobody knows who would answer")
        host = f"[{address}]" if ":" in address else address
        tls = pinned_context(registered.mtls_cert, self._connection.client_pem)
        networks = self._connection.agents.networks
        there = replace(self._connection, url=f"https://{host}:{port}", networks=networks, auth_blob="")
        return Client(there, tls=tls)

    def close(self) -> None:
        """Closes its connections."""
        self._verifier.close()
        if self._registrar is not None:
            self._registrar.close()

    def _ask(self, agent: str, nonce: bytes, mask: int, deadline: Deadline) -> Material | NoEvidence:
        try:
            return self._material(agent, nonce, mask, deadline)
        except (ServerUnreachable, TimeoutError):
            return NoEvidence(Finding(Reason.HOST_TIMEOUT))
        except (ServerError, FormatError) as error:
            return NoEvidence(Finding(Reason.ANSWER_MALFORMED, {"detail": clean(str(error))}))

    def _material(self, called: str, nonce: bytes, mask: int, deadline: Deadline) -> Material | NoEvidence:
        agent, pushes = read_called(called)
        if pushes:
            return self._pushed(agent, deadline)
        registered = self.registered(agent, deadline)
        public = in_base64(registered.aik_tpm, "the attestation key at the registrar")
        client = self.agent_client(registered)
        try:
            params = {"nonce": nonce.decode("ascii"), "mask": hex(mask), "partial": "1"}
            within = deadline.within(_AGENT_SECONDS)
            begun = client.beginning(f"{_AGENT_API}/quotes/integrity", params, deadline=within, length=_QUOTE_BYTES)
        finally:
            client.close()
        quote = read_quote(_quote_in(begun))
        return Material(quote, public, self._clock(), registrar=_told(registered))

    def _pushed(self, agent: str, deadline: Deadline) -> Material | NoEvidence:
        if not is_agent_id(agent):
            raise NotTaken("no agent can be called that")
        path = f"{self._verifier.url.path}{_PUSH_API}/agents/{agent}/attestations/latest"
        return read_latest(self._verifier.get(path, deadline=deadline, byte_limit=_PUSHED_BYTES))


def _told(registered: Registered) -> Mapping[str, str]:
    """What the registrar says of the endorsement key: its word, which nobody here checks."""
    told = {"endorsement key": registered.ek_tpm, "endorsement certificate": registered.ekcert}
    return {name: _digest(text) for name, text in told.items() if text}


def _digest(text: str) -> str:
    try:
        return f"SHA-256 {sha256(in_base64(text, 'it')).hexdigest()[:16]}…"
    except FormatError:
        return "can't be read"


def _quote_in(begun: bytes) -> str:
    found = _QUOTED.search(begun)
    if found is None:
        raise AnswerUnusable("the agent's answer begins with no quote")
    return found[1].decode("ascii")


def read_quote(text: str) -> Quote:
    """A quote as an agent writes it; raises `FormatError`."""
    parts = text.removeprefix("r").split(":")
    if not text.startswith("r") or len(parts) != 3:
        raise FormatError("the quote has another form than Keylime's")
    message, signature, values = (in_base64(part, "the quote") for part in parts)
    return Quote(message, signature, parse_pcr_blob(values))
