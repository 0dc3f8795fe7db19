"""Recording what an attestation server answered.

Most polls change nothing: then a batch is one UPDATE of times. A row is appraised anew only where its
registers, the server's verdict or the rules in force differ from those it was appraised by.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Value, When

from txt_dashboard import audit, conf
from txt_dashboard.actions.claim import Claim, ClaimedRow, pause_after
from txt_dashboard.actions.outcome import OWN, SHARED, Judged, judge, remember, stored_finding
from txt_dashboard.actions.quotes.ask import Joined
from txt_dashboard.actions.quotes.keep import keep
from txt_dashboard.actions.settle import Change, settle
from txt_dashboard.attest.appraisal import Freshness, Match, State, state_of, valid_until
from txt_dashboard.attest.appraiser import Appraisal, Appraiser
from txt_dashboard.attest.evidence import IMPOSSIBLE_DATES, WITHDRAWN, Evidence, NoEvidence, Verdict, judge_times
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import ReferenceSet, Rules, registers_key
from txt_dashboard.models import Attestation, Server
from txt_dashboard.models.bulk import Shared, update_rows
from txt_dashboard.servers.base import Batch, ServerError

JITTER = 0.1  # of an interval, so that servers and batches spread
UNAPPRAISED = timedelta(hours=1)  # how long evidence says "no policy" before it says "too old"
TIMES = ("attested_at", "counts_from", "valid_until")


@dataclass(slots=True)
class _Writes:
    """What must be written of a batch, by kind of change; each row begins with its attestation's id."""

    renewed: list[tuple[object, ...]] = field(default_factory=list)
    shifted: list[tuple[object, ...]] = field(default_factory=list)  # only registers outside the policy differ
    appraised: list[tuple[object, ...]] = field(default_factory=list)
    silent: list[tuple[object, ...]] = field(default_factory=list)
    withdrawn: list[tuple[object, ...]] = field(default_factory=list)
    waiting: list[tuple[object, ...]] = field(default_factory=list)  # the last quote goes on to count
    outcomes: dict[Appraisal, tuple[int, Judged]] = field(default_factory=dict)  # numbered
    again: Mapping[int, datetime] = field(default_factory=dict)  # who was to be asked once more meanwhile, and when
    unsettled: set[int] = field(default_factory=set)
    remeasured: set[int] = field(default_factory=set)
    ahead: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Bench:
    """What answers are judged by."""

    reference: ReferenceSet
    appraiser: Appraiser
    tolerance: timedelta  # of a server's clock


@transaction.atomic
def record_attestations(claim: Claim, joined: Joined, bench: Bench, *, now: datetime) -> list[Change]:
    """Writes a batch of answers, what quotes prove them, and the states that follow, and ends the lease.

    Hosts whose lease was lost meanwhile stay untouched: another worker has them. Returns the hosts that
    changed. The number of statements does not depend on the number of hosts.
    """
    claim, again = _still_held(claim)
    if not claim.rows:
        return []
    batch = joined.batch
    writes = _sort(claim, joined, bench, now)
    writes.again = again
    _write(claim, writes, now)
    keep(joined, {row.id for row in claim.rows}, now)
    changes = settle(writes.unsettled, now=now, remeasured=writes.remeasured)
    Server.objects.filter(id=claim.server.id).update(
        failures=0,
        retry_at=None,
        answered_at=now,
        error_code="",
        error="",
        remarks=list(batch.remarks),
        ahead_s=writes.ahead.total_seconds(),
    )
    log_changes(claim.server.name, changes, now, answers_again=claim.server.failures > 0)
    return changes


