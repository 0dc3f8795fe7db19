"""Somebody who holds an agent's own certificate and key, and answers in its place what they like."""

import base64
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from urllib3 import PoolManager
from urllib3.util import create_urllib3_context

from tests.keylime.lab import KeylimeLab
from tests.servers.harness import Respond, answer, start

Query = dict[str, str]
_FIRST_VALUE = (
    4 + 16 * 8 + 4 + 4 + 2
)  # behind the selections and the numbers of lists and values, see attest.pcr_blob


class Dishonest:
    """In the place of one agent. What it answers is `answers`, which is given what it is asked. Close it."""

    def __init__(self, lab: KeylimeLab, agent: str, folder: Path, *, certificate_of: str = "") -> None:
        self.agent = agent
        self.asked: list[Query] = []
        self.answers: Callable[[Query], Respond] = self.honestly
        self._lab = lab
        own = lab.folder / "agent" / (certificate_of or agent) / "tmpfs-dev"
        pem = folder / f"{agent}-{certificate_of}.pem"
        pem.touch(mode=0o600)
        pem.write_text((own / "server-private.pem").read_text() + (own / "server-cert.crt").read_text())
        self._httpd = start(self._respond, pem, lab.authority.read_text())
        self.port = int(self._httpd.server_address[1])

    def close(self) -> None:
        """Answers no more."""
        self._httpd.shutdown()
        self._httpd.server_close()

    # What it may answer.

    def honestly(self, query: Query) -> Respond:
        """What the agent itself does."""
        return answer(self.real(query))

    def of_another(self, agent: str) -> Callable[[Query], Respond]:
        """What another agent does to the same question."""
        return lambda query: answer(self.real(query, agent))

    def asking_for(self, mask: int) -> Callable[[Query], Respond]:
        """What the agent does to a question for other registers."""
        return lambda query: answer(self.real({**query, "mask": hex(mask)}))

    def altered(self, query: Query) -> Respond:
        """The agent's quote, beside it a value of register 0 that its TPM did not sign."""
        told = json.loads(self.real(query))
        message, signature, values = told["results"]["quote"].split(":")
        blob = bytearray(base64.b64decode(values))
        blob[_FIRST_VALUE] ^= 1
        told["results"]["quote"] = ":".join((message, signature, base64.b64encode(blob).decode()))
        return answer(json.dumps(told).encode())

    def late(self, seconds: float) -> Callable[[Query], Respond]:
        """What the agent answered at once, only later."""

        def respond(query: Query) -> Respond:
            told = self.real(query)
            time.sleep(seconds)
            return answer(told)

        return respond

    def real(self, query: Query, agent: str = "") -> bytes:
        """The answer of an agent."""
        asked = agent or self.agent
        own = self._lab.folder / "agent" / asked / "tmpfs-dev" / "server-cert.crt"
        context = create_urllib3_context()
        context.load_cert_chain(*map(str, self._lab.certificate))
        context.load_verify_locations(own)
        context.check_hostname = False
        url = f"https://127.0.0.1:{self._lab.agent_port(asked)}/v2.1/quotes/integrity?{urlencode(query)}"
        with PoolManager(ssl_context=context, assert_hostname=False) as pool:
            given = pool.request("GET", url, timeout=20)
        assert given.status == 200, given.data
        return bytes(given.data)

    # Being asked.

    @contextmanager
    def standing_in(self) -> Iterator[None]:
        """Meanwhile the registrar leads to it, as if the agent had registered with its port."""
        register(self._lab, self.agent, self.port)
        try:
            yield
        finally:
            register(self._lab, self.agent, self._lab.agent_port(self.agent))

    def _respond(self, handler: BaseHTTPRequestHandler) -> None:
        query = dict(parse_qsl(urlsplit(handler.path).query))
        self.asked.append(query)
        self.answers(query)(handler)


def register(lab: KeylimeLab, agent: str, port: int) -> None:
    """What the registrar says of an agent's port. The verifier has its own note, and goes on to ask the agent."""
    with closing(sqlite3.connect(lab.folder / "keylime" / "reg_data.sqlite", timeout=20)) as rows, rows:
        assert rows.execute("UPDATE registrarmain SET port = ? WHERE agent_id = ?", (port, agent)).rowcount == 1
