"""Where each agent of a server stands: judged by what is approved, to be changed, or kept as it is and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q

from txt_dashboard.attest.allowed import Allowed, CannotAllow, allowed_by
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import ReferenceSet, Rules
from txt_dashboard.models import AgentPolicy, AgentStand, Attestation, Server
from txt_dashboard.servers.base import ServerError
from txt_dashboard.servers.policed import PolicedAgent, PolicedAgents

REACTIVATION = timedelta(minutes=5)  # from one of an agent to the next
# With a quote and no doubt: the registers are those of approved baselines, whatever the server says.
PROVEN_REASONS = (Reason.MATCHES.code, Reason.SERVER_UNTRUSTED.code, Reason.SERVER_UNDECIDED.code)


@dataclass(frozen=True, slots=True)
class Subject:
    """A host of ours at this server, and what its own quotes prove."""

    id: int  # of the attestation
    host: str
    pool: str
    reason: str
    verdict: str
    rules_key: str
    differing: list[int]
    proven: bool
    quoted_at: datetime | None
    known: AgentPolicy | None = None

    def proves(self, rules: Rules) -> bool:
        """Whether a quote that still counts showed approved values only."""
        return self.proven and self.rules_key == rules.key


@dataclass(frozen=True, slots=True)
class Case:
    """One agent, and how it stands."""

    subject: Subject
    agent: PolicedAgent
    stand: AgentStand
    version: str = ""
    problem: str = ""
    command: str = ""
    wanted: str = ""  # the policy that it shall have
    proves: bool = False
    ready: bool = False  # may be changed now
    again: bool = False  # may be reactivated now


def proven(now: datetime) -> Q:
    """Attestations whose last quote showed approved values only, and still counts."""
    return Q(voucher=Voucher.QUOTE, doubt__isnull=True, reason__in=PROVEN_REASONS, valid_until__gt=now)


def subjects(server: Server, now: datetime) -> list[Subject]:
    """All hosts of ours at a server. Two queries."""
    known = AgentPolicy.objects.filter(attestation__server=server).in_bulk()
    rows = Attestation.objects.filter(server=server).annotate(proven=proven(now)).order_by("host__name")
    columns = (
        "id",
        "host__name",
        "host__pool",
        "reason",
        "verdict",
        "rules_key",
        "differing",
        "proven",
        "quoted__at",
    )
    return [replace(Subject(*row), known=known.get(row[0])) for row in rows.values_list(*columns)]


class Sorter:
    """Sorts the agents of one server under one signed set."""

    def __init__(self, server: Server, reference: ReferenceSet, agents: PolicedAgents, now: datetime) -> None:
        self._name = server.name
        self._reference = reference
        self._agents = agents
        self._now = now
        self._rules: dict[str, Rules | None] = {}
        self._allowed: dict[str, Allowed | CannotAllow] = {}

    def sort(self, subject: Subject, agent: PolicedAgent) -> Case:
        """Where one of them stands."""
        rules, allowed = self._of(subject.pool)
        if agent.problem or rules is None or isinstance(allowed, CannotAllow):
            return self._kept(subject, agent, agent.problem or str(allowed))
        values = {index: each for index, each in allowed.values.items() if index not in agent.elsewhere}
        if self._agents.allows(agent.policy, values):
            return self._judged(subject, agent, rules, allowed)
        try:
            wanted = self._agents.allowing(agent.policy, values)
        except ServerError as error:
            return self._kept(subject, agent, str(error), allowed)
        if agent.loses:
            return self._kept(subject, agent, _losing(agent), allowed, self._agents.command(agent, wanted))
        if problem := self._speaks_against(subject, agent, allowed):
            return self._kept(subject, agent, problem, allowed)
        return self._waiting(subject, agent, rules, allowed, wanted)

    def _of(self, pool: str) -> tuple[Rules | None, Allowed | CannotAllow]:
        if pool not in self._rules:
            rules = self._rules[pool] = self._reference.rules(self._name, pool, self._now)
            self._allowed[pool] = _allowed(rules)
        return self._rules[pool], self._allowed[pool]

    def _judged(self, subject: Subject, agent: PolicedAgent, rules: Rules, allowed: Allowed) -> Case:
        problem, again = self._failure(subject, agent, rules) if agent.failed else ("", False)
        return Case(
            subject, agent, AgentStand.JUDGED, allowed.key, problem, proves=subject.proves(rules), again=again
        )

    def _failure(self, subject: Subject, agent: PolicedAgent, rules: Rules) -> tuple[str, bool]:
        """Why an agent that failed is left so, and whether it may be reactivated."""
        if agent.stopped:
            return "somebody stopped it at the server, and there it is started again", False
        if not agent.disproves:
            return "it failed for something that its quotes don't show: look into it, and reactivate it there", False
        if not agent.silent and not (subject.proves(rules) and _newer(subject, agent)):
            return "it failed, and no newer quote of ours proves that it matches again", False
        last = subject.known.reactivated_at if subject.known else None
        return "it failed, and is reactivated", last is None or last + REACTIVATION <= self._now

    def _speaks_against(self, subject: Subject, agent: PolicedAgent, allowed: Allowed) -> str:
        if agent.bank and agent.bank != allowed.bank:
            return f"its agent quotes {agent.bank}, and the policy in force requires {allowed.bank}"
        if (self._name, subject.host) not in self._reference.keys:
            return "no attestation key of it is approved, so nobody knows which key to add it with"
        if agent.stopped:
            return "somebody stopped it at the server"
        if not agent.disproves and agent.failed:
            return "it failed for something that its quotes don't show: look into it there"
        row = subject.known
        if row is not None and row.try_at is not None and row.try_at > self._now and row.version == allowed.key:
            return row.problem
        return ""

    def _waiting(self, subject: Subject, agent: PolicedAgent, rules: Rules, allowed: Allowed, wanted: str) -> Case:
        proves = subject.proves(rules)
        if agent.failed and not proves:
            problem = "it failed there, and no quote of ours proves that it matches what is approved"
        elif not agent.failed and not agent.attested:
            problem = "the server is still attesting it"
        elif subject.differing and not agent.failed:
            problem = "what it shows is not approved, so that the server would reject it"
        else:
            problem = ""
        return Case(
            subject, agent, AgentStand.WAITING, allowed.key, problem, wanted=wanted, proves=proves, ready=not problem
        )

    def _kept(
        self, subject: Subject, agent: PolicedAgent, why: str, allowed: Allowed | None = None, command: str = ""
    ) -> Case:
        return Case(subject, agent, AgentStand.KEPT, allowed.key if allowed else "", why, command)


def _allowed(rules: Rules | None) -> Allowed | CannotAllow:
    if rules is None:
        return CannotAllow("no policy is in force for its pool")
    try:
        return allowed_by(rules)
    except CannotAllow as why:
        return why


def _losing(agent: PolicedAgent) -> str:
    return f"taking it out and adding it again would lose what only the server knows: {', '.join(agent.loses)}"


def _newer(subject: Subject, agent: PolicedAgent) -> bool:
    return subject.quoted_at is not None and subject.quoted_at.timestamp() > agent.failed_at


def versions(cases: list[Case]) -> Mapping[str, list[Case]]:
    """Those that shall allow the same, together. Who is judged by less than all of it shows nothing of the others."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        if case.stand is not AgentStand.KEPT and not case.agent.elsewhere:
            found.setdefault(case.version, []).append(case)
    return found
