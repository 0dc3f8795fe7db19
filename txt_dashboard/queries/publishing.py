"""What of the approved values is at the servers, and what is there that nobody approved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import Baseline, Part, ReferenceSet, measure
from txt_dashboard.models import Attestation, Publication, PublicationState, Registering, Whitelisted
from txt_dashboard.servers import KINDS


@dataclass(frozen=True, slots=True)
class Published:
    """How far one baseline has come at one server that takes golden values."""

    server: str
    baseline: Baseline
    there: bool  # the server judges hosts by it; else: approved here, not yet there
    waiting: int  # hosts that show it while the server says untrusted
    problem: str = ""  # why it can't be written, or was not found good


@dataclass(frozen=True, slots=True)
class Kept:
    """Hosts that show approved values, and why their server can't be told so."""

    server: str
    problem: str
    hosts: int


@dataclass(frozen=True, slots=True)
class AtServers:
    """What of the approved values is not where it should be, and what is there that should not be; a page of it."""

    taking: bool  # whether a server that counts takes golden values at all
    reading: bool  # whether one shows what it judges by
    missing: list[Published]
    kept: list[Kept]
    unapproved: list[Whitelisted]
    more: int


def takes_values(reference: ReferenceSet) -> bool:
    """Whether a server that counts can be told golden values."""
    return any(KINDS[reference.servers[name].kind].whitelist for name in reference.counting)


def at_servers(reference: ReferenceSet, now: datetime, *, most: int = 20) -> AtServers:
    """The servers' own lists against the set in force. Six queries, or none where no server shows values."""
    taking = takes_values(reference)
    if not any(KINDS[reference.servers[name].kind].shows_values for name in reference.counting):
        return AtServers(taking=taking, reading=False, missing=[], kept=[], unapproved=[], more=0)
    missing = sorted(
        (each for each in published(reference, now) if not each.there),
        key=lambda each: (not each.problem, -each.waiting, each.server, each.baseline.name),
    )
    kept, strange = kept_back(), unapproved(reference, now)
    more = sum(max(0, len(each) - most) for each in (missing, kept, strange))
    return AtServers(
        taking=taking, reading=True, missing=missing[:most], kept=kept[:most], unapproved=strange[:most], more=more
    )


def published(reference: ReferenceSet, now: datetime) -> list[Published]:
    """Every baseline in force, at each server that counts and takes golden values. Four queries."""
    servers = [
        name for name in sorted(reference.counting) if KINDS[reference.servers[name].kind].whitelist is not None
    ]
    read = _read_back()
    written = {(row.server.name, row.baseline): row for row in Publication.objects.select_related("server")}
    waiting = _waiting()
    found = []
    for server in servers:
        for baseline in reference.baselines:
            if baseline.not_after and baseline.not_after <= now:
                continue
            row = written.get((server, baseline.id))
            known = any(holds(values, baseline) for values in read.get((server, baseline.part), ()))
            there = known or (row is not None and row.state == PublicationState.PROVEN)
            hosts = sum(waiting.get((server, key), 0) for key in _measured(server, baseline, reference))
            found.append(Published(server, baseline, there, hosts, row.problem if row and not there else ""))
    return found


def kept_back() -> list[Kept]:
    """The hosts that can't be registered anew, by server and by why."""
    rows = Registering.objects.exclude(problem="").values_list("attestation__server__name", "problem")
    return [Kept(*row) for row in rows.annotate(hosts=Count("id")).order_by("attestation__server__name", "problem")]


def unapproved(reference: ReferenceSet, now: datetime) -> list[Whitelisted]:
    """What hosts are judged by at servers that count, and nobody approved; with its server."""
    rows = Whitelisted.objects.filter(server__counts=True).select_related("server").order_by("server__name", "id")
    return [row for row in rows if not is_approved(row, reference, now)]


def is_approved(row: Whitelisted, reference: ReferenceSet, now: datetime) -> bool:
    """Whether all that the MLE names is what one baseline in force names, for each pool whose hosts it judges.

    Servers that know no parts mix what ours name: there each value must be one that some baseline names.
    """
    if row.problem or not row.values:
        return False
    values, part = read_values(row), Part(row.part)
    if KINDS[row.server.kind].whitelist is None:
        return all(_named(values, pool, reference, now) for pool in row.pools or [""])
    fitting = [each for each in reference.baselines if each.part is part and holds(values, each)]
    return all(any(each.applies(pool, now) for each in fitting) for pool in row.pools or [""])


def holds(values: Values, baseline: Baseline) -> bool:
    """Whether an MLE holds values of this baseline, some or all, and nothing else."""
    same = baseline.bank is Bank.SHA1 and bool(values)
    return same and all(baseline.values.get(index) == value for index, value in values.items())


def _named(values: Values, pool: str, reference: ReferenceSet, now: datetime) -> bool:
    applying = [each.values for each in reference.baselines if each.applies(pool, now)]
    return all(any(each.get(index) == value for each in applying) for index, value in values.items())


def read_values(row: Whitelisted) -> Values:
    """The values of an MLE that was read back."""
    return {int(index): bytes.fromhex(value) for index, value in row.values.items()}


def _read_back() -> dict[tuple[str, Part], list[Values]]:
    found: dict[tuple[str, Part], list[Values]] = {}
    for row in Whitelisted.objects.filter(problem="").select_related("server"):
        found.setdefault((row.server.name, Part(row.part)), []).append(read_values(row))
    return found


def _waiting() -> dict[tuple[str, str], int]:
    """Hosts whose server alone says untrusted, by server and measurement."""
    waiting: dict[tuple[str, str], int] = {}
    rows = Attestation.objects.filter(reason=Reason.SERVER_UNTRUSTED.code)
    counted = rows.values_list("server__name", "platform_id", "vmm_id").annotate(hosts=Count("id"))
    for server, platform, vmm, hosts in counted.order_by():
        for key in (platform, vmm):
            if key:
                waiting[server, key] = waiting.get((server, key), 0) + hosts
    return waiting


def _measured(server: str, baseline: Baseline, reference: ReferenceSet) -> Iterable[str]:
    """The keys of the measurements that match this baseline under the policies of the server."""
    needs = {need for (of, _), policy in reference.policies.items() if of == server for need in policy.requirements}
    return {measure(need, {baseline.bank: baseline.values}).key for need in needs if baseline.covers(need)}
