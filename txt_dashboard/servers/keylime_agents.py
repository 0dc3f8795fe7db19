"""The agents of a Keylime verifier, taken out and added again with another `tpm_policy`, and reactivated.

A verifier changes no policy: whoever wants another one takes the agent out and adds it anew, as its tenant does.

`DELETE /v2.6/agents/{id}` answers 200 (it is gone) or 202 (it is in state 8 until the quote under way came). Policies
  named like the agent go with it. 404 is both: unknown, or of another verifier on the same database.
`POST /v2.6/agents/{id}` takes what `_ABSENT` and `keylime_rows` name; 409 where the agent is there already. The
  attestation key and the certificate in it are those of the registrar, which the verifier itself shows to nobody.
`PUT /v2.6/agents/{id}/reactivate` has a failed agent asked again. It answers 200 for agents in state 10, too, and
  does nothing for them: they were stopped, and only adding them anew starts them.
"""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.servers.base import AnswerUnusable, Clock, Connection, NotTaken, ServerUnreachable
from txt_dashboard.servers.deadline import Deadline
from txt_dashboard.servers.decode import decode_answer
from txt_dashboard.servers.http import Client
from txt_dashboard.servers.keylime import API, LISTED
from txt_dashboard.servers.keylime_policy import allowing, allows, registers_of, same
from txt_dashboard.servers.keylime_push import in_base64
from txt_dashboard.servers.keylime_quotes import KeylimeQuotes, Registered
from txt_dashboard.servers.keylime_rows import BOOT, IMA_KEYS, PAYLOAD, PUSHES, RUNTIME, is_keepable, read_agent
from txt_dashboard.servers.keylime_wire import MOST_AGENTS, is_agent_id, read_roll
from txt_dashboard.servers.policed import PolicedAgent, Readmission

_SECONDS = 10.0  # for one request that changes something
_ROW_BYTES = 1024 * 1024
_VERSION = re.compile(r"([12])\.([0-9]{1,3})")
_NEEDED = {
    RUNTIME: ("--runtime-policy", "RUNTIME_POLICY_FILE"),
    BOOT: ("--mb-policy", "MEASURED_BOOT_POLICY_FILE"),
    PAYLOAD: ("-f", "PAYLOAD_FILE"),
    IMA_KEYS: ("--signature-verification-key", "IMA_KEY_FILE"),
    PUSHES: ("--push-model",),
}
_ABSENT: Mapping[str, object] = {
    "v": None,
    "runtime_policy": "",
    "runtime_policy_name": "",
    "runtime_policy_key": "",
    "mb_policy": None,
    "mb_policy_name": "",
    "ima_sign_verification_keys": "",
    "revocation_key": "",
}

_Version = Annotated[str, Meta(max_length=10)]


class _One(Struct):
    results: Raw


class _Versions(Struct):
    supported_version: _Version | None = None
    supported_versions: Annotated[list[_Version], Meta(max_length=40)] | None = None


class _Spoken(Struct):
    results: _Versions


_ONE, _SPOKEN = Decoder(_One), Decoder(_Spoken)


