"""What a host's state follows from, written in one place: every change of it passes here."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from txt_dashboard.attest.alike import Said, evidence_key
from txt_dashboard.attest.appraisal import Freshness, Match, State, agree, state_of
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Attestation, Host, HostEvent
from txt_dashboard.models.attestation import counts_at
from txt_dashboard.models.bulk import Ids, Shared, insert_rows, update_rows
from txt_dashboard.queries.reference import current_reference

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A host whose state, reason or measurement changed."""

    name: str
    pool: str
    previous: str
    state: str


class _Standing(NamedTuple):
    """What of one attestation its host's state follows from; JSON stays text, so that equal ones are told fast."""

    fresh: Freshness
    match: str
    reason: str
    reason_params: str
    differing: str
    platform: str | None
    vmm: str | None
    silence: str | None
    server: str
    server_failures: int
    server_error: str
    server_id: int
    verdict: str
    voucher: str
    doubt: str | None


class _Step(NamedTuple):
    """From which state to which, and why: what many hosts that change together have in common."""

    previous: str
    state: str
    reason: str
    params: tuple[tuple[str, str], ...]
    differing: tuple[int, ...]
    platform: str | None
    vmm: str | None
    evidence_key: str


def settle(host_ids: Collection[int], *, now: datetime, remeasured: Collection[int] = ()) -> list[Change]:
    """Derives the state of these hosts from their attestations; writes what changed, and its history.

    `remeasured` are hosts whose measurement changed: they get a row of history even where the state
    stays. Four statements for up to 500 hosts, and one more where only the words of the reason, or what tells hosts
    apart, changed.
    """
    changes: list[Change] = []
    ids = sorted(host_ids)
    for start in range(0, len(ids), CHUNK):
        changes += _settle(ids[start : start + CHUNK], now, frozenset(remeasured))
    return changes


def _settle(ids: Sequence[int], now: datetime, remeasured: frozenset[int]) -> list[Change]:
    # Locked before the attestations are read, so that two workers can't both record one change.
    hosts = Host.objects.select_for_update(no_key=True).filter(id__in=Ids(ids)).order_by("id")
    hosts = hosts.annotate(params=Cast("reason_params", TextField()), differed=Cast("differing", TextField()))
    rows = list(hosts.values_list("id", "name", "pool", "state", "reason", "params", "differed", "evidence_key"))
    standings = _standings(ids, now)
    counting = current_reference().counting
    step_of, read = cache(_step), cache(json.loads)  # most hosts of a batch are alike
    changes: list[Change] = []
    steps: dict[_Step, list[int]] = defaultdict(list)
    retold: list[tuple[object, ...]] = []
    for id_, name, pool, state, reason, params, differed, key in rows:
        step = step_of(state, tuple(standings.get(id_, ())), counting)
        if (state, reason) != (step.state, step.reason) or id_ in remeasured:
            changes.append(Change(name, pool, state, step.state))
            steps[step].append(id_)
        elif key != step.evidence_key or (read(params), read(differed)) != (dict(step.params), list(step.differing)):
            retold.append((id_, dict(step.params), step.differing, step.evidence_key))
    _write(steps, now)
    update_rows(Host, ("reason_params", "differing", "evidence_key"), retold)
    return changes


def _write(steps: Mapping[_Step, Sequence[int]], now: datetime) -> None:
    """Writes what the hosts of each step became, and their history."""
    columns = ("state", "reason", "reason_params", "differing")
    became = [(step.state, step.reason, dict(step.params), step.differing) for step in steps]
    keyed = [(*each, step.evidence_key) for each, step in zip(became, steps, strict=True)]
    moved: list[tuple[int, int]] = []
    stayed: list[tuple[int, int]] = []
    for number, (step, ids) in enumerate(steps.items()):
        (stayed if step.state == step.previous else moved).extend((id_, number) for id_ in ids)
    written = (*columns, "evidence_key")
    update_rows(Host, (), moved, shared=Shared(written, keyed), constants={"since": now})
    update_rows(Host, (), stayed, shared=Shared(written[1:], [each[1:] for each in keyed]))
    before = [(now, step.previous, step.platform, step.vmm) for step in steps]
    history = [(*each, *other) for each, other in zip(became, before, strict=True)]
    shared = Shared((*columns, "at", "previous_state", "platform", "vmm"), history)
    insert_rows(HostEvent, ("host",), moved + stayed, shared=shared)


def _standings(host_ids: Sequence[int], now: datetime) -> Mapping[int, Sequence[_Standing]]:
    """The attestations of each host that has any."""
    texts = {f"{name}_text": Cast(name, TextField()) for name in ("reason_params", "differing", "silence", "doubt")}
    # The database compares the times: to read two of them for each host would take longer than all the rest.
    counts = counts_at(now)
    columns = (
        "host_id", "counts", "never", "match", "reason", "reason_params_text", "differing_text", "platform_id",
        "vmm_id", "silence_text", "server__name", "server__failures", "server__error",
        "server_id", "verdict", "voucher", "doubt_text",
    )  # fmt: skip
    rows = Attestation.objects.filter(host_id__in=Ids(host_ids)).order_by("id")
    rows = rows.annotate(**texts, counts=counts, never=Q(counts_from=None) | Q(valid_until=None))
    standings = defaultdict(list)
    for host_id, counting, never, *rest in rows.values_list(*columns):
        fresh = Freshness.NEVER if never else Freshness.FRESH if counting else Freshness.STALE
        standings[host_id].append(_Standing(fresh, *rest))
    return standings


def _step(previous: str, known: Sequence[_Standing], counting: frozenset[str]) -> _Step:
    """What becomes of a host that was `previous`; without an attestation that counts nothing is known."""
    key = evidence_key(map(_said, known))
    standings = [each for each in known if each.server in counting]
    if not standings:
        nothing = Reason.SERVER_OBSERVED if known else Reason.NEVER_ATTESTED
        observed = tuple(("server", each.server) for each in known[:1])
        return _Step(previous, State.UNKNOWN.value, nothing.code, observed, (), None, None, key)
    states = [state_of(Match(each.match), each.fresh) for each in standings]
    state = agree(states)
    decisive = standings[states.index(state)]
    reason, params = _reason(decisive, state)
    pairs, differing = tuple(sorted(params.items())), tuple(json.loads(decisive.differing))
    return _Step(previous, state.value, reason, pairs, differing, decisive.platform, decisive.vmm, key)


def _said(standing: _Standing) -> Said:
    ever = standing.fresh is not Freshness.NEVER
    doubt = json.loads(standing.doubt)["code"] if standing.doubt else ""
    shown = standing.platform, standing.vmm
    return Said(standing.server_id, ever, standing.verdict, standing.voucher, doubt, *shown)


def _reason(standing: _Standing, state: State) -> tuple[str, dict[str, str]]:
    if state in (State.TRUSTED, State.UNTRUSTED) or standing.fresh is Freshness.FRESH:
        return standing.reason, {**json.loads(standing.reason_params), "server": standing.server}
    if standing.silence is not None:
        silence = json.loads(standing.silence)
        return silence["code"], {**silence["params"], "server": standing.server}
    if standing.fresh is Freshness.NEVER:
        return Reason.NEVER_ATTESTED.code, {}
    if standing.server_failures:
        return Reason.SERVER_UNREACHABLE.code, {"server": standing.server, "detail": standing.server_error}
    return Reason.EVIDENCE_EXPIRED.code, {}
