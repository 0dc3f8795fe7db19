"""OpenAttestation's whitelist services: golden values written and read back, hosts registered with them.

The wire, as the server's own sources have it (1.x: `Source/WLMService`, `Source/AttestationService`; 2.x:
`services/WLMService`, `services/AttestationService`). Golden values below `/WLMService/resources`:

`POST oem` `{"Name", "Description"}` and `POST os` `{"Name", "Version", "Description"}`: whom MLEs belong to.
`POST mles` `{"Name", "Version", "OsName", "OsVersion" | "OemName", "Attestation_Type": "PCR", "MLE_Type": "VMM",
  "Description", "MLE_Manifests": [{"Name": "18", "Value": "<hex>"}]}`. 1.x writes the values one by one, so an MLE
  may be there with some of them.
`GET mles?searchCriteria=` lists all. 2.x leaves the values out; 1.x wraps the list and, after an error of its
  own, answers a part of it as if that were all.
`GET mles/manifest?mleName=&mleVersion=&oemName=|osName=&osVersion=`: one with its values. 1.x answers an MLE
  without a name where there is none such, 2.x a fault.

Hosts below `/AttestationService/resources`:

`POST|PUT hosts` with the host's data and the names of its two MLEs, `DELETE hosts?hostName=`,
`GET hosts?searchCriteria=`, which 1.x takes for a regular expression and 2.x for a part of the name.
  In 1.x PUT changes a host's data and leaves its MLEs as they were, yet answers success: only DELETE and POST give
  it others. In 2.x PUT does; it asks the host's agent first, and fails where that is silent.

Success is `True` (1.x) or `true` (2.x), as text or JSON. A fault is `{"error_code", "error_message"}`.
"""

import re
from concurrent.futures import ThreadPoolExecutor

from txt_dashboard.attest.pcr import Values
from txt_dashboard.servers.base import AnswerUnusable, Conflict, Connection, NotTaken, Refused
from txt_dashboard.servers.deadline import Deadline
from txt_dashboard.servers.decode import clean
from txt_dashboard.servers.http import Client
from txt_dashboard.servers.mle import InUse, Mle, MleKind, MleRef, Registration
from txt_dashboard.servers.oat_rules import V1, V2, Rules
from txt_dashboard.servers.oat_whitelist_wire import (
    host_body,
    is_success,
    mle_body,
    mle_query,
    owner_body,
    read_manifest,
    read_mles,
    read_registrations,
)
from txt_dashboard.servers.oat_wire import is_name

RULES = {"1.6": V1, "2.x": V2}
MOST_IN_USE = 500  # MLEs: each costs a request when the whitelist is read back
_ATTESTATION = "/AttestationService/resources"
_WHITELIST = "/WLMService/resources"
_THREADS = 8
_SAFE_CRITERIA = re.compile(r"[A-Za-z0-9._-]+")
_MLE_BYTES = 256 * 1024
_SUCCESS_BYTES = 16 * 1024


