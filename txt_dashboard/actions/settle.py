"""What a host's state follows from, written in one place: every change of it passes here."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from txt_dashboard.attest.appraisal import Match, State, agree, freshness, state_of
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Attestation, Host, HostEvent
from txt_dashboard.models.bulk import update_rows

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A host whose state, reason or measurement changed."""

    host: Host
    previous: str


def settle(host_ids: Collection[int], *, now: datetime, remeasured: Collection[int] = ()) -> list[Change]:
    """Derives the state of these hosts from their attestations; writes what changed, and its history.

    `remeasured` are hosts whose measurement changed: they get a row of history even where the state
    stays. Four statements for up to 500 hosts.
    """
    changes: list[Change] = []
    ids = sorted(host_ids)
    for start in range(0, len(ids), CHUNK):
        changes += _settle(ids[start : start + CHUNK], now, frozenset(remeasured))
    return changes


def _settle(ids: Sequence[int], now: datetime, remeasured: frozenset[int]) -> list[Change]:
    attestations = defaultdict(list)
    relevant = Attestation.objects.filter(host_id__in=ids).select_related("server").defer("others", "details")
    for each in relevant:
        attestations[each.host_id].append(each)
    changes, events = [], []
    for host in Host.objects.filter(id__in=ids):
        decisive = _decisive(attestations[host.id], now)
        reason, params = _reason(decisive, now)
        state = _state(decisive, now)
        if (host.state, host.reason) == (state, reason.code) and host.id not in remeasured:
            continue
        previous = host.state
        if state != previous:
            host.since = now
        host.state, host.reason, host.reason_params = state, reason.code, params
        host.differing = decisive.differing if decisive else []
        changes.append(Change(host, previous))
        events.append(_event(host, previous, decisive, now))
    update_rows(
        Host,
        ("state", "reason", "reason_params", "differing", "since"),
        [
            (c.host.id, c.host.state, c.host.reason, c.host.reason_params, c.host.differing, c.host.since)
            for c in changes
        ],
    )
    HostEvent.objects.bulk_create(events)
    return changes


def _decisive(attestations: Sequence[Attestation], now: datetime) -> Attestation | None:
    """The attestation that the host's state follows from."""
    if not attestations:
        return None
    states = [_state(each, now) for each in attestations]
    return attestations[states.index(agree(states))]


def _state(attestation: Attestation | None, now: datetime) -> State:
    if attestation is None:
        return State.UNKNOWN
    fresh = freshness(attestation.counts_from, attestation.valid_until, now, answered=attestation.answered)
    return state_of(Match(attestation.match), fresh)


def _reason(attestation: Attestation | None, now: datetime) -> tuple[Reason, dict[str, str]]:
    if attestation is None:
        return Reason.NEVER_ATTESTED, {}
    if _state(attestation, now) in (State.TRUSTED, State.UNTRUSTED) or _counts(attestation, now):
        return Reason.of(attestation.reason), {**attestation.reason_params, "server": attestation.server.name}
    silence = attestation.silence or {}
    if "code" in silence:
        return Reason.of(silence["code"]), {**silence.get("params", {}), "server": attestation.server.name}
    if attestation.counts_from is None:
        return Reason.NEVER_ATTESTED, {}
    if attestation.server.failures:
        failing = {"server": attestation.server.name, "detail": attestation.server.error}
        return Reason.SERVER_UNREACHABLE, failing
    return Reason.EVIDENCE_EXPIRED, {}


def _counts(attestation: Attestation, now: datetime) -> bool:
    start, end = attestation.counts_from, attestation.valid_until
    return start is not None and end is not None and start <= now < end


def _event(host: Host, previous: str, decisive: Attestation | None, now: datetime) -> HostEvent:
    return HostEvent(
        host=host,
        at=now,
        previous_state=previous,
        state=host.state,
        reason=host.reason,
        reason_params=host.reason_params,
        differing=host.differing,
        platform_id=decisive.platform_id if decisive else None,
        vmm_id=decisive.vmm_id if decisive else None,
    )
