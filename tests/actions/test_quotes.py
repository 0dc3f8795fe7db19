"""Quotes end to end: over real HTTP from the simulated fleet, through the worker, to a host's state."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.quoted_fleet import HOSTS, Fleet, fleet
from txt_dashboard.actions.attestation_keys import propose_new_key, propose_shown_keys
from txt_dashboard.actions.permissions import COMMAND_LINE, Invalid, NotFound
from txt_dashboard.attest.entries import key_id
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Attestation, EventLog, Host, MeasuredLog, Quoted, Server
from txt_dashboard.simulator.startkit import SERVER

pytestmark = pytest.mark.django_db

HOST, OTHER = HOSTS


def test_without_approved_keys_a_host_is_trusted_by_the_servers_word_and_its_key_is_shown(sim) -> None:
    sim.poll()
    assert sim.state() == ("trusted", "matches")
    assert sim.voucher() == "server"
    shown = Quoted.objects.get(attestation__host__name=HOST)
    assert (shown.bound, bytes(shown.approved), shown.counters) == ("", b"", None)
    assert shown.public


def test_with_an_approved_key_the_quote_vouches_for_the_registers(sim) -> None:
    sim.proven()
    assert sim.state() == ("trusted", "matches")
    assert sim.voucher() == "quote"
    row = Quoted.objects.get(attestation__host__name=HOST)
    assert row.counters[0] == 3


def test_every_request_has_a_long_nonce_that_was_never_used(sim) -> None:
    sim.proven()
    nonces = [asked["nonce"] for asked in sim.asked]
    assert len(set(nonces)) == len(nonces) == 3
    assert {len(bytes.fromhex(nonce)) for nonce in nonces} == {32}


def refused(sim: Fleet, host: str = HOST) -> str:
    """The reason, once the next poll has been judged."""
    sim.poll()
    state, reason = sim.state(host)
    assert state == "unknown"
    assert not any(Attestation.objects.get(host__name=host).others.values())
    return reason


def detail(host: str = HOST) -> str:
    return str(Host.objects.get(name=host).reason_params["detail"])


def row_of(answer, host: str = HOST):
    return next(row for row in answer["quotes"] if row["host_name"] == host)


def test_a_replayed_quote_is_refused(sim) -> None:
    kept = {}
    sim.tamper = lambda answer: kept.update(json.loads(json.dumps(row_of(answer))))
    sim.proven()
    sim.tamper = lambda answer: row_of(answer).update({**kept, "vtime": row_of(answer)["vtime"]})
    assert refused(sim) == Reason.QUOTE_REJECTED.code
    assert "another nonce" in detail()
    assert sim.state(OTHER)[0] == "trusted"


def test_another_hosts_quote_is_refused(sim) -> None:
    sim.proven()
    sim.tamper = lambda answer: row_of(answer).update({**row_of(answer, OTHER), "host_name": HOST})
    assert refused(sim) == Reason.TPM_IDENTITY_CHANGED.code


def test_another_hosts_quote_beside_this_hosts_key_is_refused(sim) -> None:
    sim.proven()

    def swap(answer) -> None:
        row_of(answer).update({**row_of(answer, OTHER), "host_name": HOST, "public": row_of(answer)["public"]})

    sim.tamper = swap
    assert refused(sim) == Reason.QUOTE_REJECTED.code
    assert "not by this key" in detail()


def test_other_registers_than_asked_for_are_refused(sim) -> None:
    sim.proven()
    sim.before_quote = lambda asked: asked.update(selection={"sha1": [0, 1]})
    assert refused(sim) == Reason.QUOTE_REJECTED.code
    assert "Other registers are quoted" in detail()


def test_reported_values_that_the_tpm_did_not_sign_are_refused(sim) -> None:
    sim.proven()
    sim.tamper = lambda answer: row_of(answer)["pcrs"]["sha1"].update({"0": "ab" * 20})
    assert refused(sim) == Reason.QUOTE_REJECTED.code
    assert "not those that the TPM signed" in detail()


def test_a_changed_key_needs_approval_and_its_history_is_kept(sim) -> None:
    sim.proven()
    sim.approve_key(HOST, of=OTHER)
    sim.forget_key(OTHER)
    assert refused(sim) == Reason.TPM_IDENTITY_CHANGED.code
    sim.approve_key(HOST)
    sim.poll()
    assert sim.state() == ("trusted", "matches")
    assert Host.objects.get(name=HOST).events.filter(reason=Reason.TPM_IDENTITY_CHANGED.code).exists()


def test_a_key_of_two_hosts_proves_nothing_of_either(sim) -> None:
    sim.proven()
    sim.approve_key(OTHER, of=HOST)
    sim.poll()
    assert sim.state(HOST) == sim.state(OTHER) == ("unknown", Reason.TPM_KEY_SHARED.code)


def test_evidence_that_a_retired_key_proved_counts_no_more_at_once(sim) -> None:
    sim.proven()
    sim.forget_key(HOST)
    sim.server.enabled = False
    Server.objects.update(enabled=False)
    sim.worker.turn()
    assert sim.state()[0] == "unknown"
    assert sim.state(OTHER)[0] == "trusted"


def test_a_policy_may_ask_for_a_quote(sim) -> None:
    sim.poll()
    sim.ask_for_quotes()
    sim.poll(1)
    assert sim.state() == ("unknown", Reason.QUOTE_MISSING.code)
    sim.poll()
    assert sim.state() == ("unknown", Reason.TPM_KEY_MISSING.code)
    sim.approve_key(HOST)
    sim.poll()
    assert sim.state() == ("trusted", "matches")
    assert sim.state(OTHER) == ("unknown", Reason.TPM_KEY_MISSING.code)


def test_where_a_quote_is_asked_for_none_and_a_word_is_not_enough(sim) -> None:
    sim.proven()
    sim.ask_for_quotes()
    sim.poll()
    assert sim.state()[0] == "trusted"
    sim.before_quote = lambda asked: asked.update(selection={})
    sim.poll()
    assert sim.state() == ("unknown", Reason.QUOTE_MISSING.code)
    assert "refused" in Quoted.objects.get(attestation__host__name=HOST).problem


def test_a_host_that_gives_no_quote_is_held_by_the_word_where_that_is_enough(sim) -> None:
    sim.proven()
    sim.tamper = lambda answer: row_of(answer).update(refusal="timeout")
    sim.poll()
    assert (sim.state()[0], sim.voucher(), sim.voucher(OTHER)) == ("trusted", "server", "quote")


def test_counters_that_went_back_are_believed_no_more_until_people_looked(sim) -> None:
    sim.proven()
    ahead = {"counters": [9, 0, 10**12]}
    Quoted.objects.filter(attestation__host__name=HOST).update(**ahead)
    for _ in range(2):
        sim.poll()
        assert sim.state() == ("unknown", Reason.TPM_ROLLED_BACK.code)
    kept = Quoted.objects.get(attestation__host__name=HOST)
    assert kept.counters == ahead["counters"]
    key = bytes(kept.public)
    sim.forget_key(HOST)
    sim.worker.turn()
    assert bytes(Quoted.objects.get(attestation__host__name=HOST).public) == key
    sim.approve_key(HOST)
    sim.poll()
    assert sim.state() == ("trusted", "matches")


def test_hosts_without_an_approved_key_are_asked_once_to_see_theirs(sim) -> None:
    for _ in range(3):
        sim.poll()
    assert len(sim.asked) == 1


def test_logs_are_fetched_once_and_remembered_for_what_they_lead_to(sim) -> None:
    sim.proven()
    rows = Quoted.objects.select_related("attestation")
    assert all(row.log_id and row.log_of == row.attestation.registers_key for row in rows)
    of = Attestation.objects.get(host__name=HOST)
    led = set(MeasuredLog.objects.values_list("measurement", flat=True))
    assert {of.platform_id, of.vmm_id} <= led
    EventLog.objects.update(size=1)  # would be written anew if it were fetched again
    sim.poll()
    assert not EventLog.objects.exclude(size=1).exists()


def test_the_keys_that_a_server_shows_are_proposed_at_once_as_its_word(sim) -> None:
    sim.poll()
    words = {"title": "First keys", "reason": "Compared with the purchase list.", "now": sim.clock()}
    proposal = propose_shown_keys(COMMAND_LINE, SERVER, **words)
    changes = proposal.patch["changes"]
    assert changes.keys() == {key_id(SERVER, host) for host in HOSTS}
    assert {change["after"]["source"] for change in changes.values()} == {"server"}
    for host in HOSTS:
        sim.approve_key(host)
    with pytest.raises(Invalid, match="no usable key"):
        propose_shown_keys(COMMAND_LINE, SERVER, **words)
    with pytest.raises(NotFound):
        propose_new_key(COMMAND_LINE, SERVER, "nobody", reason="It was replaced.", now=sim.clock())


def test_a_server_that_does_not_pass_on_quotes_is_asked_for_none(sim) -> None:
    Server.objects.update(passes_quotes=False)
    sim.poll()
    assert not sim.asked
    assert sim.state() == ("trusted", "matches")
    assert not Quoted.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_hosts(sim) -> None:
    from tests.rows import make_host  # noqa: PLC0415

    def statements() -> int:
        sim.poll()
        with CaptureQueriesContext(connection) as captured:
            sim.poll()
        return len(captured)

    sim.proven()
    few = statements()
    more = [host.name for host in sim.served.fleet.hosts if host.name.startswith("az2-")][2:12]
    for name in more:
        make_host(name, sim.server, "az2")
    sim.poll()
    for name in more:
        sim.approve_key(name)
    sim.poll()
    assert statements() == few


def test_whether_a_server_passes_on_quotes_is_seen_when_its_hosts_are_listed() -> None:
    with fleet(hosts=10) as small:
        Server.objects.update(passes_quotes=False, listed_at=None)
        Attestation.objects.update(due_at=small.clock() + timedelta(days=1))
        small.worker._list_hosts()
        assert Server.objects.get(name=SERVER).passes_quotes
        small.served.server.dialect.routes.pop(("POST", "/AttestationService/resources/quotes"))
        Server.objects.update(listed_at=None)
        small.worker._list_hosts()
        assert not Server.objects.get(name=SERVER).passes_quotes


def test_the_command_proposes_the_keys_that_a_server_shows(sim, capsys) -> None:
    sim.poll()
    call_command("load_keys", "--shown", server=SERVER, reason="The first day.")
    assert "waits for approval: 2 keys" in capsys.readouterr().out
