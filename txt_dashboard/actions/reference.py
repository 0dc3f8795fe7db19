"""Golden values and policies from a file.

The file is JSON: {"format": "txt-dashboard baselines 1", "policies": […], "baselines": […]}; docs/baselines.md
describes it. It is read whole or not at all.
"""

from datetime import datetime

import msgspec
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.permissions import Actor, Invalid, Verb, require
from txt_dashboard.attest.pcr import Bank, PcrError, parse_index, parse_value
from txt_dashboard.attest.reference import Baseline, InvalidReference, Part
from txt_dashboard.models import Baseline as BaselineRow
from txt_dashboard.models import Policy as PolicyRow
from txt_dashboard.models import Server
from txt_dashboard.queries.reference import read_policy

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


class Loaded(msgspec.Struct, frozen=True):
    """How many baselines and policies of the file are new or changed."""

    baselines: int
    policies: int


def load_reference(actor: Actor, document: bytes, *, now: datetime) -> Loaded:
    """Puts the file's baselines and policies in force; the workers' next turn appraises by them.

    A baseline that is there already stays; a policy of the same server and pool is replaced. Raises
    `NotAllowed`, and `Invalid` with a sentence for each entry that can't be used (nothing is loaded then).
    """
    require(actor, Verb.LOAD_BASELINES)
    read = _decode(document)
    errors: list[str] = []
    baselines, policies = [], []
    for entry in read.baselines:
        try:
            baselines.append(_baseline(entry))
        except (PcrError, InvalidReference) as error:
            errors.append(f"Baseline {entry.name[:60]!r}: {error}.")
    servers = dict(Server.objects.values_list("name", "id"))
    for policy in read.policies:
        try:
            policies.append(_policy(policy, servers))
        except (InvalidReference, OverflowError) as error:
            errors.append(f"Policy of {policy.server[:60]!r}: {error}.")
    if errors:
        raise Invalid({"file": errors[:20]})
    with transaction.atomic():
        before = BaselineRow.objects.count()
        BaselineRow.objects.bulk_create([_row(each, now) for each in baselines], ignore_conflicts=True)
        PolicyRow.objects.bulk_create(
            policies,
            update_conflicts=True,
            unique_fields=["server", "pool"],
            update_fields=["parts", "validity_s", "word_is_enough"],
        )
        loaded = Loaded(BaselineRow.objects.count() - before, len(policies))
        names = sorted(each.name for each in baselines)[:50]
        detail = {"baselines": loaded.baselines, "policies": loaded.policies, "names": names}
        audit.record(at=now, actor=actor.name, verb=Verb.LOAD_BASELINES, detail=detail)
    return loaded


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


def _policy(entry: _Policy, servers: dict[str, int]) -> PolicyRow:
    if entry.server not in servers:
        raise InvalidReference("there is no attestation server of this name")
    parts = {
        part.value: {"bank": need.bank.value, "registers": sorted(set(need.registers))}
        for part, need in entry.parts.items()
    }
    read_policy(parts, entry.validity_s, word_is_enough=entry.word_is_enough)
    return PolicyRow(
        server_id=servers[entry.server],
        pool=entry.pool,
        parts=parts,
        validity_s=entry.validity_s,
        word_is_enough=entry.word_is_enough,
    )


def _row(baseline: Baseline, now: datetime) -> BaselineRow:
    return BaselineRow(
        key=baseline.key,
        name=baseline.name,
        part=baseline.part.value,
        bank=baseline.bank.value,
        values={str(index): value.hex() for index, value in sorted(baseline.values.items())},
        pools=sorted(baseline.pools),
        not_before=baseline.not_before,
        not_after=baseline.not_after,
        loaded_at=now,
    )