@transaction.atomic
def record_failure(claim: Claim, error: ServerError, *, now: datetime) -> None:
    """The server could not be asked: its hosts keep their evidence until that runs out.

    The server is left alone for a while that grows with each failure in a row.
    """
    claim, _ = _still_held(claim)
    if not claim.rows:
        return
    # As it is now: another batch may have failed since this one was claimed.
    failures = Server.objects.select_for_update(no_key=True).get(id=claim.server.id).failures + 1
    silence = stored_finding(Finding(Reason.SERVER_UNREACHABLE, {"detail": str(error)}))
    Attestation.objects.filter(lease=claim.lease).update(
        asked_at=now,
        answered=False,
        silence=Value(silence, Attestation._meta.get_field("silence")),
        lease="",
        lease_until=None,
        failures=F("failures") + 1,
    )
    Server.objects.filter(id=claim.server.id).update(
        failures=failures,
        retry_at=now + pause_after(failures) * _jitter(),
        error_code=error.code,
        error=str(error),
    )
    settle({row.host_id for row in claim.rows if row.host_state != State.TRUSTED}, now=now)
    if failures == 1:
        audit.record(
            at=now, actor="worker", verb="server silent", target=claim.server.name, detail={"why": str(error)}
        )


def log_changes(target: str, changes: Sequence[Change], now: datetime, *, answers_again: bool = False) -> None:
    """One entry for all hosts that changed their state at once, and for a server that was silent before."""
    moved = [change for change in changes if change.state != change.previous]
    if moved:
        counts = Counter(change.state for change in moved)
        detail: dict[str, object] = {"hosts": dict(counts), "first": moved[0].name}
        detail["pools"] = sorted({change.pool for change in moved})
        if answers_again:
            detail["answers_again"] = True
        host = moved[0].name if len(moved) == 1 else ""
        audit.record(at=now, actor="worker", verb="states changed", target=target, host=host, detail=detail)
    elif answers_again:
        audit.record(at=now, actor="worker", verb="server answers", target=target)


def _still_held(claim: Claim) -> tuple[Claim, Mapping[int, datetime]]:
    """What is left of the claim, locked until the transaction ends, and who of it was to be asked again meanwhile."""
    ours = Attestation.objects.select_for_update(no_key=True).filter(lease=claim.lease).order_by("id")
    # All were due when they were claimed. Only the few dates that matter are read: each costs as much as its row.
    again = Case(When(due_at__gt=claim.at, then=F("due_at")))
    held = dict(ours.annotate(again=again).values_list("id", "again"))
    rows = tuple(row for row in claim.rows if row.id in held)
    return replace(claim, rows=rows), {row.id: at for row in rows if (at := held[row.id]) is not None}


def _sort(claim: Claim, joined: Joined, bench: Bench, now: datetime) -> _Writes:
    writes, batch = _Writes(), joined.batch
    name = claim.server.name
    pools = {row.pool for row in claim.rows}
    rules = {pool: bench.reference.rules(name, pool, now) for pool in pools}
    missing = NoEvidence(Finding(Reason.ANSWER_MISSING))
    for row in claim.rows:
        answer = batch.answers.get(row.host, missing)
        if row.id in joined.waiting:
            writes.waiting.append((row.id,))
        elif isinstance(answer, Evidence) and not _only_verdict(answer, rules[row.pool]):
            _sort_evidence(row, answer, rules[row.pool], batch, bench, writes)
        else:
            _sort_silence(row, answer, writes)
    return writes


def _only_verdict(evidence: Evidence, rules: Rules | None) -> bool:
    """A verdict whose report could not be fetched renews nothing, unless the verdict is enough or bad."""
    unavailable = evidence.finding is not None and evidence.finding.reason is Reason.REPORT_UNAVAILABLE
    word_is_enough = rules is not None and rules.policy.word_is_enough
    return unavailable and evidence.verdict is Verdict.TRUSTED and not word_is_enough


def _sort_silence(row: ClaimedRow, answer: Evidence | NoEvidence, writes: _Writes) -> None:
    finding = answer.finding or Finding(Reason.ANSWER_MISSING)
    target = writes.withdrawn if finding.reason in WITHDRAWN else writes.silent
    target.append((row.id, stored_finding(finding)))
    if finding.reason in WITHDRAWN or row.host_state not in (State.TRUSTED, State.UNTRUSTED):
        writes.unsettled.add(row.host_id)