class OatWhitelist:
    """The whitelist of one OpenAttestation server; fulfils `Whitelist`.

    `dialect` is a key of `RULES`. Raises `ServerError` for a connection whose own data are unusable.
    """

    def __init__(self, connection: Connection, *, dialect: str, client: Client | None = None) -> None:
        if dialect not in RULES:
            raise ValueError(f"{dialect!r} is no dialect of OpenAttestation")
        self._rules: Rules = RULES[dialect]
        self._client = client or Client(connection)
        prefix = self._client.url.path.removesuffix(_ATTESTATION)
        self._hosts = f"{prefix}{_ATTESTATION}/hosts"
        self._whitelist = prefix + _WHITELIST

    def registers(self, kind: MleKind) -> frozenset[int]:
        """The registers that this generation takes."""
        return self._rules.registers[kind]

    def mles(self) -> tuple[MleRef, ...]:
        """All MLEs that it lists, at most `MOST_MLES`."""
        return read_mles(self._client.get(f"{self._whitelist}/mles", {"searchCriteria": ""}))

    def manifest(self, ref: MleRef) -> Values | None:
        """The values of one MLE, `None` where there is none of that name."""
        return self._manifest(ref, None)

    def add_mle(self, mle: Mle) -> None:
        """Makes the server hold this MLE; raises `NotTaken`, `Conflict`."""
        self._rules.check_mle(mle)
        if self._holds(mle):
            return
        self._add_owner(mle.ref)
        try:
            self._change("POST", f"{self._whitelist}/mles", body=mle_body(mle))
        except Refused as refused:
            if self._holds(mle):
                return  # somebody else added it meanwhile, or our own request had come through after all
            if refused.fault in self._rules.mle_exists:
                raise Conflict(f"the server has another MLE that is called {clean(str(mle.ref))}") from None
            raise
        if not self._holds(mle):
            raise AnswerUnusable(f"the server said that it added {clean(str(mle.ref))}, and does not have it")

    def registrations(self) -> tuple[Registration, ...]:
        """All registered hosts, at most `MOST_HOSTS`."""
        return self._registrations("", None)

    def registration(self, host: str) -> Registration | None:
        """One host, by its name; upper and lower case are one to the server's database."""
        found = self._registrations(host if _SAFE_CRITERIA.fullmatch(host) else "", None)
        exact = {each.host: each for each in found}
        alike = {each.host.lower(): each for each in found}
        return exact.get(host) or alike.get(host.lower())

    def register(self, wanted: Registration) -> None:
        """Makes the host registered like this; raises `NotTaken` before anything is touched.

        In 1.x a host that is known is taken out and put in again. Broken off in between, it stays unknown to the
        server until this is called again, so keep `wanted` until it has returned. Where the server refuses the
        new registration, the old one is put back.
        """
        self._rules.check_registration(wanted)
        current = self.registration(wanted.host)
        if current is not None and current.fulfils(wanted):
            return
        try:
            self._change_registration(current, wanted)
        except Refused:
            there = self.registration(wanted.host)
            if there is None or not there.fulfils(wanted):
                raise
            return  # our own request had come through after all, and was repeated
        there = self.registration(wanted.host)
        if there is None or (there.bios, there.vmm) != (wanted.bios, wanted.vmm):
            raise AnswerUnusable(f"the server said that it registered {wanted.host}, and judges it by other MLEs")

    def unregister(self, host: str) -> None:
        """Takes the host out; one that is not registered is fine."""
        if not is_name(host):
            raise NotTaken("no host can have this name")
        try:
            self._change("DELETE", self._hosts, {"hostName": host})
        except Refused as refused:
            if refused.fault not in self._rules.host_missing:
                raise

    def in_use(self) -> tuple[InUse, ...]:
        """Every MLE that a host is judged by, with its values: one request, and one for each of them.

        Takes at most twice the connection's deadline. An MLE that can't be read says so in its `problem`; raises
        `ServerError` where the server can't be asked, or where more than `MOST_IN_USE` are in use.
        """
        hosts: dict[MleRef, list[str]] = {}
        for each in self._registrations("", None):
            for ref in (each.bios, each.vmm):
                if ref is not None:
                    hosts.setdefault(ref, []).append(each.host)
        if len(hosts) > MOST_IN_USE:
            raise AnswerUnusable(f"hosts are judged by {len(hosts)} MLEs, more than the {MOST_IN_USE} that we read")
        rest = self._client.deadline()
        with ThreadPoolExecutor(_THREADS) as pool:
            return tuple(pool.map(lambda ref: self._read_back(ref, tuple(hosts[ref]), rest), hosts))

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def _holds(self, mle: Mle) -> bool:
        values = self.manifest(mle.ref)
        if values is not None and dict(values) != dict(mle.values):
            raise Conflict(
                f"the server has an MLE {clean(str(mle.ref))} with other values: remove it there,"
                " or publish under another name"
            )
        return values is not None

    def _add_owner(self, ref: MleRef) -> None:
        """Manufacturers and operating systems have nothing but names, so one that is there is the right one."""
        resource = "oem" if ref.kind is MleKind.BIOS else "os"
        try:
            self._change("POST", f"{self._whitelist}/{resource}", body=owner_body(ref))
        except Refused as refused:
            if refused.fault not in self._rules.owner_exists:
                raise

    def _change_registration(self, current: Registration | None, wanted: Registration) -> None:
        if current is None:
            self._put_in("POST", wanted)
        elif self._rules.put_registers_anew:
            self._put_in("PUT", wanted)
        else:
            self._replace(current, wanted)

    def _replace(self, current: Registration, wanted: Registration) -> None:
        for ref in (wanted.bios, wanted.vmm):
            if ref is not None and self.manifest(ref) is None:
                raise NotTaken(f"the server has no MLE {clean(str(ref))}: add it before hosts are registered with it")
        self.unregister(current.host)
        try:
            self._put_in("POST", wanted)
        except Refused:
            if self.registration(current.host) is None:
                self._put_in("POST", current)
            raise

    def _put_in(self, method: str, wanted: Registration) -> None:
        self._change(method, self._hosts, body=host_body(wanted, port_is_text=self._rules.port_is_text))

    def _registrations(self, criteria: str, deadline: Deadline | None) -> tuple[Registration, ...]:
        return read_registrations(self._client.get(self._hosts, {"searchCriteria": criteria}, deadline=deadline))

    def _manifest(self, ref: MleRef, deadline: Deadline | None) -> Values | None:
        path, query = f"{self._whitelist}/mles/manifest", mle_query(ref)
        try:
            body = self._client.call("GET", path, query, deadline=deadline, byte_limit=_MLE_BYTES)
        except Refused as refused:
            if refused.fault in self._rules.mle_missing:
                return None
            raise self._rules.told(refused) from None
        return read_manifest(body, ref)

    def _read_back(self, ref: MleRef, hosts: tuple[str, ...], deadline: Deadline) -> InUse:
        try:
            values = self._manifest(ref, deadline)
        except (AnswerUnusable, Refused) as error:
            return InUse(ref, hosts, problem=str(error))
        if values is None:
            return InUse(ref, hosts, problem="the server has no such MLE")
        if not values:
            return InUse(ref, hosts, problem="it names no register, so it matches every host")
        return InUse(ref, hosts, values)

    def _change(self, method: str, path: str, params: dict[str, str] | None = None, body: bytes = b"") -> None:
        try:
            said = self._client.call(method, path, params, body=body, byte_limit=_SUCCESS_BYTES)
        except Refused as refused:
            raise self._rules.told(refused) from None
        if not is_success(said):
            raise AnswerUnusable("the server said neither that it did it nor why not")
