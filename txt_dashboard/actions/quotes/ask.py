"""Asking hosts' TPMs to sign what they hold, and putting what they proved in the place of the server's word."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from txt_dashboard.actions.claim import Claim, ClaimedRow
from txt_dashboard.actions.publish.round import extend
from txt_dashboard.attest.evidence import Evidence, Verdict, Voucher
from txt_dashboard.attest.ima import REGISTER as IMA_REGISTER
from txt_dashboard.attest.material import Binding, Material, Proven, prove, prove_relayed
from txt_dashboard.attest.pcr import NEVER_REFERENCE, REGISTER_COUNT, Bank
from txt_dashboard.attest.quote import Demand
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import Policy, ReferenceSet
from txt_dashboard.attest.tpm_types import Counters
from txt_dashboard.models import Quoted, Server
from txt_dashboard.servers.base import Batch, Clock, QuoteServer, ServerError

BuildQuotes = Callable[[Server, Clock], QuoteServer | None]
Chosen = tuple[tuple[Bank, frozenset[int]], ...]

RANDOM_BYTES = 16  # of a nonce, which is their 32 hexadecimal digits: agents that take text take it, and any TPM does
NEW_AT_ONCE = 10  # hosts of a batch whose keys are seen for the first time: their quotes prove nothing yet
# IMA's register is no evidence, but the quote proves what its list leads to; software resets the others at will.
_QUOTED = frozenset(range(REGISTER_COUNT)) - (NEVER_REFERENCE - {IMA_REGISTER})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """What one host's TPM answered, what it was held against, and the counters to hold its next quote against."""

    id: int  # of the attestation
    material: Material
    demand: Demand
    approved: bytes
    bound: str
    counters: Counters | None


@dataclass(frozen=True, slots=True)
class Joined:
    """Answers with proven registers where there are any, what proved them, and why nothing came for other hosts."""

    batch: Batch
    taken: tuple[Taken, ...] = ()
    problems: Mapping[int, str] = field(default_factory=dict)
    set_number: int = 0
    waiting: frozenset[int] = frozenset()  # whose last quote goes on to count: the next is not due yet
    pause: timedelta = timedelta(0)  # until the next


class Quoter:
    """For one claimed batch. Close it."""

    def __init__(self, claim: Claim, build: BuildQuotes, clock: Clock) -> None:
        self._claim = claim
        self._build = build
        self._clock = clock
        self._server: QuoteServer | None = None

    def join(self, rows: Sequence[ClaimedRow], batch: Batch, reference: ReferenceSet) -> Joined:
        """Asks for the quotes of these rows. Where none comes the server's word stays what it is.

        Each request has a nonce of its own that is known to nobody before and forgotten with the batch.
        """
        if not self._claim.server.passes_quotes:
            return Joined(batch)
        waiting = self._waiting(rows, batch)
        asked = self._sort([row for row in rows if row.id not in waiting], batch, reference)
        if not asked:
            return Joined(batch, waiting=waiting)
        joining = _Joining(self._claim, batch, reference)
        for chosen, some in asked.items():
            extend(replace(self._claim, rows=tuple(rows)), self._clock())
            nonce = secrets.token_hex(RANDOM_BYTES).encode()
            try:
                server = self.connected()
                answer = server.quote(_called(some, batch), nonce, dict(chosen))
            except ServerError as error:
                log.warning("not quoted", server=self._claim.server.name, hosts=len(some), why=str(error))
                joining.problems |= {row.id: str(error) for row in some}
                continue
            joining.received_at = max(joining.received_at, answer.received_at)
            joining.remarks += answer.remarks
            for row in some:
                given = answer.answers.get(row.host)
                if isinstance(given, Material):
                    joining.take(row, given, nonce, _shown(chosen, server.adds))
                elif given is not None:
                    joining.problems[row.id] = str(given.finding)
        return replace(joining.done(), waiting=waiting, pause=self._claim.server.quote_interval)

    def connected(self) -> QuoteServer:
        """The connection; raises `ServerError`."""
        if self._server is None:
            self._server = self._build(self._claim.server, self._clock)
        if self._server is None:
            raise ServerError("servers of this kind pass on no quotes")
        return self._server

    def close(self) -> None:
        """Closes the connection that it opened."""
        if self._server is not None:
            self._server.close()

    def _waiting(self, rows: Sequence[ClaimedRow], batch: Batch) -> frozenset[int]:
        """Hosts that showed a good quote a short while ago and of which the server still says the same.

        Not those whose evidence would run out before the poll after the next.
        """
        if not self._claim.server.quote_interval:
            return frozenset()
        now = self._clock()
        late = Quoted.objects.filter(due_at__gt=now, attestation__lease=self._claim.lease)
        late = late.filter(attestation__valid_until__gt=now + 2 * self._claim.server.interval)
        not_due = set(late.values_list("attestation_id", flat=True))
        return frozenset(row.id for row in rows if row.id in not_due and _as_before(row, batch))

    def _sort(
        self, rows: Sequence[ClaimedRow], batch: Batch, reference: ReferenceSet
    ) -> Mapping[Chosen, list[ClaimedRow]]:
        """The hosts that the server speaks of, by the registers that their policies let them quote."""
        now, name = self._clock(), self._claim.server.name
        strangers = self._strangers(rows, reference)
        asked: dict[Chosen, list[ClaimedRow]] = defaultdict(list)
        for row in rows:
            rules = reference.rules(name, row.pool, now)
            chosen = _chosen(rules.policy) if rules else ()
            wanted = row.id not in strangers or (rules is not None and rules.policy.must_quote)
            if chosen and wanted and isinstance(batch.answers.get(row.host), Evidence):
                asked[chosen].append(row)
        return asked

    def _strangers(self, rows: Sequence[ClaimedRow], reference: ReferenceSet) -> frozenset[int]:
        """Hosts whose quotes would prove nothing, for no key is approved, but for a few whose key nobody saw yet."""
        name = self._claim.server.name
        unbound = [row.id for row in rows if (name, row.host) not in reference.keys]
        if not unbound:
            return frozenset()
        seen = set(Quoted.objects.filter(attestation_id__in=unbound).values_list("attestation_id", flat=True))
        new = [id_ for id_ in unbound if id_ not in seen]
        return frozenset(unbound) - frozenset(new[:NEW_AT_ONCE])


