"""How far approved values have come to agents that are judged each by a policy of its own."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from txt_dashboard.models import AgentPolicy, AgentStand, PolicyRound, Publication

MOST = 10  # reasons that a page names
_LEFT = (
    "Agents were being changed when the settings stopped naming this server, or it stopped counting. One that is out"
    " there is added again by whoever runs it, or by us once that is so again."
)


@dataclass(frozen=True, slots=True)
class Held:
    """Agents that are not judged by what is approved for one reason, and one of their hosts."""

    problem: str
    agents: int
    host: str
    command: bool  # a person may do what we don't

    @property
    def others(self) -> int:
        """How many agents beside that host's."""
        return self.agents - 1


@dataclass(frozen=True, slots=True)
class Progress:
    """One server's agents."""

    server: str
    agents: int
    judged: int  # by what is approved
    changing: int
    waiting: list[Held]
    kept: list[Held]
    more: int  # reasons that are not named
    failing: list[Held]  # judged by it, and failed at the server
    proofs: list[Publication]  # of what they are judged by, or shall be
    looked_at: datetime | None
    problem: str


def progress() -> list[Progress]:
    """Of all servers whose agents' policies are rewritten, or were and left something unfinished. Three queries."""
    rounds = {row.server_id: row for row in PolicyRound.objects.select_related("server")}
    columns = ("attestation__server_id", "attestation__server__name", "attestation__host__name", "stand", "problem")
    rows = AgentPolicy.objects.order_by("attestation__server__name", "attestation__host__name")
    agents: dict[tuple[int, str], list[_Agent]] = {}
    for server_id, name, *rest in rows.values_list(*columns, "version", "command", "change__agent"):
        agents.setdefault((server_id, name), []).append(_Agent(*rest))
    for row in rounds.values():
        agents.setdefault((row.server_id, row.server.name), [])
    proofs = list(Publication.objects.filter(server_id__in=rounds).exclude(version=""))
    return [_of(name, some, rounds.get(id_), proofs) for (id_, name), some in sorted(agents.items(), key=_by_name)]


@dataclass(frozen=True, slots=True)
class _Agent:
    host: str
    stand: str
    problem: str
    version: str
    command: str
    changing: str | None  # what the server calls it


def _by_name(each: tuple[tuple[int, str], list[_Agent]]) -> str:
    return each[0][1]


def _of(name: str, agents: list[_Agent], row: PolicyRound | None, proofs: list[Publication]) -> Progress:
    judged = [each for each in agents if each.stand == AgentStand.JUDGED]
    waiting = _held([each for each in agents if each.stand == AgentStand.WAITING and each.problem])
    kept = _held([each for each in agents if each.stand == AgentStand.KEPT])
    versions = {each.version for each in agents}
    return Progress(
        server=name,
        agents=len(agents),
        judged=len(judged),
        changing=sum(each.changing is not None for each in agents),
        waiting=waiting[:MOST],
        kept=kept[:MOST],
        more=max(0, len(waiting) - MOST) + max(0, len(kept) - MOST),
        failing=_held([each for each in judged if each.problem])[:MOST],
        proofs=[each for each in proofs if row and each.server_id == row.server_id and each.version in versions],
        looked_at=row.looked_at if row else None,
        problem=row.problem if row else _LEFT,
    )


def _held(agents: list[_Agent]) -> list[Held]:
    counts = Counter(each.problem for each in agents)
    first = {each.problem: each for each in reversed(agents)}
    commands = {each.problem for each in agents if each.command}
    return [Held(problem, count, first[problem].host, problem in commands) for problem, count in counts.most_common()]