def _sort_evidence(
    row: ClaimedRow, evidence: Evidence, rules: Rules | None, batch: Batch, bench: Bench, writes: _Writes
) -> None:
    timing = judge_times(
        evidence,
        requested_at=batch.requested_at,
        received_at=batch.received_at,
        previous=row.attested_at,
        tolerance=bench.tolerance,
    )
    writes.ahead = max(writes.ahead, timing.ahead)
    if timing.finding:
        evidence = replace(evidence, finding=timing.finding)
    validity = rules.policy.validity if rules else UNAPPRAISED
    attested_at = row.attested_at if _dated_impossibly(evidence) else evidence.attested_at
    key = registers_key(evidence.registers)
    unchanged = _same_but_registers(row, evidence, rules)
    if unchanged and key == row.registers_key:
        until = valid_until(timing.counts_from, validity, row.baselines_end)
        writes.renewed.append((row.id, attested_at, timing.counts_from, until))
    else:
        outcome = judge(evidence, rules, bench.appraiser)
        until = valid_until(timing.counts_from, validity, outcome.result.baselines_end)
        times = (row.id, attested_at, timing.counts_from, until)
        remeasured = outcome.appraisal.keys != (row.platform_id, row.vmm_id)
        if unchanged and not remeasured:
            writes.shifted.append((*times, key, outcome.others()))
        else:
            number, _ = writes.outcomes.setdefault(outcome.appraisal, (len(writes.outcomes), outcome))
            writes.appraised.append((*times, *outcome.own(key), number))
            writes.unsettled.add(row.host_id)
        if remeasured:
            writes.remeasured.add(row.host_id)
    if row.host_state != state_of(Match(row.match), Freshness.FRESH):
        writes.unsettled.add(row.host_id)


def _dated_impossibly(evidence: Evidence) -> bool:
    """Such a date must not become the one that later evidence is held against."""
    return evidence.finding is not None and evidence.finding.reason in IMPOSSIBLE_DATES


def _same_but_registers(row: ClaimedRow, evidence: Evidence, rules: Rules | None) -> bool:
    return (
        rules is not None
        and row.rules_key == rules.key
        and row.verdict == evidence.verdict
        and row.voucher == evidence.voucher
        and evidence.finding is None
        and not row.doubtful
    )


def _write(claim: Claim, writes: _Writes, now: datetime) -> None:
    due_at = _next_turn(claim.server, now)
    asked: dict[str, object] = {"asked_at": now, "due_at": due_at, "lease": "", "lease_until": None, "failures": 0}
    answered = {**asked, "answered": True, "silence": None}
    silent = {**asked, "answered": False}
    forgotten = {"counts_from": None, "valid_until": None, "match": Match.UNDETERMINED.value}
    withdrawn = {**silent, **forgotten, "drift_key": "", "rules_key": ""}
    outcomes = [outcome for _, outcome in writes.outcomes.values()]
    remember(outcomes, now)
    judged = Shared(SHARED, [outcome.shared() for outcome in outcomes])
    update_rows(Attestation, TIMES, writes.renewed, constants=answered)
    update_rows(Attestation, (*TIMES, "registers_key", "others"), writes.shifted, constants=answered)
    update_rows(Attestation, (*TIMES, *OWN), writes.appraised, shared=judged, constants=answered)
    update_rows(Attestation, (), writes.waiting, constants=answered)
    update_rows(Attestation, ("silence",), writes.silent, constants=silent)
    update_rows(Attestation, ("silence",), writes.withdrawn, constants=withdrawn)
    update_rows(Attestation, ("due_at",), [(id_, min(at, due_at)) for id_, at in writes.again.items()])


def _next_turn(server: Server, now: datetime) -> datetime:
    """Early enough that the tick which finds the hosts due comes within the server's interval."""
    longest = server.interval - min(conf.tick(), server.interval / 2)
    return now + longest * random.uniform(1 - JITTER, 1)  # noqa: S311 - spreads load, guards nothing


def _jitter() -> float:
    return random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
