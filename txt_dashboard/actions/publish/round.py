"""One batch's hosts that show approved values, registered anew with their server and asked again.

A baseline that is new to a server is tried on one host first; the others follow once that one is found good. No
transaction is open while a server is told something: what is under way stands in `Registering` before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.claim import Claim
from txt_dashboard.actions.outcome import judge
from txt_dashboard.actions.publish import records
from txt_dashboard.actions.publish.lagging import Lagging
from txt_dashboard.actions.publish.plan import CannotPublish, Plan, plan
from txt_dashboard.attest.appraisal import Match
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.evidence import Evidence
from txt_dashboard.attest.pcr import Values
from txt_dashboard.models import Attestation, Publication, PublicationState
from txt_dashboard.servers.base import AnswerUnusable, AttestationServer, Batch, Clock, ServerError, ServerUnreachable
from txt_dashboard.servers.mle import MleRef, Registration
from txt_dashboard.servers.whitelist import Whitelist

BUDGET = timedelta(seconds=60)  # for telling the server; hosts that are left are due again at once
PAUSE = timedelta(seconds=3)
MOST_ASKED_FOR = 20  # hosts whose registrations are asked for one by one
STILL_UNTRUSTED = "the server has the approved values, and still says untrusted"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tools:
    """What a round works with."""

    server: AttestationServer
    whitelist: Whitelist
    appraiser: Appraiser
    clock: Clock


@dataclass(slots=True)
class Result:
    """What came of a round, by ids of attestations. Those in neither keep the answer that they had."""

    polled: list[tuple[Batch, frozenset[int]]] = field(default_factory=list)
    postponed: set[int] = field(default_factory=set)  # to be asked again soon: nothing is known of them yet
    problems: dict[str, int] = field(default_factory=dict)  # how many hosts each keeps from it


def extend(claim: Claim, now: datetime) -> bool:
    """Keeps these rows for as long as a round takes; whether they still are this worker's."""
    held = Attestation.objects.filter(lease=claim.lease, id__in=[row.id for row in claim.rows])
    return held.update(lease_until=now + claim.server.lease + BUDGET) == len(claim.rows)


def postpone(claim: Claim, ids: set[int], now: datetime) -> None:
    """Gives rows back unanswered. What was known of them goes on to run out."""
    held = Attestation.objects.filter(lease=claim.lease, id__in=ids)
    held.update(lease="", lease_until=None, due_at=now + PAUSE)