class KeylimeAgents:
    """The agents of one verifier; fulfils `PolicedAgents`.

    Raises `ServerError` for a connection whose own data are unusable.
    """

    def __init__(self, connection: Connection, *, clock: Clock) -> None:
        self._verifier = Client(connection)
        self._base = f"{self._verifier.url.path}{API}/agents"
        self._others = KeylimeQuotes(connection, clock=clock)

    def roll(self) -> Mapping[str, PolicedAgent]:
        """All agents by their hosts' names, in one request. Names that several agents have are left out."""
        roll = read_roll(self._verifier.get(f"{self._base}/", {"bulk": "true"}))
        return {host: read_agent(host, id_, row) for host, (id_, row) in roll.rows.items()}

    def ids(self) -> frozenset[str]:
        """What the agents are called there."""
        listed = decode_answer(LISTED, self._verifier.get(self._base, deadline=_soon())).results.uuids
        found = frozenset(id_ for some in listed for id_ in some)
        if len(found) > MOST_AGENTS:
            raise AnswerUnusable(f"the answer holds {len(found)} agents, more than the {MOST_AGENTS} that we read")
        return found

    def agent(self, host: str, id_: str) -> PolicedAgent:
        """One of them."""
        body = self._verifier.get(self._path(id_), deadline=_soon(), byte_limit=_ROW_BYTES)
        return read_agent(host, id_, decode_answer(_ONE, body).results)

    def allows(self, policy: str, values: Mapping[int, frozenset[bytes]]) -> bool:
        """Whether a policy lets these registers have exactly these values."""
        return allows(policy, values)

    def allowing(self, policy: str, values: Mapping[int, frozenset[bytes]]) -> str:
        """The policy that does, and is the same else; raises `NotTaken`."""
        return allowing(policy, values)

    def same(self, policy: str, other: str) -> bool:
        """Whether two policies say the same, however they are written."""
        return same(policy, other)

    def command(self, agent: PolicedAgent, policy: str) -> str:
        """The tenant's, in which the names in capitals are to be replaced; safe in a shell."""
        words = ["keylime_tenant", "-c", "update", "-u", agent.id, "--tpm_policy", json.dumps(registers_of(policy))]
        return shlex.join([*words, *(word for what in agent.loses for word in _NEEDED[what])])

    def readmission(self, agent: PolicedAgent) -> Readmission:
        """What the verifier shows of an agent, with its keys at the registrar and the version that it speaks."""
        registered = self._others.registered(agent.id, _soon())
        try:
            public = in_base64(registered.aik_tpm, "the attestation key at the registrar")
        except FormatError as error:
            raise NotTaken(str(error)) from None
        keys = {"ak_tpm": registered.aik_tpm, "mtls_cert": registered.mtls_cert}
        said = {**_ABSENT, **agent.shown, **keys, "supported_version": self._spoken(registered)}
        if not is_keepable(said.values()):
            raise NotTaken("what its agent registered holds a character that can't be kept")
        return Readmission(agent.id, said, public)

    def answers(self, id_: str) -> None:
        """Raises where the agent does not answer with the certificate that it registered."""
        self._spoken(self._others.registered(id_, _soon()))

    def remove(self, id_: str) -> None:
        """Has the agent taken out."""
        self._verifier.call("DELETE", self._path(id_), deadline=_soon())

    def add(self, id_: str, said: Mapping[str, object]) -> None:
        """Adds an agent."""
        self._verifier.call("POST", self._path(id_), body=json.dumps(said).encode(), deadline=_soon())

    def reactivate(self, id_: str) -> None:
        """Has an agent attested again that failed."""
        self._verifier.call("PUT", f"{self._path(id_)}/reactivate", deadline=_soon())

    def close(self) -> None:
        """Closes its connections."""
        self._verifier.close()
        self._others.close()

    def _path(self, id_: str) -> str:
        if not is_agent_id(id_):
            raise NotTaken("no agent can be called that")
        return f"{self._base}/{id_}"

    def _spoken(self, registered: Registered) -> str:
        """The newest version of the interface for polling that the agent knows."""
        client = self._others.agent_client(registered)
        try:
            results = decode_answer(_SPOKEN, client.get("/version", deadline=_soon(), byte_limit=_ROW_BYTES)).results
        except ServerUnreachable as error:
            raise ServerUnreachable(f"its agent does not answer: {error}") from None
        finally:
            client.close()
        told = results.supported_versions or [results.supported_version or ""]
        known = [matched for each in told if (matched := _VERSION.fullmatch(each))]
        if not known:
            raise AnswerUnusable("its agent names no version of its interface that a verifier polls")
        return max(known, key=lambda each: (int(each[1]), int(each[2])))[0]


def _soon() -> Deadline:
    return Deadline.after(_SECONDS)
