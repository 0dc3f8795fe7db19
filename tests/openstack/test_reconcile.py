"""The reconciler against a real Nova and Placement: five hypervisors, two of their hosts trusted."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.actions.clouds.conftest import server  # noqa: F401 - used by name
from tests.openstack.stage import TRAIT
from tests.rows import make_host
from txt_dashboard import conf
from txt_dashboard.actions.clouds import hand
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.decide import acknowledge_trait
from txt_dashboard.actions.clouds.keeper import Keeper
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.cloud import compute, heartbeat, placement
from txt_dashboard.cloud.errors import StaleGeneration
from txt_dashboard.deadman.rounds import take_all
from txt_dashboard.keyring import public_keys
from txt_dashboard.models import Activity, Attestation, Cloud, CloudHost, Host, TraitHold
from txt_dashboard.queries.told import told

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800), pytest.mark.django_db]


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def service(accounts):
    """The account with the service role; no host has the trait, before and after."""
    placement.create_trait(accounts["service"], TRAIT)
    take_all(accounts["service"], TRAIT)
    yield accounts["service"]
    take_all(accounts["service"], TRAIT)


@pytest.fixture
def nodes(accounts) -> list[str]:
    """The names of the five hypervisors."""
    return sorted(each.hostname for each in compute.list_hypervisors(accounts["admin"]))


@pytest.fixture
def judge(server, nodes) -> Callable[..., None]:  # noqa: F811
    """Puts the hosts of these hypervisors into a state; all five are attested, none is trusted at first."""
    for name in nodes:
        make_host(name, server)

    def put(state: str, *names: str) -> None:
        Host.objects.filter(name__in=names).update(state=state)
        now = timezone.now()
        times = {"attested_at": now, "counts_from": now, "valid_until": now + timedelta(hours=1)}
        Attestation.objects.filter(host__name__in=names).update(**times)

    put("untrusted", *nodes)
    return put


@pytest.fixture
def turn(accounts, service, settings) -> Callable[[], Cloud]:
    """A worker's tick at which all is due."""
    settings.TXT_CLOUDS = ["mini"]
    keeper = Keeper(lambda _name: Accounts(accounts["admin"], service), timezone.now)

    def do() -> Cloud:
        Cloud.objects.update(due_at=None, match_due_at=None, lease_until=None)
        keeper.match()
        keeper.keep_traits()
        return Cloud.objects.get()

    return do


@pytest.fixture
def holders(service) -> Callable[[], list[str]]:
    """The names of who has the trait."""
    return lambda: sorted(each.name for each in placement.list_providers(service, having=TRAIT))


def test_exactly_the_two_trusted_ones_have_it_whatever_happens(judge, turn, holders, nodes, service, monkeypatch):
    one, other, third, *_ = nodes
    judge("trusted", one, other)
    cloud = turn()
    assert (cloud.problem, cloud.match_problem, holders()) == ("", "", [one, other])
    assert CloudHost.objects.filter(host__isnull=False).count() == 5
    beat = heartbeat.read(cloud.heartbeat.encode(), public_keys(conf.public_keys_file()))
    assert beat.cloud == "mini"

    # Somebody sets it by hand.
    uuid = CloudHost.objects.get(hypervisor_hostname=third).provider
    placement.change_trait(service, uuid, TRAIT, present=True)
    turn()
    assert holders() == [one, other]
    assert Activity.objects.get(verb="trait set by somebody else").host == third
    judge("trusted", third)
    turn()
    assert holders() == [one, other], "held until somebody has acknowledged it"
    assert told([third], timezone.now())[third].level == "unknown"
    acknowledge_trait(COMMAND_LINE, TraitHold.objects.get().pk, times=1, reason="A test.", now=timezone.now())
    turn()
    assert holders() == [one, other, third]

    # We are killed between two providers.
    original, left = hand._ask, [1]

    def killed(connection, wanted, *, present):
        if not left:
            raise Killed
        left.pop()
        return original(connection, wanted, present=present)

    monkeypatch.setattr(hand, "_ask", killed)
    monkeypatch.setattr(hand, "_AT_ONCE", 1)
    judge("untrusted", other, third)
    with pytest.raises(Killed):
        turn()
    assert len(holders()) == 2
    monkeypatch.setattr(hand, "_ask", original)
    turn()
    assert holders() == [one]
    assert not TraitHold.objects.exists()


def test_a_busy_provider_loses_it_all_the_same(judge, turn, holders, nodes, service, monkeypatch):
    """Somebody else changes the provider between each of our readings and writings, twenty times: 409 each time."""
    one = nodes[0]
    judge("trusted", one)
    turn()
    assert holders() == [one]
    uuid = CloudHost.objects.get(hypervisor_hostname=one).provider
    names = [f"CUSTOM_BUSY_{number}" for number in range(2)]
    for name in names:
        placement.create_trait(service, name)
    put, refused = placement.put_traits, []

    def interfere(connection, provider, traits, generation):
        if len(refused) < 20:
            now = placement.get_traits(connection, provider)
            put(connection, provider, now.traits ^ {names[0]}, now.generation)
        try:
            return put(connection, provider, traits, generation)
        except StaleGeneration:
            refused.append(provider)
            raise

    monkeypatch.setattr(placement, "put_traits", interfere)
    judge("untrusted", one)
    cloud = turn()
    assert (len(refused), cloud.problem, holders()) == (20, "", [])
    assert placement.get_traits(service, uuid).traits >= {"COMPUTE_NODE"}
