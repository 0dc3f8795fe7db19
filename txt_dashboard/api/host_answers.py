"""Hosts as the API tells of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from txt_dashboard.api.host_types import (
    Comparison,
    Diff,
    Event,
    Evidence,
    Held,
    History,
    Host,
    HostRowAnswer,
    How,
    Part,
    Register,
    RegisterChange,
    Said,
    Why,
    WhyEvent,
)
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.eventlog.why import Change
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Host as HostRow
from txt_dashboard.queries.history import Entry, HistoryPage
from txt_dashboard.queries.host import Testimony, lapsed_at
from txt_dashboard.queries.register import Register as RegisterView
from txt_dashboard.queries.table import Row

MOST_EVENTS = 40  # of one register, that two logs say differently


def row_of(row: Row) -> HostRowAnswer:
    """A row of the list."""
    return HostRowAnswer(
        name=row.name,
        pool=row.pool,
        state=State(row.state),
        reason=row.reason,
        sentence=sentence(row.reason, row.reason_params),
        since=row.since,
        attested_at=row.attested_at,
        differing=row.differing,
        baselines=list(row.baselines),
        word_of=row.word_of,
        observed=row.observed,
    )


def host_of(host: HostRow, said: Sequence[Testimony]) -> Host:
    """One host with what its servers say."""
    return Host(**head_of(host), since=lapsed_at(host, said) or host.since, servers=[_said(each) for each in said])


def head_of(host: HostRow) -> dict[str, Any]:
    """What every answer about one host begins with."""
    return {
        "name": host.name,
        "pool": host.pool,
        "state": _state(host),
        "reason": _reason(host),
        "sentence": sentence(_reason(host), host.reason_params),
    }


def diff_of(host: HostRow, said: Sequence[Testimony], version: str) -> Diff:
    """One host's registers, golden against actual."""
    since, servers = lapsed_at(host, said) or host.since, [_comparison(each) for each in said]
    return Diff(**head_of(host), since=since, servers=servers, version=version)


def history_of(host: HostRow, page: HistoryPage) -> History:
    """A stretch of a host's history."""
    older = page.older
    return History(
        **head_of(host),
        items=[_event(each) for each in page.entries],
        next=f"{older[0].isoformat()}~{older[1]}" if older else None,
    )


def evidence_of(host: HostRow, said: Sequence[Testimony], now: datetime) -> Evidence:
    """All that is held of a host."""
    return Evidence(**head_of(host), written_at=now, evidence=[_held(each) for each in said])


def sentence(code: str, params: Mapping[str, object]) -> str:
    """A reason's sentence; a code that we do not know (any more) is shown as it is."""
    try:
        reason = Reason.of(code)
    except KeyError:
        return code
    known: defaultdict[str, object] = defaultdict(lambda: "?", {"server": "the server", **params})
    return reason.sentence.format_map(known)


def _said(each: Testimony) -> Said:
    row = each.attestation
    return Said(
        server=row.server.name,
        counts=row.server.counts,
        simulated=row.server.simulated,
        verdict=each.evidence.verdict if each.evidence else None,
        match=each.ours,
        sentence=str(each.result.finding) if each.result else str(each.silence or Reason.NEVER_ATTESTED.sentence),
        agree=each.agree,
        freshness=each.freshness,
        asking=each.asking,
        attested_at=row.attested_at,
        valid_until=row.valid_until,
        silence=str(each.silence) if each.silence else None,
    )


def _comparison(each: Testimony) -> Comparison:
    parts = [
        Part(
            part=part.part,
            outcome=part.outcome,
            baseline=part.baseline.name if part.baseline else None,
            baseline_id=part.baseline.id if part.baseline else None,
        )
        for part in each.parts
    ]
    said = _said(each).model_dump()
    return Comparison(
        **said,
        launch=each.launch.value,
        proposable=list(each.proposable),
        parts=parts,
        differing=[_register(row) for row in each.differing],
        missing=[_register(row) for row in each.missing],
        uncompared=[_register(row) for row in each.uncompared],
        matching=[_register(row) for row in each.matching],
        others=[_register(row) for row in each.others],
    )


def _register(row: RegisterView) -> Register:
    return Register(
        bank=row.bank,
        index=row.index,
        measures=row.meaning.measures,
        changes=row.meaning.changes,
        golden=row.golden.hex() if row.golden is not None else None,
        actual=row.actual.hex() if row.actual is not None else None,
        unlaunched=row.unlaunched,
        why=_why(row.why) if row.why else None,
    )


def _why(change: Change) -> Why:
    events = [
        *((How.REMOVED, None, each) for each in change.removed),
        *((How.ADDED, None, each) for each in change.added),
        *((How.CHANGED, old, new) for old, new in change.changed),
        *((How.MOVED, old, new) for old, new in change.moved),
    ]
    told = [
        WhyEvent(how=how, text=each.story.text, before=old.story.text if old else None, kind=each.kind)
        for how, old, each in events[:MOST_EVENTS]
    ]
    return Why(sentence=f"{change.sentence[:1].upper()}{change.sentence[1:]}.", events=told)


def _event(entry: Entry) -> Event:
    event = entry.event
    changes = [
        RegisterChange(
            part=each.part,
            bank=each.bank,
            index=each.index,
            before=each.before.hex() if each.before is not None else None,
            after=each.after.hex() if each.after is not None else None,
        )
        for each in entry.changes
    ]
    return Event(
        at=event.at,
        previous_state=State(event.previous_state),
        state=State(event.state),
        reason=event.reason,
        sentence=sentence(event.reason, event.reason_params),
        differing=event.differing,
        changes=changes,
    )


def _held(each: Testimony) -> Held:
    row, shown = each.attestation, each.evidence
    registers = {
        str(bank): {str(index): value.hex() for index, value in sorted(values.items())}
        for bank, values in sorted(each.registers.items())
    }
    return Held(
        server=row.server.name,
        counts=row.server.counts,
        simulated=row.server.simulated,
        freshness=each.freshness,
        asked_at=row.asked_at,
        attested_at=row.attested_at,
        counts_from=row.counts_from,
        valid_until=row.valid_until,
        verdict=shown.verdict if shown else None,
        vouched_for_by=row.voucher or None,
        doubt=str(shown.finding) if shown and shown.finding else None,
        registers=registers,
        details=row.details,
    )


def _state(host: HostRow) -> State:
    return State(host.shown_state)  # type: ignore[attr-defined]


def _reason(host: HostRow) -> str:
    return str(host.shown_reason)  # type: ignore[attr-defined]