@dataclass(frozen=True, slots=True)
class _Before:
    """What is on file of the last quote."""

    bound: str
    message: bytes
    last_seen: list[int] | None
    counters: list[int] | None

    def seen_before(self, material: Material) -> Counters | None:
        """The counters that a quote is held against. One that a server shows again is the same, not another."""
        again = material.challenge and bytes(self.message) == material.quote.message
        counters = self.last_seen if again else self.counters
        return Counters(*counters) if counters else None


class _Joining:
    """Answers of one batch while quotes come in."""

    def __init__(self, claim: Claim, batch: Batch, reference: ReferenceSet) -> None:
        self.problems: dict[int, str] = {}
        self.received_at = batch.received_at
        self.remarks = batch.remarks
        self._name = claim.server.name
        self._batch = batch
        self._reference = reference
        self._answers = dict(batch.answers)
        self._taken: list[Taken] = []
        before = Quoted.objects.filter(attestation_id__in=[row.id for row in claim.rows])
        columns = ("attestation_id", "bound", "message", "last_seen", "counters")
        self._before = {id_: _Before(*kept) for id_, *kept in before.values_list(*columns)}

    def take(self, row: ClaimedRow, material: Material, nonce: bytes, chosen: Chosen) -> None:
        """Holds one quote against the approved key, our nonce, the registers chosen and the TPM's last counters."""
        before = self._before.get(row.id)
        bound = self._reference.bound(self._name, row.host)
        last_seen = before.seen_before(material) if before and bound and bound == before.bound else None
        relayed = bool(material.challenge)
        nonce, selection = (material.challenge, material.whole) if relayed else (nonce, dict(chosen))
        demand = Demand(nonce, selection, last_seen)
        approved = self._reference.keys.get((self._name, row.host))
        counters = demand.last_seen
        said = self._batch.answers[row.host]
        if isinstance(said, Evidence) and (approved is not None or self._must_quote(row)):
            key, tpm12 = (approved.key, approved.tpm12) if approved else (None, False)
            binding = Binding(key, bound.endswith("+"), tpm12)
            if relayed:
                proven = prove_relayed(said, material, binding, last_seen)
            else:
                proven = prove(said, material, binding, demand)
            self._answers[row.host] = proven.evidence
            counters = _counters(proven, demand.last_seen)
        public = approved.public if approved else b""
        self._taken.append(Taken(row.id, material, demand, public, bound, counters))

    def done(self) -> Joined:
        """All of it."""
        batch = replace(self._batch, answers=self._answers, received_at=self.received_at, remarks=self.remarks)
        return Joined(batch, tuple(self._taken), self.problems, self._reference.number)

    def _must_quote(self, row: ClaimedRow) -> bool:
        rules = self._reference.rules(self._name, row.pool, self._batch.received_at)
        return rules is not None and rules.policy.must_quote


def _counters(proven: Proven, last_seen: Counters | None) -> Counters | None:
    """What the next quote is held against: never what went back, so that it stays seen until people decide."""
    verified = proven.verification.pcrs if proven.verification else None
    finding = proven.evidence.finding
    if verified is None or (finding is not None and finding.reason is Reason.TPM_ROLLED_BACK):
        return last_seen
    return verified.counters


def _as_before(row: ClaimedRow, batch: Batch) -> bool:
    said = batch.answers.get(row.host)
    proven = row.voucher == Voucher.QUOTE and not row.doubtful
    return proven and isinstance(said, Evidence) and said.verdict is Verdict.TRUSTED and row.verdict == said.verdict


def _called(rows: Sequence[ClaimedRow], batch: Batch) -> Mapping[str, str]:
    """How the server calls these hosts."""
    said = {row.host: batch.answers.get(row.host) for row in rows}
    return {host: (each.server_id if isinstance(each, Evidence) else "") or host for host, each in said.items()}


def _shown(chosen: Chosen, adds: frozenset[int]) -> Chosen:
    """The registers that a quote must show: those asked for, and those that agents of such a server always add."""
    return tuple((bank, indexes | adds) for bank, indexes in chosen)


def _chosen(policy: Policy) -> Chosen:
    """All registers that say something of a host, in the banks that the policy speaks of."""
    return tuple((bank, _QUOTED) for bank in sorted({need.bank for need in policy.requirements}))
