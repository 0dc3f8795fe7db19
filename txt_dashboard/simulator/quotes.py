"""An extension of the simulated server's contract: quotes with the asker's own nonce, and event logs.

No real OpenAttestation has it; docs/simulator-quotes.md tells each field. Both are of a TPM 2.0 with the banks SHA-1
and SHA-256, whose SHA-1 registers are those that PollHosts shows; one host has a TPM 1.2.
"""

import base64

from txt_dashboard.attest.pcr import Bank, PcrError, Registers, Values, parse_index
from txt_dashboard.simulator import tpm, tpm12
from txt_dashboard.simulator.bootlog import event_log, measured
from txt_dashboard.simulator.fleet import DL360, SR630, before_ima, host_values
from txt_dashboard.simulator.imalist import ima_list
from txt_dashboard.simulator.machine import BANKS, Host
from txt_dashboard.simulator.simulation import Refusal
from txt_dashboard.simulator.wire import ATTESTATION, Dialect, Fault, Json, Reply, Request, host_names, reply

LONGEST_NONCE = 64  # bytes; a TPM takes no more than its longest digest
_RESETS_BEFORE = 3  # how often each TPM was reset before the story began
_CLOCK_BEFORE = 86_400_000  # milliseconds that its clock showed then
_REFUSALS = {Refusal.NOT_KNOWN: "unknown", Refusal.NO_ANSWER: "timeout"}


def add_quotes(dialect: Dialect) -> None:
    """Lets this dialect answer the extension, too."""
    quotes = Quotes(dialect)
    dialect.routes["POST", f"{ATTESTATION}/quotes"] = quotes.quote
    dialect.routes["GET", f"{ATTESTATION}/eventlog"] = quotes.event_log
    dialect.routes["GET", f"{ATTESTATION}/imalist"] = quotes.ima_list


class Quotes:
    """Lets the TPMs of the simulated hosts quote, as they are at the story's present moment."""

    def __init__(self, dialect: Dialect) -> None:
        self._simulation = dialect.simulation
        self._now = dialect.now
        self._old = next((host.name for host in self._simulation.fleet.hosts if host.hardware == SR630), "")
        self._numbers = {host.name: number for number, host in enumerate(self._simulation.fleet.hosts)}

    def quote(self, request: Request) -> Reply:
        """A row for each host asked for: its quote and what belongs to it, or why there is none."""
        document = request.json()
        nonce, selection = _nonce(document), _selection(document)
        rows = [self._row(name, nonce, selection) for name in host_names(document)]
        return reply({"quotes": rows})

    def event_log(self, request: Request) -> Reply:
        """The log of one host's last boot."""
        host = self._ask(request.query.get("host", ""))
        if isinstance(host, Refusal):
            raise Fault(404, 404, f"The host's log can't be had: {_REFUSALS[host]}.")
        boot, seed = self._simulation.story.boot(host, self._simulation.moment()), self._simulation.fleet.seed
        old = host.name == self._old
        log = tpm12.event_log(measured(host, boot, seed)) if old else event_log(host, boot, seed)
        return reply({"host_name": host.name, "eventlog": _base64(log)})

    def ima_list(self, request: Request) -> Reply:
        """What the kernel of one host measured since its last boot."""
        host = self._ask(request.query.get("host", ""))
        if isinstance(host, Refusal):
            raise Fault(404, 404, f"The host's list can't be had: {_REFUSALS[host]}.")
        story, seconds, seed = self._simulation.story, self._simulation.moment(), self._simulation.fleet.seed
        values = before_ima(host, story.boot(host, seconds), seed)
        return reply(
            {"host_name": host.name, "imalist": _base64(ima_list(values, story.ima_entries(host, seconds), seed))}
        )

    def _ask(self, name: str) -> Host | Refusal:
        asked = self._simulation.attest(name)
        return asked if isinstance(asked, Refusal) else asked.host

    def _row(self, name: str, nonce: bytes, selection: tpm.Selection) -> Json:
        host = self._ask(name)
        if isinstance(host, Refusal):
            return {"host_name": name, "refusal": _REFUSALS[host]}
        seconds, key = self._simulation.moment(), self._key(host)
        registers = self._registers(host, seconds, selection)
        if name == self._old:
            return self._old_row(
                name, key, nonce, {at: registers[Bank.SHA1][at] for at in selection.get(Bank.SHA1, ())}
            )
        signed = tpm.quote(key, nonce, selection, registers, self._counters(host, seconds))
        return {
            "host_name": name,
            "vtime": self._now().isoformat(timespec="milliseconds"),
            "attest": _base64(signed.message),
            "signature": _base64(signed.signature),
            "public": _base64(tpm.public_area(key)),
            "pcrs": {
                bank: {str(index): registers[bank][index].hex() for index in indexes}
                for bank, indexes in selection.items()
            },
        }

    def _old_row(self, name: str, key: tpm.Key, nonce: bytes, registers: Values) -> Json:
        """The one host with a TPM 1.2, which has the bank SHA-1 alone."""
        signed = tpm12.quote(key, nonce, registers)
        return {
            "host_name": name,
            "vtime": self._now().isoformat(timespec="milliseconds"),
            "attest": _base64(signed.message),
            "signature": _base64(signed.signature),
            "composite": _base64(signed.composite),
            "public": _base64(tpm12.public_key(key)),
            "pcrs": {Bank.SHA1.value: {str(index): value.hex() for index, value in registers.items()}},
        }

    def _key(self, host: Host) -> tpm.Key:
        """By the model: one maker's TPMs sign with ECDSA, the others' with RSA."""
        make = tpm.p256_key if host.hardware == DL360 else tpm.rsa_key
        return make(self._simulation.fleet.seed, self._numbers[host.name])

    def _registers(self, host: Host, seconds: float, selection: tpm.Selection) -> Registers:
        story, seed = self._simulation.story, self._simulation.fleet.seed
        boot, entries = story.boot(host, seconds), story.ima_entries(host, seconds)
        return {bank: host_values(host, boot, seed, entries, bank) for bank in selection}

    def _counters(self, host: Host, seconds: float) -> tpm.Counters:
        resets = _RESETS_BEFORE + self._simulation.story.reboots(host, seconds)
        # The story may stand still; a TPM's clock never does.
        passed = self._now().timestamp() + seconds
        return tpm.Counters(resets, _CLOCK_BEFORE + int(passed * 1000))


def _nonce(document: Json) -> bytes:
    try:
        nonce = bytes.fromhex(document.get("nonce", ""))
    except (TypeError, ValueError):
        raise Fault(400, 400, "The nonce is not hexadecimal.") from None
    if not 0 < len(nonce) <= LONGEST_NONCE:
        raise Fault(400, 400, f"The nonce has {len(nonce)} bytes; 1 to {LONGEST_NONCE} are taken.")
    return nonce


def _selection(document: Json) -> tpm.Selection:
    """Registers by bank, ascending; raises `Fault` where the simulated TPMs have no such bank or register."""
    asked = document.get("selection")
    if not isinstance(asked, dict) or not asked or not all(isinstance(each, list) for each in asked.values()):
        raise Fault(400, 400, "The selection names no registers by bank.")
    try:
        selection = {Bank(bank): tuple(sorted({parse_index(index) for index in asked[bank]})) for bank in asked}
    except (PcrError, ValueError) as error:
        raise Fault(400, 400, f"The selection can't be quoted: {error}") from None
    if not all(selection.values()) or not selection.keys() <= set(BANKS):
        raise Fault(
            400, 400, f"The simulated TPMs have the banks {', '.join(BANKS)}, and quote at least one register."
        )
    return selection


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
