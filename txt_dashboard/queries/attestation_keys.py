"""TPM keys: hosts that show one that nobody approved, or another than the approved one, and what was theirs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from txt_dashboard.attest.bound_key import BoundKey, KeySource, bind
from txt_dashboard.attest.entries import key_entry, key_id, read_entry, read_key
from txt_dashboard.attest.reference import InvalidReference, ReferenceSet
from txt_dashboard.attest.signed_set import InvalidSet, Patch
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.models import Proposal, ProposalState, Quoted

MOST = 15_000
LISTED = 200
LONGEST_HISTORY = 50


@dataclass(frozen=True, slots=True)
class Stranger:
    """A host without an approved key, and the fingerprint of the one that it shows."""

    host: str
    pool: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A host that shows another key than the approved one."""

    host: str
    approved: str
    shown: str


@dataclass(frozen=True, slots=True)
class Shared:
    """One key that is approved for several hosts, which are undetermined for it."""

    fingerprint: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """What a server's hosts show: first keys, the first of them by name, how many by pool, and what is wrong."""

    strangers: tuple[Stranger, ...]
    total: int
    pools: Mapping[str, int]
    unusable: int
    changed: tuple[Changed, ...]
    shared: tuple[Shared, ...]
    approved: int


@dataclass(frozen=True, slots=True)
class Was:
    """A key that was put in force for a host, or taken from it (`key` is `None`)."""

    at: datetime
    proposal: int
    title: str
    reason: str
    set_number: int
    key: BoundKey | None


def shown_key(server: str, host: str, public: bytes, *, tpm12: bool) -> BoundKey | None:
    """The key that was shown beside a quote of this TPM, as it would be approved; `None` where it can't be."""
    try:
        bound = bind(server, host, public, KeySource.SERVER, tpm12=tpm12)
        read_key(key_id(server, host), key_entry(bound))
    except (FormatError, InvalidReference):
        return None
    return None if bound.flaw else bound


def keys_of(server: str, reference: ReferenceSet, *, named: str = "") -> Keys:
    """What the hosts of a server show; of those without an approved key the first whose name holds `named`. A query.

    It takes as long as to read that many keys.
    """
    rows = Quoted.objects.filter(attestation__server__name=server).order_by("attestation__host__name")
    columns = ("attestation__host__name", "attestation__host__pool", "public", "composite")
    strangers: list[Stranger] = []
    changed: list[Changed] = []
    pools: Counter[str] = Counter()
    unusable = 0
    for host, pool, public, composite in rows.values_list(*columns)[:MOST]:
        approved = reference.keys.get((server, host))
        if approved is not None and approved.public == bytes(public):
            continue
        bound = shown_key(server, host, bytes(public), tpm12=bool(composite))
        if bound is None:
            unusable += 1
        elif approved is None:
            pools[pool] += 1
            if len(strangers) < LISTED and named in host:
                strangers.append(Stranger(host, pool, bound.fingerprint))
        elif approved.fingerprint != bound.fingerprint:
            changed.append(Changed(host, approved.fingerprint, bound.fingerprint))
    return Keys(
        strangers=tuple(strangers),
        total=sum(pools.values()),
        pools=dict(sorted(pools.items())),
        unusable=unusable,
        changed=tuple(changed),
        shared=shared(reference),
        approved=sum(of == server for of, _ in reference.keys),
    )


def shared(reference: ReferenceSet) -> tuple[Shared, ...]:
    """Keys under more than one host name, with all of these."""
    hosts: dict[str, set[str]] = {fingerprint: set() for fingerprint in reference.shared_keys}
    for (_, host), bound in reference.keys.items():
        if bound.fingerprint in hosts:
            hosts[bound.fingerprint].add(host)
    return tuple(Shared(fingerprint, tuple(sorted(of))) for fingerprint, of in sorted(hosts.items()))


def sharing(bound: BoundKey, reference: ReferenceSet) -> tuple[str, ...]:
    """Other hosts that this key is approved for."""
    found = {host for (_, host), each in reference.keys.items() if each.fingerprint == bound.fingerprint}
    return tuple(sorted(found - {bound.host}))


def history_of(server: str, host: str) -> Sequence[Was]:
    """The keys that proposals put in force for a host, the latest first. One query."""
    id_ = key_id(server, host)
    settled = Proposal.objects.filter(state=ProposalState.IN_FORCE, patch__changes__has_key=id_).order_by("-id")
    found = []
    for proposal in settled[:LONGEST_HISTORY]:
        try:
            after = Patch.read(proposal.patch).changes[id_].after
            said = read_entry(id_, after) if after is not None else None
        except (InvalidSet, InvalidReference, KeyError):
            continue
        key = said if isinstance(said, BoundKey) else None
        at = proposal.settled_at or proposal.proposed_at
        found.append(Was(at, proposal.pk, proposal.title, proposal.reason, proposal.set_number or 0, key))
    return found
