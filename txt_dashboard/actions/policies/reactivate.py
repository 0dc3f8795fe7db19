"""Agents that failed at their server, and whose hosts match again."""

from collections.abc import Sequence
from datetime import datetime

from txt_dashboard.actions.policies import records
from txt_dashboard.actions.policies.sort import Case
from txt_dashboard.actions.policies.tools import Tools
from txt_dashboard.models import Server
from txt_dashboard.servers.base import ServerError

TOLD = "the server was told to attest it again"


def reactivate(cases: Sequence[Case], server: Server, tools: Tools, until: datetime) -> bool:
    """Has those attested again that may be; whether there were any. Raises `LeaseLost`."""
    done = False
    for case in cases:
        if not case.again:
            continue
        if tools.clock() >= until:
            return True
        tools.hold()
        done |= _reactivate(case, server, tools)
    return done


def _reactivate(case: Case, server: Server, tools: Tools) -> bool:
    try:
        if case.agent.silent:
            tools.agents.answers(case.agent.id)
    except ServerError:
        return False  # it still can't be reached
    begun = records.reactivate(case, server, tools.clock())
    if begun is None:
        return False
    outcome = TOLD
    try:
        tools.agents.reactivate(case.agent.id)
    except ServerError as error:
        outcome = str(error)
    records.reactivated(case, server, begun, outcome, tools.clock())
    return True