class Round:
    """One batch's worth of it."""

    def __init__(self, claim: Claim, lagging: Sequence[Lagging], tools: Tools, number: int) -> None:
        self._claim = claim
        self._lagging = lagging
        self._tools = tools
        self._number = number  # of the signed set
        self._until = tools.clock() + BUDGET
        self._result = Result()
        self._registered: list[Lagging] = []
        self._stopped = False

    def run(self) -> Result:
        """Does what can be done; raises `ServerError` only where nothing was begun."""
        plans = self._plans()
        if not plans:
            return self._result
        mles = {change.mle.ref: change.baseline.id for _, each in plans for change in each.changes}
        rows = records.publications(self._claim.server, mles, self._tools.clock())
        begun = self._intend(sorted(map(str, mles)), len(plans))
        for lagging, each in plans:
            self._publish(lagging, each, [rows[change.mle.ref.version] for change in each.changes])
        self._poll_again()
        again = sum(len(ids) for _, ids in self._result.polled)
        self._conclude(begun, again)
        return self._result

    def _plans(self) -> list[tuple[Lagging, Plan]]:
        registered = self._registrations()
        refs = {ref for each in registered.values() for ref in (each.bios, each.vmm) if ref is not None}
        held: dict[MleRef, Values | None] = {ref: self._manifest(ref) for ref in refs}
        plans = []
        for each in self._lagging:
            try:
                current = registered.get(each.row.host.lower())
                plans.append((each, plan(current, each, held, self._tools.whitelist.registers)))
            except CannotPublish as why:
                self._leave(each, str(why))
        return plans

    def _registrations(self) -> Mapping[str, Registration]:
        whitelist = self._tools.whitelist
        names = [each.row.host for each in self._lagging]
        if len(names) > MOST_ASKED_FOR:
            return {each.host.lower(): each for each in whitelist.registrations()}
        found = (whitelist.registration(name) for name in names)
        return {each.host.lower(): each for each in found if each is not None}

    def _manifest(self, ref: MleRef) -> Values | None:
        try:
            return self._tools.whitelist.manifest(ref)
        except AnswerUnusable:
            return None  # whatever it holds, nobody approved that

    def _publish(self, lagging: Lagging, planned: Plan, rows: Sequence[Publication]) -> None:
        now = self._tools.clock()
        given_up = next((row for row in rows if records.is_given_up(row, now)), None)
        if given_up is not None:
            self._leave(lagging, given_up.problem)
            return
        unproven = [row for row in rows if row.state != PublicationState.PROVEN]
        if self._stopped or now >= self._until or not records.take_to_prove(unproven, now, self._until):
            self._result.postponed.add(lagging.row.id)
            return
        for row in unproven:
            row.refresh_from_db()  # another worker may have proved it before we got it
        unproven = [row for row in unproven if row.state != PublicationState.PROVEN]
        try:
            self._tell(lagging, planned, rows, unproven)
        except ServerUnreachable as error:
            log.warning("publishing broke off", server=self._claim.server.name, why=str(error))
            self._stopped = True
            self._result.postponed.add(lagging.row.id)
        finally:
            records.release([row.pk for row in rows])

    def _tell(
        self, lagging: Lagging, planned: Plan, rows: Sequence[Publication], unproven: Sequence[Publication]
    ) -> None:
        """Raises `ServerUnreachable`."""
        try:
            for change in planned.changes:
                self._tools.whitelist.add_mle(change.mle)
        except ServerUnreachable:
            raise
        except ServerError as error:
            self._settle_proof(rows, PublicationState.FAILED, lagging, str(error))
            self._leave(lagging, str(error))
            return
        records.begin(lagging.row.id, planned.wanted, self._number, self._tools.clock())
        if problem := register(
            self._tools.whitelist, lagging.row.id, planned.wanted, self._number, self._tools.clock
        ):
            self._count(problem)
        elif unproven:
            self._prove(lagging, unproven)
        else:
            self._registered.append(lagging)

    def _prove(self, lagging: Lagging, unproven: Sequence[Publication]) -> None:
        batch = self._tools.server.attest([lagging.row.host])
        self._result.polled.append((batch, frozenset({lagging.row.id})))
        if self._is_good(batch, lagging):
            self._settle_proof(unproven, PublicationState.PROVEN, lagging, "")
        else:
            self._settle_proof(unproven, PublicationState.FAILED, lagging, STILL_UNTRUSTED)
            self._leave(lagging, STILL_UNTRUSTED)

    def _poll_again(self) -> None:
        """All that were registered anew, in one request."""
        if not self._registered:
            return
        ids = frozenset(each.row.id for each in self._registered)
        try:
            batch = self._tools.server.attest([each.row.host for each in self._registered])
        except ServerError as error:
            log.warning("poll after publishing failed", server=self._claim.server.name, why=str(error))
            self._result.postponed |= ids
            return
        self._result.polled.append((batch, ids))
        for each in self._registered:
            if not self._is_good(batch, each):
                self._leave(each, STILL_UNTRUSTED)

    def _is_good(self, batch: Batch, lagging: Lagging) -> bool:
        answer = batch.answers.get(lagging.row.host)
        if not isinstance(answer, Evidence):
            return False
        return judge(answer, lagging.rules, self._tools.appraiser).result.match is Match.TRUSTED

    def _settle_proof(self, rows: Sequence[Publication], state: PublicationState, lagging: Lagging, why: str) -> None:
        records.settle_proof(rows, state, self._tools.clock(), host=lagging.row.host, why=why)

    def _leave(self, lagging: Lagging, why: str) -> None:
        records.note(lagging.row.id, why, self._number, self._tools.clock())
        self._count(why)

    def _count(self, why: str) -> None:
        self._result.problems[why] = self._result.problems.get(why, 0) + 1

    def _intend(self, mles: Sequence[str], hosts: int) -> int:
        """What the activity log says before anything is written at the server; the entry's number."""
        detail = {"mles": mles, "hosts": hosts}
        with transaction.atomic():
            return audit.intend(
                at=self._tools.clock(), actor="worker", verb="publish", target=self._name, detail=detail
            )

    def _conclude(self, begun: int, registered: int) -> None:
        detail = {"registered": registered, "postponed": len(self._result.postponed), "why": self._result.problems}
        with transaction.atomic():
            audit.record(
                at=self._tools.clock(), actor="worker", verb="published", target=self._name, of=begun, detail=detail
            )

    @property
    def _name(self) -> str:
        return self._claim.server.name


def register(whitelist: Whitelist, attestation_id: int, wanted: Registration, number: int, clock: Clock) -> str:
    """Does what stands in `Registering`; why it can't be done, empty where it is. Raises `ServerUnreachable`."""
    try:
        whitelist.register(wanted)
    except ServerUnreachable:
        raise
    except AnswerUnusable as error:
        # Nobody knows how far it came: it stays to be done.
        records.stay(attestation_id, str(error), clock())
        return str(error)
    except ServerError as error:
        records.note(attestation_id, str(error), number, clock())
        return str(error)
    records.done(attestation_id)
    return ""
