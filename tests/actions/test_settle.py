"""The key that tells hosts apart is written wherever what servers say of a host changes."""

import pytest

from tests.conftest import silent
from tests.factories import BASELINES, NOON, evidence, value
from tests.rows import count, make_host, make_server, write_reference
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.actions.hosts import adopt, load_hosts
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.settle import settle
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.models import Attestation, Host, HostEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    row = make_server(interval_s=60)
    write_reference(row, BASELINES)
    return row


@pytest.fixture
def poll(clock, scripted, server):
    worker = Worker(clock, lambda row, clock: scripted)

    def ask(answer) -> str:
        """The key of a host after its server gave this answer."""
        if not Host.objects.exists():
            make_host("hv1", server)
        scripted.answers["hv1"] = answer
        clock.advance(seconds=70)
        worker.turn()
        return Host.objects.get().evidence_key

    return ask


def said(clock, values=None, **more):
    return lambda: evidence(values, at=clock(), **more)


def test_what_nothing_judges_by_leaves_the_key(poll, clock) -> None:
    first = poll(said(clock))
    assert len(first) == 64
    assert poll(said(clock)) == poll(said(clock, {10: value("ima grew")})) == first


@pytest.mark.parametrize(
    "change",
    [
        {"values": {18: value("other kernel")}},
        {"values": {0: value("other firmware")}},
        {"verdict": Verdict.UNTRUSTED},
        {"verdict": Verdict.UNKNOWN},
        {"finding": Finding(Reason.REPORT_OLDER)},
    ],
)
def test_what_decides_changes_the_key_and_back(poll, clock, change) -> None:
    first = poll(said(clock))
    assert poll(said(clock, **change)) != first
    assert poll(said(clock)) == first


def test_a_verdict_that_changes_neither_state_nor_reason_changes_the_key(poll, clock) -> None:
    differs = {18: value("other kernel")}
    first = poll(said(clock, differs))
    reason = Host.objects.get().reason
    assert poll(said(clock, differs, verdict=Verdict.UNTRUSTED)) != first
    assert Host.objects.get().reason == reason


def test_a_reason_that_stays_is_told_in_the_words_of_now(poll, clock) -> None:
    for why in ("another nonce", "another key"):
        poll(said(clock, finding=Finding(Reason.QUOTE_REJECTED, {"detail": why})))
    host = Host.objects.get()
    assert host.reason_params == {"detail": "another key", "server": "oat-1"}
    assert HostEvent.objects.filter(reason=Reason.QUOTE_REJECTED.code).count() == 1


def test_the_reason_names_the_server_that_counts_now(poll, clock, server) -> None:
    poll(said(clock))
    other = make_server("oat-2")
    write_reference(other, BASELINES)
    Attestation.objects.create(
        **{**Attestation.objects.values().get(), "id": None, "server_id": other.pk, "lease": "", "lease_until": None}
    )
    count(server, counts=False)
    settle([Host.objects.get().pk], now=clock.now)
    assert Host.objects.get().reason_params["server"] == "oat-2"


def test_a_server_that_takes_its_word_back_changes_the_key(poll, clock) -> None:
    first = poll(said(clock))
    assert poll(silent(Reason.SERVER_UNREACHABLE)) == first
    assert poll(silent(Reason.NOT_KNOWN_TO_SERVER)) != first


def test_a_new_server_of_a_host_empties_the_key_once(poll, clock) -> None:
    first = poll(said(clock))
    other = make_server("oat-2")
    load_hosts(COMMAND_LINE, [("hv1", "az1")], server="oat-1", now=NOON)
    assert Host.objects.get().evidence_key == first
    assert adopt(other, ["hv1"], now=clock.now) == 1
    assert Host.objects.get().evidence_key == ""
    assert poll(said(clock)) not in ("", first)
