"""What a server can do that judges each agent by a policy of the agent's own. `KINDS` says which kinds do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PolicedAgent:
    """One agent as its server shows it.

    `shown` is all that must be told to add it again as it is; `loses` says what the server never shows, so that it
    would be lost. Moments are seconds since 1970 by the server's clock.
    """

    host: str
    id: str
    policy: str
    shown: Mapping[str, object] = field(default_factory=dict)
    loses: tuple[str, ...] = ()
    elsewhere: frozenset[int] = frozenset()  # registers that it is judged by, but not by this policy
    attested: bool = False  # since it was added, and the last quote was good
    failed: bool = False
    silent: bool = False  # failed because it can't be reached
    stopped: bool = False  # by somebody
    leaving: bool = False  # being taken out
    disproves: bool = True  # a quote alone shows that its failure is over
    bank: str = ""  # that it quotes; empty: it has not yet
    failed_at: int = 0  # not after
    forgets: Mapping[str, object] = field(default_factory=dict)  # what the server knows of it until it is added anew
    problem: str = ""  # why nothing else is known of it


@dataclass(frozen=True, slots=True)
class Readmission:
    """What is told a server so that it attests an agent again, and the attestation key in it."""

    agent: str
    said: Mapping[str, object]
    public: bytes

    def by(self, policy: str) -> Mapping[str, object]:
        """The same with this policy."""
        return {**self.said, "tpm_policy": policy}


class PolicedAgents(Protocol):
    """The agents of one server; everything raises `ServerError`.

    What changes something may be called again after any failure, and a *yes* counts for nothing: look afterwards.
    """

    def roll(self) -> Mapping[str, PolicedAgent]:
        """All agents by their hosts' names."""
        ...

    def ids(self) -> frozenset[str]:
        """What the agents are called there; cheaper."""
        ...

    def agent(self, host: str, id_: str) -> PolicedAgent:
        """One of them."""
        ...

    def allows(self, policy: str, values: Mapping[int, frozenset[bytes]]) -> bool:
        """Whether a policy lets these registers have exactly these values; asks nothing."""
        ...

    def allowing(self, policy: str, values: Mapping[int, frozenset[bytes]]) -> str:
        """The policy that does, and is the same else; asks nothing, raises `NotTaken`."""
        ...

    def same(self, policy: str, other: str) -> bool:
        """Whether two policies say the same; asks nothing."""
        ...

    def command(self, agent: PolicedAgent, policy: str) -> str:
        """What a person runs who has what the server never shows; asks nothing."""
        ...

    def readmission(self, agent: PolicedAgent) -> Readmission:
        """All that is needed to add it again; asks the agent itself, too."""
        ...

    def answers(self, id_: str) -> None:
        """Whether the agent itself answers: raises where it does not."""
        ...

    def remove(self, id_: str) -> None:
        """Has the agent taken out."""
        ...

    def add(self, id_: str, said: Mapping[str, object]) -> None:
        """Adds an agent."""
        ...

    def reactivate(self, id_: str) -> None:
        """Has an agent attested again that failed."""
        ...

    def close(self) -> None:
        """Closes its connections."""
        ...
