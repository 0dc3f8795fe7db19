"""Keylime 7: asks a verifier what it says of its agents.

The wire, as recorded from a real verifier (7.14). Whoever shows a client certificate signed by the verifier's
authority is its administrator.

`GET /v2.6/agents/?bulk=true` answers `{"code", "status", "results": {"<agent's id>": {…}}}`, all agents in full:
  `operational_state`, see `keylime_wire.State`. Healthy agents go round in 3 and are called PASS there even before
  their first quote, so attested is only who has an `attestation_count` and a fresh `last_successful_attestation`.
  `attestation_status` is PASS, FAIL or PENDING, and TIMEOUT for an agent that pushes and fell silent.
  `last_event_id` says why it is FAIL. Both stay until the agent is activated again. Dates are seconds since 1970;
  `maximum_attestation_interval` is a text such as "10s".
  `tpm_policy` is JSON in a text: `{"0": ["<hex>", …], …, "mask": "0x600ff"}`. `meta_data`, too: `{"name": …}`.
`GET /version` answers without a certificate which versions are spoken.

A verifier hands over no values of registers: see `keylime_quotes`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder

from txt_dashboard.servers.base import Batch, Clock, Connection
from txt_dashboard.servers.decode import decode_answer
from txt_dashboard.servers.http import Client
from txt_dashboard.servers.keylime_wire import Roll, policy_texts, read_answers, read_roll

API = "/v2.6"


class _Listing(Struct):
    uuids: Annotated[list[list[str]], Meta(max_length=20_000)]


class _Listed(Struct):
    results: _Listing


LISTED = Decoder(_Listed)


class Keylime:
    """One Keylime verifier; fulfils `AttestationServer`.

    Raises `ServerError` for a connection whose own data are unusable.
    """

    def __init__(self, connection: Connection, *, clock: Clock, client: Client | None = None) -> None:
        self._clock = clock
        self._client = client or Client(connection)
        self._base = self._client.url.path + API

    def attest(self, hosts: Sequence[str]) -> Batch:
        """What the verifier found in its last round; raises `ServerError` where it gave no usable answer."""
        names = tuple(dict.fromkeys([hosts] if isinstance(hosts, str) else hosts))
        requested_at = self._clock()
        if not names:
            return Batch({}, requested_at, requested_at)
        roll = self._roll()
        received_at = self._clock()
        return Batch(read_answers(roll, names, requested_at), requested_at, received_at, roll.remarks)

    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts whose agents it attests."""
        return tuple(self._roll().rows)

    def test(self) -> str:
        """Lists the agents' ids: cheap, and for administrators only."""
        listed = decode_answer(LISTED, self._client.get(f"{self._base}/agents")).results.uuids
        return f"A Keylime verifier answered and takes our certificate. Agents: {sum(map(len, listed))}."

    def policies(self) -> Mapping[str, str | None]:
        """The `tpm_policy` of each host, as it stands there."""
        return policy_texts(self._roll())

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def _roll(self) -> Roll:
        return read_roll(self._client.get(f"{self._base}/agents/", {"bulk": "true"}))
