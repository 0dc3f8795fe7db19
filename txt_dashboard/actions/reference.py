"""Golden values and policies from a file.

The file is JSON: {"format": "txt-dashboard baselines 1", "policies": […], "baselines": […]}; docs/baselines.md
describes it. It is read whole or not at all.
"""

from datetime import datetime
from typing import Literal

import msgspec

from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import Actor, Invalid
from txt_dashboard.attest.entries import Entry, baseline_entry, baseline_id, policy_entry, policy_id, read_policy
from txt_dashboard.attest.pcr import Bank, PcrError, parse_index, parse_value
from txt_dashboard.attest.reference import Baseline, InvalidReference, Part
from txt_dashboard.models import Proposal

FORMAT = "txt-dashboard baselines 1"
LARGEST = 16 * 1024 * 1024  # bytes
MOST = 10_000


class _Requirement(msgspec.Struct, forbid_unknown_fields=True):
    bank: Bank
    registers: list[int]


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    server: str
    parts: dict[Part, _Requirement]
    validity_s: int
    pool: str = ""
    word_is_enough: bool = False
    voucher: Literal["word", "quote"] = "word"


class _Baseline(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    part: Part
    bank: Bank
    values: dict[str, str]
    pools: list[str] = []
    not_before: datetime | None = None
    not_after: datetime | None = None


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    policies: list[_Policy] = []
    baselines: list[_Baseline] = []


def propose_file(actor: Actor, document: bytes, *, title: str, reason: str, now: datetime) -> Proposal:
    """Proposes the file's baselines and policies; nothing is in force by it.

    A baseline that is in force already stays; a policy of the same server and pool would be replaced. Raises
    `NotAllowed`, `Conflict`, and `Invalid` with a sentence for each entry that can't be used.
    """
    read = _decode(document)
    errors: list[str] = []
    wanted: dict[str, Entry | None] = {}
    for entry in read.baselines:
        try:
            baseline = _baseline(entry)
        except (PcrError, InvalidReference) as error:
            errors.append(f"Baseline {entry.name[:60]!r}: {error}.")
        else:
            wanted[baseline_id(baseline)] = baseline_entry(baseline)
    for policy in read.policies:
        id_ = policy_id(policy.server, policy.pool)
        as_entry = msgspec.to_builtins(policy)
        try:
            of = read_policy(id_, as_entry)
        except InvalidReference as error:
            errors.append(f"Policy of {policy.server[:60]!r}: {error}.")
        else:
            wanted[id_] = policy_entry(of)
    if errors:
        raise Invalid({"file": errors[:20]})
    return propose(actor, wanted, title=title, reason=reason, now=now)


def _decode(document: bytes) -> _Document:
    if len(document) > LARGEST:
        raise Invalid({"file": [f"The file is larger than {LARGEST // 1024 // 1024} MiB."]})
    try:
        read = msgspec.json.decode(document, type=_Document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid({"file": [f"The file is not in the baseline format: {error}."]}) from None
    if read.format != FORMAT:
        raise Invalid({"file": [f'The file\'s format is not "{FORMAT}".']})
    if len(read.baselines) + len(read.policies) > MOST:
        raise Invalid({"file": [f"The file has more than {MOST} entries."]})
    return read


def _baseline(entry: _Baseline) -> Baseline:
    if not entry.name.isprintable() or not 1 <= len(entry.name) <= 100:
        raise InvalidReference("a name has 1 to 100 printable characters")
    if any(moment and moment.tzinfo is None for moment in (entry.not_before, entry.not_after)):
        raise InvalidReference("dates need a time zone")
    return Baseline(
        name=entry.name,
        part=entry.part,
        bank=entry.bank,
        values={parse_index(index): parse_value(value, entry.bank) for index, value in entry.values.items()},
        pools=frozenset(entry.pools),
        not_before=entry.not_before,
        not_after=entry.not_after,
    )
