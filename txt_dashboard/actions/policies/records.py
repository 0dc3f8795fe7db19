"""What must outlive a worker while it changes agents' policies."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.policies.change import Change
from txt_dashboard.actions.policies.sort import Case
from txt_dashboard.models import AgentPolicy, AgentStand, Publication, PublicationState, Server
from txt_dashboard.servers.policed import PolicedAgent

RETRY = timedelta(minutes=5)


def under_way(server: Server) -> list[Change]:
    """All changes that were begun and not finished, by whoever."""
    rows = AgentPolicy.objects.filter(attestation__server=server, change__isnull=False)
    return [Change.read(row.pk, row.change) for row in rows.order_by("pk") if row.change is not None]


def write_stands(cases: Iterable[Case], gone: Iterable[int]) -> None:
    """Writes what differs from what is on file; what is under way stays as it is."""
    new: list[AgentPolicy] = []
    other: list[AgentPolicy] = []
    for case in cases:
        row = case.subject.known or AgentPolicy(attestation_id=case.subject.id)
        said = (case.stand, case.version, case.problem, case.command)
        if case.subject.known and said == (row.stand, row.version, row.problem, row.command):
            continue
        row.stand, row.version, row.problem, row.command = said
        (other if case.subject.known else new).append(row)
    AgentPolicy.objects.bulk_create(new, ignore_conflicts=True)
    AgentPolicy.objects.bulk_update(other, ["stand", "version", "problem", "command"], batch_size=500)
    AgentPolicy.objects.filter(pk__in=list(gone), change__isnull=True).delete()


def begin(case: Case, server: Server, said: Mapping[str, object], *, first: bool, now: datetime) -> Change | None:
    """Keeps what is about to be done, before it is done; `None` where somebody has begun already.

    The activity log then holds what the server forgets by it.
    """
    agent, before = case.agent, case.agent.policy
    detail = {"agent": agent.id, "first": first, **_changed(before, case.wanted), "forgets": dict(agent.forgets)}
    host = case.subject.host
    with transaction.atomic():
        begun = audit.intend(
            at=now, actor="worker", verb="rewrite policy", target=server.name, host=host, detail=detail
        )
    change = Change(
        case.subject.id, host, agent.id, case.version, before, case.wanted, said, first=first, begun=begun, since=now
    )
    free = AgentPolicy.objects.filter(pk=case.subject.id, change__isnull=True)
    return change if free.update(change=change.stored(), try_at=None) else None


def keep(change: Change) -> None:
    """Keeps how far a change has come."""
    AgentPolicy.objects.filter(pk=change.attestation_id, change__isnull=False).update(change=change.stored())


def settle(change: Change, server: Server, outcome: str, now: datetime, *, retry: timedelta | None = None) -> bool:
    """Ends a change; whether it was still under way. With `retry` the agent is left alone so long."""
    values: dict[str, object] = {"change": None, "settled_at": now}
    if retry is not None:
        values |= {"problem": outcome, "version": change.version, "try_at": now + retry}
    with transaction.atomic():
        if not AgentPolicy.objects.filter(pk=change.attestation_id, change__isnull=False).update(**values):
            return False
        audit.record(
            at=now, actor="worker", verb="policy rewritten", target=server.name, host=change.host, of=change.begun,
            detail={"agent": change.agent, "outcome": outcome},
        )  # fmt: skip
    return True


def leave(case: Case, why: str, now: datetime, pause: timedelta = RETRY) -> None:
    """It can't be done now, and is tried again after a while."""
    values = {"stand": AgentStand.KEPT, "problem": why, "version": case.version, "try_at": now + pause}
    AgentPolicy.objects.filter(pk=case.subject.id).update(**values)


def publications(server: Server, versions: Iterable[str], now: datetime) -> dict[str, Publication]:
    """The row of each version, made where it is missing."""
    wanted = sorted(set(versions))
    found = {row.version: row for row in Publication.objects.filter(server=server, version__in=wanted)}
    new = [
        Publication(server=server, baseline="", mle={}, version=version, changed_at=now)
        for version in wanted
        if version not in found
    ]
    if new:
        Publication.objects.bulk_create(new, ignore_conflicts=True)
        return {row.version: row for row in Publication.objects.filter(server=server, version__in=wanted)}
    return found


def prove(row: Publication, state: PublicationState, now: datetime, *, host: str = "", why: str = "") -> None:
    """Writes what is known of a version; nothing where that is on file."""
    host = host or row.first_host
    if (row.state, row.first_host, row.problem) == (state, host, why):
        return
    row.state, row.first_host, row.problem, row.changed_at = state, host, why, now
    row.save(update_fields=["state", "first_host", "problem", "changed_at"])


def reactivate(case: Case, server: Server, now: datetime) -> int | None:
    """Notes that an agent is about to be reactivated; the entry's number, `None` where somebody did it meanwhile."""
    last = case.subject.known.reactivated_at if case.subject.known else None
    mine = AgentPolicy.objects.filter(pk=case.subject.id, change__isnull=True, reactivated_at=last)
    with transaction.atomic():
        if not mine.update(reactivated_at=now):
            return None
        detail = {"agent": case.agent.id, "failed with": case.agent.forgets.get("last_event_id")}
        host = case.subject.host
        return audit.intend(
            at=now, actor="worker", verb="reactivate agent", target=server.name, host=host, detail=detail
        )


def reactivated(case: Case, server: Server, begun: int, outcome: str, now: datetime) -> None:
    """What came of it."""
    with transaction.atomic():
        audit.record(
            at=now, actor="worker", verb="agent reactivated", target=server.name, host=case.subject.host, of=begun,
            detail={"agent": case.agent.id, "outcome": outcome},
        )  # fmt: skip


def failed_with(agent: PolicedAgent) -> str:
    """Why the server does not attest it, as a clause."""
    event = agent.forgets.get("last_event_id")
    return f"the server found it untrusted: {event}" if event and agent.failed else "the server did not attest it"


def _changed(before: str, after: str) -> dict[str, Mapping[str, str]]:
    """The registers whose values differ."""
    olds, news = _as_lists(before), _as_lists(after)
    differing: Sequence[str] = [index for index in news if olds.get(index) != news[index]]
    return {
        "before": {f"register {index}": olds.get(index, "") for index in differing},
        "after": {f"register {index}": news[index] for index in differing},
    }


def _as_lists(policy: str) -> dict[str, str]:
    read = json.loads(policy)
    return {
        index: ", ".join(sorted(str(value).lower() for value in ([some] if isinstance(some, str) else some)))
        for index, some in read.items()
        if index != "mask"
    }
