"""Our own baseline file; docs/baselines.md describes it. It is read whole or not at all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.json import Decoder

from txt_dashboard.attest.draft import Draft
from txt_dashboard.attest.entries import PolicyOf
from txt_dashboard.attest.event_entries import read_events
from txt_dashboard.attest.eventlog.varying import BaselineError, EventBaseline
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import InvalidReference, Part, Policy, Requirement
from txt_dashboard.uploads.reading import MOST_ENTRIES, Errors, Unusable, decode, read_values

FORMAT = "txt-dashboard baselines 1"


class _Requirement(Struct, forbid_unknown_fields=True):
    bank: Bank
    registers: list[int]


class _Policy(Struct, forbid_unknown_fields=True):
    server: str
    parts: dict[Part, _Requirement]
    validity_s: int
    pool: str = ""
    word_is_enough: bool = False
    voucher: Literal["word", "quote"] = "word"


class _Baseline(Struct, forbid_unknown_fields=True):
    name: str
    part: Part
    bank: Bank
    values: dict[str, str]
    pools: list[str] = []
    not_before: datetime | None = None
    not_after: datetime | None = None
    events: dict[str, list[dict[str, str]]] = {}


class _Document(Struct, forbid_unknown_fields=True):
    format: str
    policies: list[_Policy] = []
    baselines: list[_Baseline] = []


class Document(Struct, frozen=True):
    """What a file holds."""

    baselines: tuple[Draft, ...]
    policies: tuple[PolicyOf, ...]


_DECODER = Decoder(_Document)


def read_document(document: bytes) -> Document:
    """Baselines and policies from a file; raises `Unusable` with a sentence for each entry that can't be used."""
    read = decode(_DECODER, document, "baseline")
    if read.format != FORMAT:
        raise Unusable(f'The file\'s format is not "{FORMAT}".')
    if len(read.baselines) + len(read.policies) > MOST_ENTRIES:
        raise Unusable(f"The file has more than {MOST_ENTRIES} entries.")
    errors = Errors()
    baselines, policies = [], []
    for entry in read.baselines:
        with errors.of("Baseline", entry.name):
            baselines.append(_draft(entry))
    for policy in read.policies:
        with errors.of("Policy of", policy.server):
            policies.append(PolicyOf(policy.server, policy.pool, _policy(policy)))
    errors.check()
    return Document(tuple(baselines), tuple(policies))


def _draft(entry: _Baseline) -> Draft:
    return Draft(
        name=entry.name,
        part=entry.part,
        bank=entry.bank,
        values=read_values(entry.values.items(), entry.bank),
        pools=frozenset(entry.pools),
        not_before=entry.not_before,
        not_after=entry.not_after,
        events=_events(entry),
    )


def _events(entry: _Baseline) -> Mapping[int, EventBaseline]:
    try:
        return read_events(entry.events, entry.bank) if entry.events else {}
    except BaselineError as error:
        raise InvalidReference(str(error)) from None


def _policy(entry: _Policy) -> Policy:
    needs = (Requirement(part, need.bank, frozenset(need.registers)) for part, need in sorted(entry.parts.items()))
    must_quote = entry.voucher == "quote"
    validity = timedelta(seconds=entry.validity_s)
    return Policy(tuple(needs), validity, entry.word_is_enough, must_quote=must_quote)
