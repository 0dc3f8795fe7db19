"""Baselines by events, end to end: quotes and logs over real HTTP, and hosts that have disks of their own."""

import base64
import json
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.quoted_fleet import HOSTS, Fleet
from tests.rows import put_set
from txt_dashboard.actions.retention import prune
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.entries import baseline_entry, baseline_id, read_baseline
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.varying import Structure, baseline
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline
from txt_dashboard.models import Activity, Attestation, EventLog, Quoted, RegisterLog
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.impact import impact
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.logs import log_of_register, register_key, unpack
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.simulator.wire import ATTESTATION, Reply

pytestmark = pytest.mark.django_db

HOST, OTHER = HOSTS
REGISTERS = [0, 2, 5, 7]


def log_row(host: str) -> EventLog:
    row = Quoted.objects.get(attestation__host__name=host).log
    assert row is not None
    return row


def value(host: str, index: int) -> bytes:
    return bytes.fromhex(Quoted.objects.get(attestation__host__name=host).reported["sha256"][str(index)])


def golden(host: str, *, events: bool = True) -> Baseline:
    """What a host shows, with a disk that may be another."""
    log = parse(unpack(log_row(host)) or b"")
    by_events = {5: baseline(log, Bank.SHA256, 5, {1: Structure.PARTITIONS})} if events else {}
    template = {
        "name": f"As on {host}",
        "part": "platform",
        "bank": "sha256",
        "values": {str(index): value(host, index).hex() for index in REGISTERS},
        "pools": [],
        "not_before": None,
        "not_after": None,
    }
    return replace(read_baseline("baseline:0", template), events=by_events)


def require(voucher: str = "quote") -> None:
    """The policy asks for register 5, in a bank that the server's word does not hold."""
    entries = {
        id_: {**entry, "voucher": voucher, "parts": {"platform": {"bank": "sha256", "registers": REGISTERS}}}
        for id_, entry in in_force().set.entries.items()
        if id_.startswith("policy:")
    }
    put_set(entries)


def approve(*baselines: Baseline) -> None:
    put_set({baseline_id(each): baseline_entry(each) for each in baselines})


def tamper_logs(sim: Fleet, change: object) -> None:
    routes = sim.served.server.dialect.routes
    honest = routes["GET", f"{ATTESTATION}/eventlog"]

    def answer(request: object) -> Reply:
        reply = honest(request)
        return change(reply)  # type: ignore[operator]

    routes["GET", f"{ATTESTATION}/eventlog"] = answer


def ready(sim: Fleet) -> None:
    require()
    sim.proven()
    approve(golden(HOST))
    sim.poll()


def test_a_host_with_another_disk_is_trusted_by_its_events(sim) -> None:
    ready(sim)
    assert value(HOST, 5) != value(OTHER, 5)
    assert (sim.state(HOST), sim.state(OTHER)) == (("trusted", "matches"), ("trusted", "matches"))


def test_without_events_it_is_not(sim) -> None:
    require()
    sim.proven()
    approve(golden(HOST, events=False))
    sim.poll()
    assert sim.state(OTHER) == ("untrusted", "registers_differ")


def forget_logs() -> None:
    """As if none had ever come."""
    Quoted.objects.update(log=None, log_of="")
    RegisterLog.objects.all().delete()


def test_a_log_that_is_kept_back_leaves_it_open_until_it_comes(sim) -> None:
    require()
    sim.proven()
    known = golden(HOST)
    forget_logs()
    honest = sim.served.server.dialect.routes["GET", f"{ATTESTATION}/eventlog"]
    tamper_logs(sim, lambda reply: Reply(503, b""))
    approve(known)
    sim.poll()
    assert sim.state(HOST) == ("trusted", "matches")
    assert sim.state(OTHER) == ("unknown", "events_unproven")
    sim.served.server.dialect.routes["GET", f"{ATTESTATION}/eventlog"] = honest
    sim.poll()
    assert sim.state(OTHER) == ("trusted", "matches")


def test_a_log_with_other_data_than_was_measured_excuses_nothing(sim) -> None:
    require()
    sim.proven()
    known = golden(HOST)
    forget_logs()

    def spoil(reply: Reply) -> Reply:
        document = json.loads(reply.body)
        log = base64.b64decode(document["eventlog"]).replace(b"r\0o\0o\0t\0", b"b\0o\0o\0t\0")
        return replace(reply, body=json.dumps({**document, "eventlog": base64.b64encode(log).decode()}).encode())

    tamper_logs(sim, spoil)
    approve(known)
    sim.poll()
    assert sim.state(OTHER) == ("untrusted", "events_differ")


def test_an_honest_log_takes_the_place_of_a_spoilt_one(sim) -> None:
    ready(sim)
    key = register_key(Bank.SHA256, 5, value(OTHER, 5))
    row = RegisterLog.objects.get(pk=key)
    spoilt = zlib.decompress(bytes(row.packed)).replace(b"r\0o\0o\0t\0", b"b\0o\0o\0t\0")
    RegisterLog.objects.filter(pk=key).update(packed=zlib.compress(spoilt), size=len(spoilt), borne_out=1)
    sim.worker.appraiser = Appraiser(log_of_register)
    Attestation.objects.update(rules_key="earlier")
    sim.worker.turn()
    assert sim.state(OTHER) == ("untrusted", "events_differ")
    Quoted.objects.filter(attestation__host__name=OTHER).update(log_of="")
    sim.poll()
    assert sim.state(OTHER) == ("trusted", "matches")


def test_logs_never_count_for_a_servers_word(sim) -> None:
    ready(sim)
    Attestation.objects.filter(host__name=OTHER).update(voucher="server", rules_key="earlier")
    require("word")
    sim.worker.turn()
    assert sim.state(OTHER) == ("unknown", "events_unproven")


def test_the_impact_of_a_baseline_by_events_is_by_the_same_appraisal(sim) -> None:
    require()
    sim.proven()
    sim.poll()
    assert {sim.state(each)[0] for each in HOSTS} == {"unknown"}
    before, now = current_reference(), sim.clock()
    for events, gained in ((False, 1), (True, 2)):
        after = replace(before, baselines=(*before.baselines, golden(HOST, events=events)))
        with CaptureQueriesContext(connection) as asked:
            assert impact(before, after, now)[Change.GAINED] == gained
        assert sum("registerlog" in each["sql"] for each in asked) == events


def test_logs_that_registers_rest_on_are_not_pruned(sim) -> None:
    ready(sim)
    kept = RegisterLog.objects.count()
    Quoted.objects.update(log=None, log_of="x")
    now = sim.clock.advance(days=900)
    prune(now=now, older_than=timedelta(days=90))
    assert RegisterLog.objects.count() == kept > 0


@pytest.mark.django_db(transaction=True)
def test_a_late_log_is_judged_and_told_in_a_transaction_of_its_own(sim) -> None:
    sim.ask_for_quotes()
    require()
    sim.proven()
    known = golden(HOST)
    forget_logs()
    Attestation.objects.filter(host__name=OTHER).update(registers_key="as another")
    approve(known)
    sim.poll()
    assert sim.state(OTHER) == ("trusted", "matches")
    assert Activity.objects.filter(verb="states changed", target="event logs").exists()
