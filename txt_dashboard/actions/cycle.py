"""One turn of a worker: what ran out, what the rules changed, what people asked for, who is due.

Any number of workers take turns at once; every step gives a row to one of them only.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from txt_dashboard import conf
from txt_dashboard.actions.claim import Claim, claim
from txt_dashboard.actions.connect import connect
from txt_dashboard.actions.governance.apply import apply_servers
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.hosts import adopt
from txt_dashboard.actions.policies.turn import BuildAgents, publish_policies
from txt_dashboard.actions.publish.publisher import BuildWhitelist, Publisher
from txt_dashboard.actions.publish.read_back import BuildGolden, read_whitelists
from txt_dashboard.actions.quotes.ask import BuildQuotes, Quoter
from txt_dashboard.actions.quotes.bound import apply_keys
from txt_dashboard.actions.quotes.lists import fetch_lists
from txt_dashboard.actions.quotes.logs import fetch_logs
from txt_dashboard.actions.reappraise import reappraise, reappraise_by_events
from txt_dashboard.actions.record import Bench, log_changes, record_attestations, record_failure
from txt_dashboard.actions.settle import CHUNK, settle
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.audit.keys import sign
from txt_dashboard.audit.watch import check_if_due, write_head_if_due
from txt_dashboard.keyring import KeyringError
from txt_dashboard.models import Attestation, Server
from txt_dashboard.queries.logs import log_of_register
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers.base import AttestationServer, Clock, ServerError

TURN = timedelta(seconds=45)
LISTING = timedelta(minutes=10)

Build = Callable[[Server, Clock], AttestationServer]
log = structlog.get_logger()


class Worker:
    """What a worker process keeps between its turns: the appraisals it made."""

    def __init__(
        self,
        clock: Clock,
        build: Build = connect,
        whitelist: BuildWhitelist | None = None,
        quotes: BuildQuotes | None = None,
        golden: BuildGolden | None = None,
        agents: BuildAgents | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Without `whitelist` servers are told nothing, without `quotes` only their word is asked for.

        Without `golden` only servers that can be told golden values are asked for theirs, without `agents` no agent's
        policy is rewritten. `changed` is called as soon as it is on record that hosts changed.
        """
        self.appraiser = Appraiser(log_of_register)
        self._clock = clock
        self._build = build
        self._unsigned = ""  # why the last head of the activity log could not be signed
        self._whitelist = whitelist or (lambda _server: None)
        self._golden = golden or (lambda server, _clock: self._whitelist(server))
        self._agents = agents or (lambda _server, _clock: None)
        self._quotes = quotes or (lambda _server, _clock: None)
        self._changed = changed

    def turn(self) -> bool:
        """Does what is due, for a while; whether there is more."""
        started = self._clock()
        ran_out = expire(now=started)
        sign_due(started)
        with transaction.atomic():
            reference = current_reference()
            changes = apply_servers(reference, now=started)
            changes += apply_keys(reference, now=started)
            changes += reappraise(reference, self.appraiser, now=started)
            log_changes("rules in force", changes, started)
        if ran_out or changes:
            self._changed()
        check_if_due(started)
        self._sign_head(started)
        self._test_servers()
        self._list_hosts()
        read_whitelists(self._golden, self._clock)
        publish_policies(self._agents, self._clock)
        while self._clock() - started < TURN:
            claimed = claim(self._clock())
            if claimed is None:
                return False
            self._poll(claimed)
        return True

    def _sign_head(self, now: datetime) -> None:
        try:
            write_head_if_due(sign, now)
        except KeyringError as error:
            if self._unsigned != str(error):
                log.error("activity_head_not_signed", why=str(error))
            self._unsigned = str(error)
        else:
            self._unsigned = ""

    def _poll(self, claimed: Claim) -> None:
        """Asks for one batch. No transaction is open while a server is asked."""
        try:
            server = self._build(claimed.server, self._clock)
        except ServerError as error:
            self._failed(claimed, error)
            return
        publisher = Publisher(claimed, server, self._whitelist, self.appraiser, self._clock)
        quoter = Quoter(claimed, self._quotes, self._clock)
        with closing(server), closing(publisher), closing(quoter):
            publisher.resume()
            try:
                batch = server.attest([row.host for row in claimed.rows])
            except ServerError as error:
                self._failed(claimed, error)
                return
            bench = Bench(current_reference(), self.appraiser, conf.clock_tolerance())
            changed = 0
            for rows, answers in publisher.parts(batch, bench.reference):
                joined = quoter.join(rows, answers, bench.reference)
                part = replace(claimed, rows=rows)
                moved = len(record_attestations(part, joined, bench, now=self._clock()))
                changed += moved
                if moved:
                    self._changed()
                if joined.taken:
                    came = fetch_logs(quoter, [each.id for each in joined.taken], self._clock)
                    self._judge_by_events(came, bench.reference)
                    fetch_lists(quoter, [each.id for each in joined.taken], self._clock)
        log.info("polled", server=claimed.server.name, hosts=len(claimed.rows), changed=changed)

    def _judge_by_events(self, ids: Sequence[int], reference: ReferenceSet) -> None:
        """Hosts whose registers nothing explained, before these logs came."""
        if not ids or not any(each.events for each in reference.baselines):
            return
        now = self._clock()
        with transaction.atomic():
            changes = reappraise_by_events(ids, reference, self.appraiser, now=now)
            log_changes("event logs", changes, now)

    def _failed(self, claimed: Claim, error: ServerError) -> None:
        record_failure(claimed, error, now=self._clock())
        log.warning("poll failed", server=claimed.server.name, hosts=len(claimed.rows), why=str(error))

    def _test_servers(self) -> None:
        now = self._clock()
        free = Q(test_leased_until=None) | Q(test_leased_until__lte=now)
        for row in Server.objects.filter(free, test_requested_at__isnull=False):
            mine = Server.objects.filter(free, id=row.id, test_requested_at=row.test_requested_at)
            if mine.update(test_leased_until=now + row.lease):
                passed, result = self._test(row)
                Server.objects.filter(id=row.id, test_requested_at=row.test_requested_at).update(
                    test_requested_at=None,
                    test_leased_until=None,
                    tested_at=self._clock(),
                    test_passed=passed,
                    test_result=result,
                )

    def _test(self, row: Server) -> tuple[bool, str]:
        try:
            server = self._build(row, self._clock)
            try:
                return True, server.test()
            finally:
                server.close()
        except ServerError as error:
            return False, str(error)

    def _list_hosts(self) -> None:
        """Hosts that a server knows appear by themselves."""
        now = self._clock()
        due = Q(listed_at=None) | Q(listed_at__lte=now - LISTING)
        for row in Server.objects.filter(due, enabled=True, failures=0):
            if Server.objects.filter(due, id=row.id).update(listed_at=now):
                try:
                    with closing(self._build(row, self._clock)) as server:
                        names = server.hosts()
                    self._look_for_quotes(row)
                except ServerError as error:
                    log.warning("hosts not listed", server=row.name, why=str(error))
                else:
                    adopt(row, names, now=self._clock())

    def _look_for_quotes(self, row: Server) -> None:
        """Whether the server passes on quotes: only those that do are asked at each poll."""
        server = self._quotes(row, self._clock)
        if server is None:
            return
        with closing(server):
            offers = server.offers_quotes()
        Server.objects.filter(id=row.id).exclude(passes_quotes=offers).update(passes_quotes=offers)


def expire(*, now: datetime) -> int:
    """Hosts whose evidence ran out are stale, from the first turn after that moment on; how many became so."""
    shown = Q(host__state=State.TRUSTED) | Q(host__state=State.UNKNOWN)
    run_out = Attestation.objects.run_out(now).filter(shown, server__counts=True).values_list("host_id", flat=True)
    ids = sorted(set(run_out))
    changed = 0
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            changes = settle(ids[start : start + CHUNK], now=now)
            log_changes("evidence ran out", changes, now)
        changed += len(changes)
    return changed
