"""One host: what each server says of it, what was expected, and how the two compare under the rules in force."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import F

from txt_dashboard import conf
from txt_dashboard.attest.appraisal import (
    Freshness,
    Match,
    Outcome,
    PartAppraisal,
    Result,
    State,
    appraise,
    freshness,
)
from txt_dashboard.attest.eventlog.why import Change as Why
from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.pcr import Bank, Launch, Registers, launch_state
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Part, ReferenceSet, Requirement, Rules
from txt_dashboard.attest.registers import LaunchMapping, mapping_of, meaning
from txt_dashboard.models import Attestation, Host
from txt_dashboard.queries.evidence import read_evidence, read_finding
from txt_dashboard.queries.logs import log_of_register
from txt_dashboard.queries.register import Register
from txt_dashboard.queries.state import with_state
from txt_dashboard.queries.why import Pair, whys


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one server says of a host, and what our own appraisal finds in it."""

    attestation: Attestation
    evidence: Evidence | None
    rules: Rules | None
    result: Result | None
    freshness: Freshness
    asking: bool  # a worker has the host in hand
    waiting_since: datetime | None  # due, and no worker has taken it
    whys: Mapping[int, Why] = field(default_factory=dict)  # by register that differs

    @property
    def counts(self) -> bool:
        """Whether people approved that this server's word counts; else it is only observed."""
        return self.attestation.server.counts

    @property
    def ours(self) -> Match:
        """Our own verdict alone: what the registers say, whatever the server does."""
        outcomes = {part.outcome for part in self.parts}
        if Outcome.DIFFERS in outcomes:
            return Match.UNTRUSTED
        doubtful = self.evidence is None or self.evidence.finding is not None
        return Match.UNDETERMINED if doubtful or outcomes != {Outcome.MATCHES} else Match.TRUSTED

    @property
    def unsettled(self) -> bool:
        """Whether the rules changed after the stored state was derived by them."""
        key = self.rules.key if self.rules else ""
        return self.attestation.counts_from is not None and self.attestation.rules_key != key

    def due_since(self, moment: datetime) -> bool:
        """Whether it has been waiting for a worker, and no longer than from that moment on."""
        return self.waiting_since is not None and self.waiting_since >= moment

    @property
    def agree(self) -> bool:
        """Whether the server and we come to the same verdict."""
        theirs = self.evidence.verdict if self.evidence else Verdict.UNKNOWN
        return (theirs, self.ours) in {(Verdict.TRUSTED, Match.TRUSTED), (Verdict.UNTRUSTED, Match.UNTRUSTED)}

    @property
    def word_alone(self) -> bool:
        """Whether only the server's word makes this host trusted."""
        return self.result is not None and self.result.finding.reason is Reason.SERVER_WORD_ALONE

    @property
    def parts(self) -> tuple[PartAppraisal, ...]:
        """Each required part against its closest baseline."""
        return self.result.parts if self.result else ()

    @property
    def registers(self) -> Registers:
        """All values that are held, by bank."""
        return self.evidence.registers if self.evidence else {}

    @property
    def proposable(self) -> tuple[Part, ...]:
        """Parts that differ or have nothing approved to be compared with, of which the evidence shows all values."""
        without = (Reason.NO_BASELINE, Reason.BASELINE_INCOMPLETE)
        return tuple(
            part.part
            for part in self.parts
            if part.outcome is Outcome.DIFFERS or (part.finding and part.finding.reason in without)
        )

    @property
    def baselines(self) -> tuple[str, ...]:
        """The names of the closest approved baselines, part by part."""
        return tuple(part.baseline.name for part in self.parts if part.baseline)

    @property
    def mapping(self) -> LaunchMapping:
        """How registers 17 to 19 are most likely to be read."""
        needs = self.rules.policy.requirements if self.rules else ()
        return mapping_of(self.registers or {need.bank: {} for need in needs})

    @property
    def launch(self) -> Launch:
        """Whether a measured launch happened; all banks of a host tell of the same one."""
        states = {launch_state(values) for values in self.registers.values()}
        return next((state for state in (Launch.LAUNCHED, Launch.NOT_LAUNCHED) if state in states), Launch.UNKNOWN)

    @property
    def silence(self) -> Finding | None:
        """Why the last attempt gave no evidence."""
        return read_finding(self.attestation.silence)

    @property
    def required(self) -> tuple[Register, ...]:
        """What the policy requires, by index."""
        rows = [row for part in self.parts for row in self._of_part(part)]
        return tuple(sorted(rows, key=lambda row: row.index))

    @property
    def differing(self) -> tuple[Register, ...]:
        """Required registers that differ from the closest approved baseline."""
        return tuple(row for row in self.required if row.differs)

    @property
    def matching(self) -> tuple[Register, ...]:
        """Required registers that match it."""
        return tuple(row for row in self.required if row.matches)

    @property
    def missing(self) -> tuple[Register, ...]:
        """Required registers that the evidence holds no value of."""
        return tuple(row for row in self.required if row.actual is None)

    @property
    def uncompared(self) -> tuple[Register, ...]:
        """Required registers that have a value and nothing to compare it with."""
        return tuple(row for row in self.required if row.actual is not None and row.golden is None)

    @property
    def by_events(self) -> tuple[Register, ...]:
        """Required registers with another value than the golden one whose events match."""
        return tuple(row for row in self.required if row.by_events)

    @property
    def others(self) -> tuple[Register, ...]:
        """Values that no policy requires: shown, never judged."""
        required = {(row.bank, row.index) for row in self.required}
        return tuple(row for _, rows in self.banks for row in rows if (row.bank, row.index) not in required)

    @property
    def banks(self) -> tuple[tuple[Bank, tuple[Register, ...]], ...]:
        """Every value that is held, by bank and index."""
        return tuple(
            (bank, tuple(self._held(bank, index, value) for index, value in sorted(values.items())))
            for bank, values in sorted(self.registers.items())
            if values
        )

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Golden and actual values of each part that differs from its closest baseline."""
        return tuple(
            Pair(
                part.part,
                need.bank,
                {index: part.baseline.values[index] for index in need.indexes},
                {i: value for i, value in self.registers.get(need.bank, {}).items() if i in need.registers},
            )
            for part in self.parts
            if part.differences and part.baseline
            for need in [self._requirement(part.part)]
        )

    def _held(self, bank: Bank, index: int, value: bytes) -> Register:
        return Register(bank, index, meaning(index, self.mapping), None, value)

    def _of_part(self, part: PartAppraisal) -> Iterator[Register]:
        need = self._requirement(part.part)
        golden = dict(part.baseline.values) if part.baseline else {}
        for index in part.unproven:
            golden.pop(index, None)  # by value they differ, but whether that matters could not be told
        actual = self.registers.get(need.bank, {})
        for index in sorted(need.registers):
            values = golden.get(index), actual.get(index)
            by_events = index in part.excused
            yield Register(need.bank, index, meaning(index, self.mapping), *values, self.whys.get(index), by_events)

    def _requirement(self, part: Part) -> Requirement:
        needs = self.rules.policy.requirements if self.rules else ()
        return next(need for need in needs if need.part is part)


@dataclass(frozen=True, slots=True)
class Past:
    """The state that a host had before its present one, and for how long."""

    state: str
    began: datetime
    ended: datetime

    @property
    def lasted(self) -> timedelta:
        """For how long."""
        return self.ended - self.began


def find_host(name: str, now: datetime) -> Host | None:
    """The host of this name with its effective state, or `None`."""
    return with_state(Host.objects.filter(name=name), now).first()


def testimonies(host: Host, reference: ReferenceSet, now: datetime) -> tuple[Testimony, ...]:
    """What each server says of the host, appraised under the rules now in force. Two queries at most."""
    rows = host.attestations.select_related("server", "platform", "vmm", "agent_policy").order_by("server__name")
    return tuple(_explained(_testimony(row, host.pool, reference, now)) for row in rows)


def lapsed_at(host: Host, said: Sequence[Testimony]) -> datetime | None:
    """When the evidence of a host that is still stored as trusted ceased to count; `None` while it counts."""
    if host.state != State.TRUSTED:
        return None
    counting = [each for each in said if each.counts]
    ended = [each.attestation.valid_until for each in counting if each.freshness is not Freshness.FRESH]
    return min((end for end in ended if end is not None), default=None)


def past_of(host: Host, lapsed: datetime | None) -> Past | None:
    """What the host was before what is shown, or `None` where it never was anything else. One query."""
    if lapsed is not None:
        return Past(host.state, host.since, lapsed)
    changes = list(host.events.exclude(previous_state=F("state")).order_by("-at", "-id")[:2])
    if not changes:
        return None
    began = changes[1].at if len(changes) > 1 else host.created_at
    return Past(changes[0].previous_state, began, changes[0].at)


def _testimony(row: Attestation, pool: str, reference: ReferenceSet, now: datetime) -> Testimony:
    evidence = read_evidence(row)
    rules = reference.rules(row.server.name, pool, now)
    result = None
    if evidence is not None:
        no_policy = Result(Match.UNDETERMINED, Finding(Reason.NO_POLICY), ())
        result = appraise(evidence, rules, log_of_register) if rules else no_policy
    asking = row.lease_until is not None and row.lease_until > now
    ready = row.server.enabled and (row.server.retry_at is None or row.server.retry_at <= now)
    return Testimony(
        attestation=row,
        evidence=evidence,
        rules=rules,
        result=result,
        freshness=freshness(
            row.counts_from, row.valid_until, now, answered=row.answered, tolerance=conf.clock_tolerance()
        ),
        asking=asking,
        waiting_since=row.due_at if ready and not asking and row.due_at <= now else None,
    )


def _explained(said: Testimony) -> Testimony:
    """With what logs say of the registers that differ. No query where none does."""
    if not said.differing:
        return said
    return replace(said, whys={index: why for each in whys(said.pairs) for index, why in each.items()})
