"""OpenAttestation (OAT), 1.5 to 1.7 and 2.x: polls hosts, and reads the registers that they showed.

The wire, as the server's own sources have it (`Source/AttestationService` for 1.x,
`services/AttestationService` for 2.x). All paths are below `/AttestationService/resources`.

`POST PollHosts`, a live attestation that answers when the slowest host has:
  1.x takes `{"hosts": […], "PCRmask": "FFFFFF"}`. The mask is a hex string, most significant digit first;
  its bit i asks for register i. `timeThreshold` is not sent: any value, even 0, asks for something else.
  2.x takes `{"hosts": […]}` and refuses properties that it does not know.
  Both answer `{"hosts": [{"host_name", "trust_lvl", "vtime", …}]}`, one row a host. 1.x adds
  `"pcr_values": [{"number": 17, "value": "<hex>"}]`; a register that was not quoted has no value.
  `trust_lvl` is trusted, untrusted or unknown, in 1.x also timeout or pending.
  `vtime` is ISO 8601 with a zone. In 1.x it is the moment of the answer, in 2.x that of the request.

`GET hosts?searchCriteria=` lists the registered hosts; empty criteria mean all of them.
  2.x: `[{"HostName", "IPAddress", …}]`. 1.x wraps it: `{"hostBean": […]}`, `{"hostBean": {…}}` for one
  host alone, `null` for none.

`GET hosts/reports/attestationreport?hostName=&failure_only=false`, 2.x only, the last attestation stored:
  `{"PcrLogReport": [{"Name": 17, "Value": "<hex>", "Verified_On": <date>, …}]}`. A register that both MLEs
  name appears twice. `Verified_On` comes from a column of whole seconds.

Dates may also be milliseconds since 1970 (Mt Wilson's serialiser) or `%c` in UTC (what Nova reads).

No dialect has a word for a host that it does not know: a row then says *unknown*, as it does for a host
that could not be judged. So wherever an answer says *unknown*, the list of hosts decides which of both it is.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from msgspec.json import encode

from txt_dashboard.attest.evidence import Answer, Evidence, NoEvidence, Verdict
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.servers.base import Batch, Clock, Connection, ServerError
from txt_dashboard.servers.deadline import Deadline
from txt_dashboard.servers.decode import BadRow, clean
from txt_dashboard.servers.http import Client
from txt_dashboard.servers.oat_wire import Listing, Polled, is_name, read_listing, read_poll, read_report

DIALECTS = ("1.6", "2.x")
_RESOURCES = "/AttestationService/resources"
_ALL_REGISTERS = "FFFFFF"
_REPORT_THREADS = 8
# Far more than any host needs, yet little enough that a hostile answer can't exhaust a worker's memory.
_POLL_BYTES = 1024 * 1024
_POLL_BYTES_PER_HOST = 16 * 1024
_REPORT_BYTES = 4 * 1024 * 1024
_NO_HOST = "no-host-has-this-name"
# 1.x answers a whole batch with an error for one name like these, and registers no host under them.
_LONGEST_NAME_1X = 50
_REFUSED_SIGNS_1X = frozenset("#&+:\"'")


class OpenAttestation:
    """One OpenAttestation server; fulfils `AttestationServer`.

    `dialect` is one of `DIALECTS`. Raises `ServerError` for a connection whose own data are unusable.
    """

    def __init__(self, connection: Connection, *, dialect: str, clock: Clock, client: Client | None = None) -> None:
        if dialect not in DIALECTS:
            raise ValueError(f"{dialect!r} is no dialect of OpenAttestation")
        self._dialect = dialect
        self._clock = clock
        self._client = client or Client(connection)
        path = self._client.url.path
        self._base = path if path.endswith(_RESOURCES) else path + _RESOURCES

    def attest(self, hosts: Sequence[str]) -> Batch:
        """Polls these hosts, and takes at most twice the connection's deadline for all of it.

        Raises `ServerError` where PollHosts as a whole got no usable answer.
        """
        names = tuple(dict.fromkeys([hosts] if isinstance(hosts, str) else hosts))
        asked = [name for name in names if self._can_ask_for(name)]
        requested_at = self._clock()
        polled = self._poll(asked)
        received_at = self._clock()
        rest = self._client.deadline()
        answers, remarks = self._tell_unknown_hosts(polled.answers, rest)
        if self._dialect == "2.x":
            answers = self._with_reports(answers, rest)
        never_asked = {name: NoEvidence(Finding(Reason.NOT_KNOWN_TO_SERVER)) for name in names if name not in answers}
        if never_asked:
            remarks += (f"{len(never_asked)} hosts were not asked for: the server takes no such names",)
        return Batch({**answers, **never_asked}, requested_at, received_at, polled.remarks + remarks)

    def hosts(self) -> tuple[str, ...]:
        """The names of the registered hosts."""
        return self._listing("").names

    def test(self) -> str:
        """Searches for a host that nobody has: cheap, and yet the answer has the form of this server."""
        self._listing(_NO_HOST)
        return f"An OpenAttestation server ({self._dialect}) answered and takes our requests."

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def _can_ask_for(self, name: str) -> bool:
        if self._dialect == "2.x":
            return is_name(name)
        return is_name(name) and len(name) <= _LONGEST_NAME_1X and _REFUSED_SIGNS_1X.isdisjoint(name)

    def _poll(self, asked: Sequence[str]) -> Polled:
        if not asked:
            return Polled({}, ())
        mask = {"PCRmask": _ALL_REGISTERS} if self._dialect == "1.6" else {}
        limit = _POLL_BYTES + _POLL_BYTES_PER_HOST * len(asked)
        body = self._client.post(f"{self._base}/PollHosts", encode({"hosts": asked, **mask}), byte_limit=limit)
        return read_poll(body, asked)

    def _listing(self, criteria: str, deadline: Deadline | None = None) -> Listing:
        body = self._client.get(f"{self._base}/hosts", {"searchCriteria": criteria}, deadline=deadline)
        return read_listing(body)

    def _tell_unknown_hosts(
        self, answers: Mapping[str, Answer], deadline: Deadline
    ) -> tuple[dict[str, Answer], tuple[str, ...]]:
        told = dict(answers)
        unknown = [name for name, answer in answers.items() if _verdict(answer) is Verdict.UNKNOWN]
        if not unknown:
            return told, ()
        try:
            registered = self._listing("", deadline).identities
        except ServerError as error:
            return told, (f"whether the server knows the hosts without a verdict could not be read: {error}",)
        for name in unknown:
            if name.lower() not in registered:
                told[name] = NoEvidence(Finding(Reason.NOT_KNOWN_TO_SERVER))
        return told, ()

    def _with_reports(self, answers: Mapping[str, Answer], deadline: Deadline) -> dict[str, Answer]:
        judged = {
            name: answer
            for name, answer in answers.items()
            if isinstance(answer, Evidence) and answer.verdict is not Verdict.UNKNOWN
        }
        with ThreadPoolExecutor(_REPORT_THREADS) as pool:
            completed = pool.map(lambda name: self._with_report(name, judged[name], deadline), judged)
            return {**answers, **dict(zip(judged, completed, strict=True))}

    def _with_report(self, name: str, evidence: Evidence, deadline: Deadline) -> Evidence:
        path, params = f"{self._base}/hosts/reports/attestationreport", {"hostName": name, "failure_only": "false"}
        try:
            report = read_report(self._client.get(path, params, deadline=deadline, byte_limit=_REPORT_BYTES))
        except (ServerError, BadRow) as error:
            detail = {"detail": clean(str(error))}
            return replace(evidence, registers={}, finding=Finding(Reason.REPORT_UNAVAILABLE, detail))
        # The report's date has lost its milliseconds in the database, so it is held against whole seconds.
        if report.verified_on < evidence.attested_at.replace(microsecond=0):
            return replace(evidence, registers={}, finding=Finding(Reason.REPORT_OLDER))
        return replace(evidence, registers=report.registers, finding=None)


def _verdict(answer: Answer) -> Verdict | None:
    return answer.verdict if isinstance(answer, Evidence) else None
