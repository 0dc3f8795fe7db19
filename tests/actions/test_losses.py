"""An act of a person that takes trust from many hosts asks again, and names their number."""

from datetime import timedelta

import pytest

from tests.actions.governance.examples import WANTED, WORDS
from tests.factories import BASELINES, NOON, evidence
from tests.people import approver, person, say_yes
from tests.rows import make_host, make_server, write_reference
from txt_dashboard.actions.clouds.decide import set_hypervisor
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.actions.governance.propose import propose, retire
from txt_dashboard.actions.permissions import ManyLosses, Role
from txt_dashboard.actions.servers import ServerSettings, edit_server
from txt_dashboard.models import Cloud, CloudHost, Decision, Host, NotHypervisor, Proposal, Server
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
HOSTS = 20


@pytest.fixture
def server(db, clock, scripted) -> Server:
    """Its twenty hosts are trusted."""
    server = make_server(interval_s=60)
    write_reference(server, BASELINES)
    for number in range(HOSTS):
        make_host(f"hv{number}", server)
        scripted.answers[f"hv{number}"] = evidence(at=clock())
    Worker(clock, lambda row, clock: scripted).turn()
    assert Host.objects.filter(state="trusted").count() == HOSTS
    return server


@pytest.fixture
def retiring(server) -> Proposal:
    (vmm,) = (
        id_
        for id_ in in_force().set.entries
        if id_.startswith("baseline:") and "VMM" in str(in_force().set.entries[id_])
    )
    return retire(person("olga", Role.OPERATOR), vmm, reason="Withdrawn by its maker.", now=NOON)


def refuses_without_the_number(act, losses: int) -> None:
    for named in (None, losses - 1, losses + 1):
        with pytest.raises(ManyLosses, match=f"This takes trust from {losses} of {HOSTS} hosts.") as asked:
            act(named)
        assert (asked.value.losses, asked.value.hosts) == (losses, HOSTS)
    act(losses)


def test_an_approval_that_takes_trust_from_many(retiring) -> None:
    anna = approver("anna")
    refuses_without_the_number(lambda named: say_yes(anna, retiring, confirmed_losses=named), HOSTS)
    assert Decision.objects.count() == 1


def test_an_approval_that_takes_trust_from_few_asks_nobody_twice(server, settings, retiring) -> None:
    settings.TXT_CONFIRM_LOSSES_PERCENT = 100
    assert say_yes(approver("anna"), retiring, confirmed_losses=None).missing == 1


def test_an_approval_that_takes_no_trust_asks_nobody_twice(server) -> None:
    harmless = propose(person("olga", Role.OPERATOR), WANTED, **WORDS, now=NOON)
    assert say_yes(approver("anna"), harmless, confirmed_losses=None).missing == 1


def test_switching_off_a_server_that_hosts_are_trusted_by(server) -> None:
    kept = {name: getattr(server, name) for name in ("name", "kind", "url", "interval_s")}
    ada = person("ada", Role.ADMINISTRATOR)

    def switch_off(named: int | None) -> None:
        settings = ServerSettings(**kept, enabled=False)
        edit_server(ada, server.pk, settings, version=1, confirmed_losses=named, now=NOON)

    refuses_without_the_number(switch_off, HOSTS)
    assert not Server.objects.get().enabled


def test_a_server_that_is_only_observed_is_switched_off_without_a_question(db) -> None:
    server = make_server("oat-2", counts=False)
    settings = ServerSettings(name="oat-2", kind=server.kind, url=server.url, enabled=False)
    edit_server(person("ada", Role.ADMINISTRATOR), server.pk, settings, version=1, now=NOON)
    assert not Server.objects.get().enabled


def test_evidence_that_ran_out_is_no_loss_of_the_switch(server) -> None:
    kept = {name: getattr(server, name) for name in ("name", "kind", "url", "interval_s")}
    late = NOON + timedelta(days=1)
    settings = ServerSettings(**kept, enabled=False)
    edit_server(person("ada", Role.ADMINISTRATOR), server.pk, settings, version=1, now=late)
    assert not Server.objects.get().enabled


def test_where_hosts_are_few_one_hypervisor_is_many(server, settings) -> None:
    settings.TXT_CONFIRM_LOSSES_PERCENT = 2
    cloud, host = Cloud.objects.create(name="east"), Host.objects.get(name="hv1")
    CloudHost.objects.create(
        cloud=cloud, provider="u1", hypervisor_hostname="hv1", service_host="hv1", host=host, since=NOON
    )
    ada = person("ada", Role.ADMINISTRATOR)

    def say_none(named: int | None) -> None:
        set_hypervisor(ada, "hv1", is_one=False, reason="A controller.", confirmed_losses=named, now=NOON)

    refuses_without_the_number(say_none, 1)
    assert NotHypervisor.objects.get().host == host
