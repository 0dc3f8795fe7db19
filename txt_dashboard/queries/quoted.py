"""The last quote of a host, judged again each time somebody looks: its steps, what it holds, and how to check it."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from txt_dashboard.attest.all_steps import all_steps
from txt_dashboard.attest.bound_key import BoundKey
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Log
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.keys import AttestationKey, load_key
from txt_dashboard.attest.material import Proven, verify_any
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.quote import Demand, Quote, Tpm12Quote, Verification
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.attest.steps import StepResult
from txt_dashboard.attest.tpm12_types import Tpm12QuoteInfo, parse_tpm12_quote_info
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import Attest, Counters, Signature, parse_attest, parse_signature
from txt_dashboard.models import Quoted
from txt_dashboard.queries.attestation_keys import sharing, shown_key
from txt_dashboard.queries.evidence import parse_values
from txt_dashboard.queries.host import Testimony
from txt_dashboard.queries.logs import read_log, unpack

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Quotation:
    """One quote beside the testimony that it belongs to. `bound` is the key that is approved now."""

    row: Quoted
    said: Testimony
    bound: BoundKey | None
    sharing: tuple[str, ...] = ()  # other hosts that this key is approved for

    @property
    def vouches(self) -> bool:
        """Whether the evidence on file rests on a quote; else it is the server's word."""
        return self.said.attestation.voucher == Voucher.QUOTE

    @property
    def is_relayed(self) -> bool:
        """Whether it rests on a quote that answers a challenge of the server's."""
        return self.said.attestation.voucher == Voucher.RELAYED

    @cached_property
    def steps(self) -> tuple[StepResult, ...]:
        """All ten, or none where there is no evidence."""
        evidence, result = self.said.evidence, self.said.result
        if evidence is None or result is None:
            return ()
        return all_steps(Proven(evidence, self.verification), self.log, result)

    @cached_property
    def verification(self) -> Verification | None:
        """What the key that was approved when it came finds; `None` where that proves nothing of one host."""
        key, bound = _key(bytes(self.row.approved)), self.row.bound
        if key is None or bound.endswith("+"):
            return None
        return verify_any(self.quote, key, self.demand, tpm12="-" in bound)

    @property
    def quote(self) -> Quote | Tpm12Quote:
        """As the host sent it."""
        message, signature = bytes(self.row.message), bytes(self.row.signature)
        if not self.of_tpm12:
            return Quote(message, signature, self.reported)
        return Tpm12Quote(message, signature, bytes(self.row.composite), self.reported.get(Bank.SHA1))

    @property
    def of_tpm12(self) -> bool:
        """Whether it is in the form of a TPM 1.2's."""
        return bool(self.row.composite)

    @property
    def reported(self) -> Registers:
        """The values that were reported beside the quote."""
        return {Bank(bank): parse_values(values) for bank, values in self.row.reported.items()}

    @property
    def demand(self) -> Demand:
        """What it was held against."""
        selection = {Bank(bank): frozenset(indexes) for bank, indexes in self.row.selection.items()}
        last_seen = Counters(*self.row.last_seen) if self.row.last_seen else None
        return Demand(bytes(self.row.nonce), selection, last_seen)

    @cached_property
    def log(self) -> Log | LogError | None:
        """The event log that belongs to these registers, why it can't be read, or `None`."""
        current = self.row.log_of == self.said.attestation.registers_key
        return read_log(self.row.log) if self.row.log is not None and current else None

    @property
    def attest(self) -> Attest | None:
        """The signed message, decoded; `None` where it can't be."""
        return _parsed(parse_attest, bytes(self.row.message))

    @property
    def quote_info(self) -> Tpm12QuoteInfo | None:
        """The signed message of a TPM 1.2, decoded; `None` where it can't be."""
        return _parsed(parse_tpm12_quote_info, bytes(self.row.message))

    @property
    def signature(self) -> Signature | None:
        """The signature, decoded."""
        return _parsed(parse_signature, bytes(self.row.signature))

    @property
    def shown(self) -> AttestationKey | None:
        """The key that was shown beside the quote: the server's word."""
        return _key(bytes(self.row.public))

    @property
    def is_another_key(self) -> bool:
        """Whether the host shows another key than the approved one."""
        shown = self.shown
        return self.bound is not None and shown is not None and shown.fingerprint != self.bound.fingerprint

    @property
    def to_propose(self) -> bool:
        """Whether the host shows a key that could be approved and is not."""
        of = self.said.attestation
        shown = shown_key(of.server.name, of.host.name, bytes(self.row.public), tpm12=self.of_tpm12)
        return shown is not None and (self.bound is None or shown.fingerprint != self.bound.fingerprint)

    @property
    def files(self) -> Mapping[str, bytes]:
        """The raw material by name, as the offline command takes it; without a log where none came."""
        found = {
            "ak": bytes(self.row.approved) or bytes(self.row.public),
            "msg": bytes(self.row.message),
            "sig": bytes(self.row.signature),
            "pcrs.json": json.dumps(self.row.reported, indent=1).encode(),
        }
        if self.of_tpm12:
            found["composite"] = bytes(self.row.composite)
        log = unpack(self.row.log) if self.row.log is not None else None
        return {**found, "log": log} if log else found

    @property
    def command(self) -> str:
        """What checks the downloaded files offline, by the key that was approved when the quote came."""
        row, name = self.row, self.said.attestation.host.name
        require = "+".join(f"{bank}:{','.join(map(str, each))}" for bank, each in sorted(row.selection.items()))
        words = ["python", "-m", "txt_dashboard.attest", "verify"]
        for option, file in (("--ak", "ak"), ("--message", "msg"), ("--signature", "sig"), ("--pcrs", "pcrs.json")):
            words += [option, f"{name}.{file}"]
        words += ["--nonce", bytes(row.nonce).hex(), "--require", require]
        if self.of_tpm12:
            words += ["--tpm12", "--composite", f"{name}.composite"]
        if row.last_seen:
            words += ["--last-seen", ",".join(map(str, row.last_seen))]
        return shlex.join(words)


def quotations(said: Sequence[Testimony], reference: ReferenceSet) -> dict[int, Quotation]:
    """The last quote of each testimony, by its attestation's id. One query."""
    of = {each.attestation.pk: each for each in said}
    rows = Quoted.objects.filter(attestation_id__in=of).select_related("log")
    found = {}
    for row in rows:
        attestation = of[row.pk].attestation
        bound = reference.keys.get((attestation.server.name, attestation.host.name))
        found[row.pk] = Quotation(row, of[row.pk], bound, sharing(bound, reference) if bound else ())
    return found


def _key(data: bytes) -> AttestationKey | None:
    try:
        return load_key(data) if data else None
    except FormatError:
        return None


def _parsed(parse: Callable[[bytes], _Value], data: bytes) -> _Value | None:
    try:
        return parse(data)
    except FormatError:
        return None
