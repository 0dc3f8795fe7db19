"""One agent's change of policy, from before it is taken out until the server attested it anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from txt_dashboard.servers.policed import PolicedAgent, PolicedAgents


class Next(StrEnum):
    """What is to be done about a change that was begun, by what the server shows now."""

    WAIT = "wait"
    ADD = "add"  # it is out
    IS_IN = "is in"  # again, with the wanted policy
    GOOD = "good"  # attested by the wanted policy
    BAD = "bad"  # failed by it, or was not attested in time
    REMOVE = "remove"  # again: it is there as it was
    STAYED = "stayed"  # whatever it was told
    NOT_OURS = "not ours"  # somebody else took it out or added it otherwise meanwhile


@dataclass(frozen=True, slots=True)
class Change:
    """All that is needed to finish it, whoever does."""

    attestation_id: int
    host: str
    agent: str
    version: str  # attest.allowed.Allowed.key
    before: str  # the agent's policy
    wanted: str
    said: Mapping[str, object]  # servers.policed.Readmission
    first: bool  # on whom the version is tried
    begun: int  # number of the entry in the activity log
    since: datetime  # of the present step
    added: bool = False  # else: it may be out

    def stored(self) -> dict[str, object]:
        """In the form of `AgentPolicy.change`."""
        return {
            "host": self.host,
            "agent": self.agent,
            "version": self.version,
            "before": self.before,
            "wanted": self.wanted,
            "said": dict(self.said),
            "first": self.first,
            "begun": self.begun,
            "since": self.since.isoformat(),
            "added": self.added,
        }

    @classmethod
    def read(cls, attestation_id: int, stored: Mapping[str, object]) -> "Change":
        """From that form."""
        return cls(attestation_id, **{**stored, "since": datetime.fromisoformat(str(stored["since"]))})  # type: ignore[arg-type]

    def is_in(self, now: datetime) -> "Change":
        """The same once the agent is in again."""
        return replace(self, added=True, since=now)

    def next(self, agent: PolicedAgent | None, agents: PolicedAgents, *, late: bool) -> Next:
        """What the server's present answer asks for; `late` once the present step took too long.

        An agent that is not there is added only where it was taken out by us and not added since.
        """
        if agent is None:
            return Next.NOT_OURS if self.added else Next.ADD
        if agent.leaving:
            return Next.NOT_OURS if self.added else Next.WAIT
        if not agents.same(agent.policy, self.wanted):
            if self.added or not self._is_as_before(agent, agents):
                return Next.NOT_OURS
            return Next.STAYED if late else Next.REMOVE
        if not self.added:
            return Next.IS_IN
        if agent.attested:
            return Next.GOOD
        return Next.BAD if agent.failed or late else Next.WAIT

    def _is_as_before(self, agent: PolicedAgent, agents: PolicedAgents) -> bool:
        shown = all(self.said.get(name) == value for name, value in agent.shown.items())
        return shown and not agent.loses and agents.same(agent.policy, self.before)
