"""What an instance's owner may know of its host: a state, why in one of few sentences, and no name. Pure.

Nova tells owners `hostId`, which is sha224(project id + the compute service's host): it says that two instances of
one project share a host, and not which host that is. Held against the hosts that we know, it finds the one.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reasons import gettext_noop

ROUNDED_TO = timedelta(minutes=5)  # moments that owners are told: finer ones would tell hosts apart
MEANS_NOT = gettext_noop(
    "Trusted says that what the host's hardware measured when it booted is what people approved, and that the "
    "evidence is recent. It says nothing of attacks inside an instance or its applications, which leave no trace "
    "there, nor of what happened on the host after it booted."
)
# In which an instance stays where it is. All others, also those that a later Nova brings, are doubtful.
SETTLED_STATUSES = frozenset(
    {"ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "RESCUE", "SHELVED", "REBOOT", "HARD_REBOOT"}
)
OUT_OF_SIGHT = "UNKNOWN"  # the status of instances in a cell that is down
_WITHOUT_HOST = frozenset({"SHELVED_OFFLOADED"})


class Why(Enum):
    """Why an instance's host is in its state: its value is (code, sentence). No other reason is ever told."""

    AS_APPROVED = (
        "as_approved",
        gettext_noop("Everything measured when its host booted is as approved, and the evidence is recent."),
    )
    NOT_AS_APPROVED = (
        "not_as_approved",
        gettext_noop("What its host measured when it booted is not what was approved."),
    )
    EVIDENCE_OLD = ("evidence_old", gettext_noop("The evidence for its host has run out, and no newer has come."))
    UNDETERMINED = ("undetermined", gettext_noop("Whether its host is as approved can't be told at the moment."))
    HELD = ("held", gettext_noop("Somebody must look into its host before it can be trusted again."))
    NOT_ATTESTED = ("not_attested", gettext_noop("Its host is not attested."))
    HOST_NOT_KNOWN = ("host_not_known", gettext_noop("Which host it is on can't be told."))
    NO_HOST = ("no_host", gettext_noop("It is on no host at the moment."))
    ON_ITS_WAY = (
        "on_its_way",
        gettext_noop("It is being moved or changed, or that failed, so its host is not certain at the moment."),
    )
    OUT_OF_SIGHT = ("out_of_sight", gettext_noop("The cloud can't say where it is at the moment."))
    OUTDATED = ("outdated", gettext_noop("Where it is was last seen too long ago."))

    @property
    def code(self) -> str:
        """The stable name that the database, the API and the pages share."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """In English; pages translate it."""
        return self.value[1]

    @classmethod
    def of(cls, code: str) -> "Why":
        """The reason with this code; raises `KeyError` for an unknown one."""
        return _BY_CODE[code]


_BY_CODE = {why.code: why for why in Why}
_BY_STATE = {
    State.TRUSTED: Why.AS_APPROVED,
    State.UNTRUSTED: Why.NOT_AS_APPROVED,
    State.STALE: Why.EVIDENCE_OLD,
    State.UNKNOWN: Why.UNDETERMINED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a hypervisor stands, whoever asks. `since` is `None` where that is not known."""

    state: State
    why: Why
    since: datetime | None = None

    @property
    def trusted(self) -> bool:
        """Whether instances that ask for trust may be on it."""
        return self.state is State.TRUSTED


HELD = Standing(State.UNKNOWN, Why.HELD)
NOT_ATTESTED = Standing(State.UNKNOWN, Why.NOT_ATTESTED)
HOST_NOT_KNOWN = Standing(State.UNKNOWN, Why.HOST_NOT_KNOWN)


def host_id(project_id: str, service_host: str) -> str:
    """As Nova computes it."""
    return hashlib.sha224(f"{project_id}{service_host}".encode()).hexdigest()


def hosts_by_id(project_id: str, service_hosts: Iterable[str], wanted: Iterable[str]) -> Mapping[str, str]:
    """Which of the compute services' hosts these host ids mean, as far as they mean any."""
    asked = frozenset(wanted) - {""}
    if not asked:
        return {}
    hashed = ((host_id(project_id, host), host) for host in service_hosts)
    return {digest: host for digest, host in hashed if digest in asked}


def standing_of(state: State, since: datetime | None) -> Standing:
    """An attested host in this state."""
    return Standing(state, _BY_STATE[state], since)


def judge(status: str, task: str, *, placed: bool, host: Standing) -> Standing:
    """What is said of an instance: as its host stands, unless it is not certain which host that is."""
    doubt = _doubt(status, task, placed=placed)
    return Standing(State.UNKNOWN, doubt) if doubt else host


def is_settled(status: str, task: str, *, placed: bool) -> bool:
    """Whether it is certain on which host the instance is."""
    return _doubt(status, task, placed=placed) is None


def at_stake(*, asks: bool | None, placed: bool, host: Standing) -> bool:
    """Whether an instance asked for a trusted host and is on one that is not; a stopped one too: its disk is there.

    While it is being moved, the host that Nova names counts. OSSN-0059.
    """
    return bool(asks) and placed and not host.trusted


def rounded(moment: datetime | None) -> datetime | None:
    """A moment as owners are told it."""
    if moment is None:
        return None
    past = timedelta(seconds=moment.timestamp() % ROUNDED_TO.total_seconds())
    return (moment - past).replace(microsecond=0).astimezone(UTC)


def _doubt(status: str, task: str, *, placed: bool) -> Why | None:
    if status == OUT_OF_SIGHT:
        return Why.OUT_OF_SIGHT
    if status in _WITHOUT_HOST or (not placed and not task and status in SETTLED_STATUSES):
        return Why.NO_HOST
    if task or status not in SETTLED_STATUSES:
        return Why.ON_ITS_WAY
    return None
