"""What publishing adds to a poll: before it, what was broken off; after it, hosts whose server lags behind."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import structlog

from txt_dashboard.actions.claim import Claim, ClaimedRow
from txt_dashboard.actions.policies.out import agents_out
from txt_dashboard.actions.publish import records
from txt_dashboard.actions.publish.lagging import Lagging, lagging
from txt_dashboard.actions.publish.round import BUDGET, Result, Round, Tools, extend, postpone, register
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.evidence import NoEvidence
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.models import Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers.base import AttestationServer, Batch, Clock, ServerError, ServerUnreachable
from txt_dashboard.servers.whitelist import Whitelist

BuildWhitelist = Callable[[Server], Whitelist | None]
Part = tuple[tuple[ClaimedRow, ...], Batch]

log = structlog.get_logger()


class Publisher:
    """For one claimed batch. Close it."""

    def __init__(
        self, claim: Claim, server: AttestationServer, build: BuildWhitelist, appraiser: Appraiser, clock: Clock
    ) -> None:
        self._claim = claim
        self._server = server
        self._build = build
        self._appraiser = appraiser
        self._clock = clock
        self._whitelist: Whitelist | None = None
        self._unfinished: set[int] = set()

    def resume(self) -> None:
        """Registers hosts that somebody has begun to register, or asked to have registered. One query if none."""
        begun = records.under_way(self._claim, self._clock())
        if not begun:
            return
        until, number = self._clock() + BUDGET, current_reference().number
        try:
            whitelist = self._connected()
            if whitelist is None or not extend(self._claim, self._clock()):
                return
            for id_, wanted in begun.items():
                if self._clock() < until:
                    register(whitelist, id_, wanted, number, self._clock)
        except ServerError as error:
            log.warning("hosts not registered", server=self._claim.server.name, why=str(error))
        finally:
            self._unfinished = records.unfinished(begun)

    def parts(self, batch: Batch, reference: ReferenceSet) -> Iterator[Part]:
        """The batch in parts to record: at once what is settled, and the others as the server then judges them.

        Rows that come in no part were given back: they are due again soon.
        """
        found = lagging(self._claim, batch, reference, self._appraiser, self._clock())
        rows = {each.row.id: each.row for each in found}
        out = self._out_for_now(batch) | agents_out(self._claim, batch)
        yield tuple(row for row in self._claim.rows if row.id not in rows.keys() | out), batch
        if out:
            postpone(self._claim, out, self._clock())
        if not found:
            return
        claim = replace(self._claim, rows=tuple(rows.values()))
        result = self._round(claim, found, reference.number)
        postpone(claim, result.postponed, self._clock())
        left = rows.keys() - result.postponed
        for polled, ids in result.polled:
            yield tuple(rows[id_] for id_ in sorted(ids & left)), polled
            left -= ids
        yield tuple(rows[id_] for id_ in sorted(left)), batch

    def close(self) -> None:
        """Closes the connection that it opened."""
        if self._whitelist is not None:
            self._whitelist.close()

    def _round(self, claim: Claim, found: tuple[Lagging, ...], number: int) -> Result:
        try:
            whitelist = self._connected()
            if whitelist is None or not extend(claim, self._clock()):
                return Result()
            if records.is_anybody_out(claim.server):
                return Result(postponed={row.id for row in claim.rows})
            tools = Tools(self._server, whitelist, self._appraiser, self._clock)
            result = Round(claim, found, tools, number).run()
            if result.polled:
                records.read_soon(claim.server, self._clock())
            return result
        except ServerUnreachable as error:
            log.warning("not published", server=claim.server.name, why=str(error))
            return Result(postponed={row.id for row in claim.rows})
        except ServerError as error:
            for row in claim.rows:
                records.note(row.id, str(error), number, self._clock())
            return Result()

    def _connected(self) -> Whitelist | None:
        if self._whitelist is None:
            self._whitelist = self._build(self._claim.server)
        return self._whitelist

    def _out_for_now(self, batch: Batch) -> set[int]:
        """Hosts that their server does not know because their registration is not finished."""
        unknown = {row.id for row in self._claim.rows if _is_unknown(batch, row)}
        return self._unfinished & unknown


def _is_unknown(batch: Batch, row: ClaimedRow) -> bool:
    answer = batch.answers.get(row.host)
    return isinstance(answer, NoEvidence) and answer.finding.reason is Reason.NOT_KNOWN_TO_SERVER
