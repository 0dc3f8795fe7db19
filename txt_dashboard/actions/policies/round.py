"""One look at a server's agents: what was begun is finished, and what is not judged by approved values is changed.

A policy that is new to a server is tried on one agent first; the others follow once that one was attested by it. No
transaction is open while a server is told something: what is under way stands in `AgentPolicy.change` before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from txt_dashboard.actions.policies import records
from txt_dashboard.actions.policies.change import Change, Next
from txt_dashboard.actions.policies.reactivate import reactivate
from txt_dashboard.actions.policies.sort import Case, Sorter, subjects, versions
from txt_dashboard.actions.policies.tools import Tools
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.models import AgentStand, Publication, PublicationState, Server
from txt_dashboard.servers.base import ServerError, ServerUnreachable
from txt_dashboard.servers.policed import PolicedAgent, Readmission

BUDGET = timedelta(seconds=60)  # for changing agents; those that are left are changed in the next turn
PROOF = timedelta(minutes=2)  # within which the server must attest an agent anew
UNREACHED = timedelta(minutes=1)  # until an agent that does not answer is asked again
AT_ONCE = 8  # agents that may be out at the same time
GONE_WITHIN = 10.0  # seconds; a verifier waits for the quote that is under way
LOOK = 0.25  # seconds from one look to the next

_UNDER_WAY = frozenset({Next.WAIT, Next.ADD, Next.REMOVE})

log = structlog.get_logger()


class Round:
    """Everything for one server."""

    def __init__(self, server: Server, reference: ReferenceSet, tools: Tools) -> None:
        self._server = server
        self._reference = reference
        self._tools = tools
        self._agents = tools.agents
        self._until = tools.clock() + BUDGET
        self._proofs: dict[str, Publication] = {}

    def run(self) -> bool:
        """Does what can be done; whether something is under way still. Raises `ServerError`, `LeaseLost`."""
        now = self._tools.clock()
        roll = self._agents.roll()
        changing = self._finish(roll)
        cases, gone = self._sorted(roll, now)
        records.write_stands(cases, gone)
        versioned = versions(cases)
        self._proofs |= records.publications(self._server, versioned.keys() - self._proofs.keys(), now)
        busy = {change.attestation_id for change in changing}
        left = False
        for version, some in versioned.items():
            is_tried = any(change.version == version for change in changing)
            left |= self._change_all(self._proofs[version], some, busy, is_tried=is_tried)
        left |= reactivate(
            [case for case in cases if case.subject.id not in busy], self._server, self._tools, self._until
        )
        return left or bool(records.under_way(self._server))

    # --- what was begun

    def _finish(self, roll: Mapping[str, PolicedAgent]) -> list[Change]:
        """Goes on with what was begun, by whoever; returns what is under way still."""
        begun = records.under_way(self._server)
        if not begun:
            return []
        by_id = {agent.id: agent for agent in roll.values()}
        self._proofs = records.publications(self._server, {change.version for change in begun}, self._tools.clock())
        steps = [self._go_on(change, by_id.get(change.agent)) for change in begun]
        told = [change for change, step in steps if step is Next.REMOVE]
        for change in told:
            self._remove(change)
        self._add([change for change, step in steps if step is Next.ADD] + self._wait_until_gone(told))
        return [change for change, step in steps if step in _UNDER_WAY]

    def _go_on(self, change: Change, agent: PolicedAgent | None) -> tuple[Change, Next]:
        """The change as it stands now, and what is to be done about it; where it ended that is on file."""
        now = self._tools.clock()
        late = now - change.since > PROOF
        step = change.next(agent, self._agents, late=late)
        if step is Next.IS_IN:
            change = change.is_in(now)
            records.keep(change)
            step = change.next(agent, self._agents, late=False)
        if step is Next.GOOD:
            self._settle(change, "attested", PublicationState.PROVEN)
        elif step is Next.BAD and agent is not None:
            self._settle(change, records.failed_with(agent), PublicationState.FAILED)
        elif step is Next.STAYED:
            self._settle(change, "the server did not take it out", PublicationState.FAILED, retry=records.RETRY)
        elif step is Next.NOT_OURS:
            records.settle(change, self._server, "somebody else took it out or added it otherwise", now)
        return change, step

    def _settle(self, change: Change, outcome: str, state: PublicationState, retry: timedelta | None = None) -> None:
        now = self._tools.clock()
        if not records.settle(change, self._server, outcome, now, retry=retry) or not change.first:
            return
        failed = state is PublicationState.FAILED
        why = f"{change.host} was tried first, and {outcome}" if failed else ""
        records.prove(self._proofs[change.version], state, now, host=change.host, why=why)

    # --- what is to be done

    def _sorted(self, roll: Mapping[str, PolicedAgent], now: datetime) -> tuple[list[Case], list[int]]:
        sorter = Sorter(self._server, self._reference, self._agents, now)
        ours = subjects(self._server, now)
        cases = [sorter.sort(each, roll[each.host]) for each in ours if each.host in roll]
        return cases, [each.id for each in ours if each.host not in roll and each.known is not None]

    def _change_all(self, proof: Publication, cases: Sequence[Case], busy: set[int], *, is_tried: bool) -> bool:
        """Changes the agents that one version is for, as far as it is proven; whether some are left for now."""
        now = self._tools.clock()
        shown = next((case for case in cases if case.stand is AgentStand.JUDGED and case.agent.attested), None)
        if shown is None and proof.state == PublicationState.PROVEN:
            records.prove(proof, PublicationState.PROVING, now)  # who proved it is not attested by it any more
        elif shown is not None and proof.state != PublicationState.PROVEN:
            records.prove(proof, PublicationState.PROVEN, now, host=shown.subject.host)
        ready = [case for case in cases if case.ready and case.subject.id not in busy]
        if not ready:
            return False
        if proof.state == PublicationState.PROVEN:
            return self._change_some(ready)
        if is_tried or (proof.state == PublicationState.FAILED and now < proof.changed_at + records.RETRY):
            return False
        first = _first(ready, proof)
        if first is None:
            why = "it waits for a host whose own quote proves that it shows what is approved"
            records.prove(proof, PublicationState.PROVING, now, why=why)
            return False
        records.prove(proof, PublicationState.PROVING, now, host=first.subject.host)
        self._take_and_add([first], first=True)
        return True

    def _change_some(self, ready: Sequence[Case]) -> bool:
        for start in range(0, len(ready), AT_ONCE):
            if self._tools.clock() >= self._until:
                return True
            self._take_and_add(ready[start : start + AT_ONCE], first=False)
        return False

    # --- how it is done

    def _take_and_add(self, cases: Sequence[Case], *, first: bool) -> None:
        """Everything that may take long or fail is asked before any of them is out."""
        asked = [(case, again) for case in cases if (again := self._readmission(case)) is not None]
        out = [each for case, again in asked if (each := self._take_out(case, again, first=first)) is not None]
        self._add(self._wait_until_gone(out))

    def _readmission(self, case: Case) -> Readmission | None:
        """All that is needed to add an agent again, with the key that people approved."""
        self._tools.hold()
        try:
            again = self._agents.readmission(case.agent)
        except ServerError as error:
            pause = UNREACHED if isinstance(error, ServerUnreachable) else records.RETRY
            records.leave(case, str(error), self._now, pause)
            return None
        if not self._is_approved(case.subject.host, again.public):
            records.leave(case, "its agent registered another attestation key than the approved one", self._now)
            return None
        return again

    def _is_approved(self, host: str, public: bytes) -> bool:
        approved = self._reference.keys.get((self._server.name, host))
        try:
            return approved is not None and load_key(public).fingerprint == approved.fingerprint
        except FormatError:
            return False

    def _take_out(self, case: Case, again: Readmission, *, first: bool) -> Change | None:
        """Has an agent taken out that still is as it was read; raises `ServerUnreachable`."""
        self._tools.hold()
        try:
            present = self._agents.agent(case.subject.host, case.agent.id)
        except ServerUnreachable:
            raise
        except ServerError as error:
            records.leave(case, str(error), self._now)
            return None
        if not _is_as_read(case.agent, present):
            return None
        change = records.begin(case, self._server, again.said, first=first, now=self._now)
        if change is not None:
            self._remove(change)
        return change

    def _remove(self, change: Change) -> None:
        """What came of it is looked at afterwards, whatever the answer."""
        self._tools.hold()
        try:
            self._agents.remove(change.agent)
        except ServerError as error:
            log.warning("agent not taken out", server=self._server.name, host=change.host, why=str(error))

    def _wait_until_gone(self, changes: Sequence[Change]) -> list[Change]:
        """Those that are out now. The others are looked at in the next turn."""
        waited = 0.0
        while changes:
            there = self._agents.ids()
            if waited >= GONE_WITHIN or not any(each.agent in there for each in changes):
                return [each for each in changes if each.agent not in there]
            self._tools.sleep(LOOK)
            waited += LOOK
        return []

    def _add(self, changes: Sequence[Change]) -> None:
        """Adds agents that are out. One that the server does not take is put back as it was."""
        if not changes:
            return
        refused = {each.agent: why for each in changes if (why := self._tell(each, each.wanted))}
        there = self._agents.ids()
        for each in changes:
            if each.agent in there:
                records.keep(each.is_in(self._now))
            elif each.agent in refused:
                self._put_back(each, refused[each.agent])

    def _put_back(self, change: Change, why: str) -> None:
        if not self._tell(change, change.before) and change.agent in self._agents.ids():
            outcome = f"the server did not take the policy, and has the one from before again: {why}"
            records.settle(change, self._server, outcome, self._now, retry=records.RETRY)
            if change.first:
                records.prove(self._proofs[change.version], PublicationState.FAILED, self._now, why=outcome)

    def _tell(self, change: Change, policy: str) -> str:
        """Why an agent was not added, empty where the server said yes; raises `ServerUnreachable`."""
        self._tools.hold()
        try:
            self._agents.add(change.agent, {**change.said, "tpm_policy": policy})
        except ServerUnreachable:
            raise
        except ServerError as error:
            log.warning("agent not added", server=self._server.name, host=change.host, why=str(error))
            return str(error)
        return ""

    @property
    def _now(self) -> datetime:
        return self._tools.clock()


def _is_as_read(agent: PolicedAgent, now: PolicedAgent) -> bool:
    """Whether nothing changed that was decided by: not its counts, which grow."""
    return all(
        getattr(agent, name) == getattr(now, name)
        for name in ("policy", "shown", "loses", "failed", "attested", "stopped", "leaving", "disproves", "problem")
    )


def _first(ready: Sequence[Case], proof: Publication) -> Case | None:
    """On whom a policy is tried: a host that proves that it matches, best one that the server calls untrusted."""
    fit = [case for case in ready if case.proves]

    def order(case: Case) -> tuple[bool, bool]:
        again = proof.state == PublicationState.FAILED and case.subject.host == proof.first_host
        return again, case.subject.verdict != Verdict.UNTRUSTED.value

    return min(fit, key=order, default=None)
