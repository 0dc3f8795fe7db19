"""The rest of the Fleet page: the pool map, the facets, and what somebody must do first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Activity, Host, Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.state import lapsed

ACTIVITY_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One host on the pool map."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool with all its hosts, by name."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def trusted_percent(self) -> int:
        """How much of it is trusted, rounded down: 100 means every host."""
        return 100 * sum(cell.state == State.TRUSTED for cell in self.cells) // len(self.cells)


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What is there already, for somebody who begins."""

    servers: bool
    hosts: bool
    baselines: bool

    @property
    def done(self) -> bool:
        """Whether the product can do its work."""
        return self.servers and self.hosts and self.baselines


def pool_map(now: datetime) -> Iterator[Pool]:
    """All hosts in their effective states, pool by pool. Two queries, and all hosts: cache what comes of it."""
    gone = set(Host.objects.filter(lapsed(now)).values_list("name", flat=True))
    rows = Host.objects.order_by("pool", "name").values_list("pool", "name", "state")
    for pool, of_pool in groupby(rows, key=lambda row: row[0]):
        yield Pool(pool, tuple(Cell(name, State.STALE if name in gone else state) for _, name, state in of_pool))


def reasons() -> tuple[str, ...]:
    """Reasons that some host has, beside the two of trust. One query, on the hosts that are not trusted."""
    others = [state for state in State if state is not State.TRUSTED]
    found = set(Host.objects.filter(state__in=others).order_by().values_list("reason", flat=True).distinct())
    found |= {Reason.MATCHES.code, Reason.SERVER_WORD_ALONE.code, Reason.EVIDENCE_EXPIRED.code}
    return tuple(reason.code for reason in Reason if reason.code in found)


def activity() -> tuple[Activity, ...]:
    """What happened last."""
    return tuple(Activity.objects.all()[:ACTIVITY_SHOWN])


def first_steps() -> FirstSteps:
    """What is there already. Three queries."""
    return FirstSteps(Server.objects.exists(), Host.objects.exists(), bool(current_reference().baselines))
