"""What pages say of agents that are judged each by a policy of its own."""

import re
from itertools import count

import pytest
from django.db import transaction

from tests.factories import NOON
from tests.rows import make_host, make_server
from tests.web.visitors import visitor
from txt_dashboard import audit
from txt_dashboard.models import AgentPolicy, Attestation, PolicyRound, Publication

pytestmark = pytest.mark.django_db
COMMAND = 'keylime_tenant -c update -u agent --tpm_policy \'{"17": ["<ab>"]}\' --runtime-policy RUNTIME_POLICY_FILE'


@pytest.fixture
def keylime():
    server = make_server("keylime-1", kind="keylime")
    PolicyRound.objects.create(server=server, due_at=NOON, looked_at=NOON)
    stands: dict[str, dict[str, object]] = {
        "hv1": {"stand": "judged"},
        "hv2": {"stand": "kept", "problem": "it has <a policy>", "command": COMMAND},
        "hv3": {"stand": "kept", "problem": "it has <a policy>", "command": COMMAND},
        "hv4": {"stand": "waiting", "change": {"agent": "agent-4"}},
        "hv5": {"stand": "waiting", "problem": "the server is still attesting it"},
    }
    for name, values in stands.items():
        make_host(name, server)
        AgentPolicy.objects.create(attestation=Attestation.objects.get(host__name=name), version="v", **values)
    return server


_visitors = count(1)


def words(path: str) -> str:
    found = visitor("viewer", name=f"v{next(_visitors)}").get(path).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))


def proven(server, **values: object) -> None:
    Publication.objects.create(server=server, baseline="", mle={}, version="v", changed_at=NOON, **values)


def test_baselines_says_how_many_agents_are_judged_by_what_is_approved(keylime) -> None:
    proven(keylime, state="proven", first_host="hv1")
    said = words("/baselines/")
    assert "keylime-1 judges 1 of 5 agents by what is approved" in said
    assert "hv1 was the first to be attested by it" in said
    assert "1 agent is being changed" in said
    assert "hv2 and 1 other: it has &lt;a policy&gt;" in said
    assert "The host's page shows the command to run." in said
    assert "hv5 : the server is still attesting it" in said


def test_baselines_says_whom_the_others_wait_for_and_why_it_failed(keylime) -> None:
    proven(keylime, state="proving", first_host="hv4")
    assert "tried on hv4 first" in words("/baselines/")
    Publication.objects.update(state="failed", problem="hv4 was tried first, and the server did not attest it")
    assert "hv4 was tried first, and the server did not attest it" in words("/baselines/")


def test_baselines_says_nothing_of_agents_where_none_are_rewritten(db) -> None:
    make_server("keylime-1", kind="keylime")
    assert "by what is approved" not in words("/baselines/")


def test_the_activity_log_says_what_was_done_and_what_came_of_it(keylime) -> None:
    of = {"actor": "worker", "target": "keylime-1", "host": "hv4", "at": NOON}
    with transaction.atomic():
        for verb, done in (("rewrite policy", "policy rewritten"), ("reactivate agent", "agent reactivated")):
            begun = audit.intend(verb=verb, detail={"agent": "agent-4"}, **of)
            audit.record(verb=done, of=begun, detail={"outcome": "it is <good>"}, **of)
    said = words("/activity/")
    assert "worker began to rewrite the policy that keylime-1 judges hv4 by" in said
    assert "worker began to reactivate hv4 at keylime-1, which had failed there" in said


def test_a_host_shows_by_what_it_is_judged_and_what_to_run(keylime) -> None:
    assert "what is approved, at keylime-1, too" in words("/hosts/hv1/")
    assert "What to run instead" in words("/hosts/hv2/")
    assert "a policy that is being changed at keylime-1" in words("/hosts/hv4/")
    page = visitor("viewer", name="vincent").get("/hosts/hv2/evidence/").content.decode()
    assert "&#x27;{&quot;17&quot;: [&quot;&lt;ab&gt;&quot;]}&#x27; --runtime-policy RUNTIME_POLICY_FILE" in page
