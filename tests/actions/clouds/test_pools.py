"""Hosts follow the cloud's groups into pools, but never to other rules without a person."""

from dataclasses import replace

import pytest

from tests.cloud.fake import answer
from tests.factories import BASELINES, POLICY, value
from tests.people import approver, person
from tests.rows import put_set, write_reference
from txt_dashboard.actions.clouds.pools import accept_pools, digest_of
from txt_dashboard.actions.permissions import Conflict, Invalid, NotAllowed, NotFound, Role
from txt_dashboard.attest import entries
from txt_dashboard.cloud.pools import PoolSource
from txt_dashboard.models import Activity, Cloud, Host, PoolMove
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db
SERVICES = "GET /nova/v2.1/os-services"


@pytest.fixture
def zones(living, settings):
    """Says in which zone each hypervisor is; one look of a worker."""
    settings.TXT_POOLS_FROM = PoolSource()

    def put(**zone: str) -> None:
        rows = [
            {"id": host, "host": f"{host}.example.org", "zone": name, "state": "up", "status": "enabled"}
            for host, name in zone.items()
        ]
        living.on(SERVICES, answer({"services": rows}))

    put(hv1="az1", hv2="az1", hv3="az1")
    return put


@pytest.fixture
def look(zones, keeper, clock):
    def look(**zone: str) -> dict[str, str]:
        if zone:
            zones(**zone)
        clock.advance(seconds=16)
        keeper.match()
        return dict(Host.objects.values_list("name", "pool"))

    return look


@pytest.fixture
def hosts(judge) -> None:
    for name in ("hv1", "hv2"):
        judge(name)


@pytest.fixture
def lax(server) -> None:
    """In the pool `lab` the server's word is enough."""
    write_reference(server, BASELINES)
    of = entries.PolicyOf(server.name, "lab", replace(POLICY, word_is_enough=True))
    put_set({entries.policy_id(server.name, "lab"): entries.policy_entry(of)})


def waiting() -> dict[str, str]:
    return dict(PoolMove.objects.values_list("host__name", "pool"))


def test_hosts_follow_where_all_pools_are_judged_alike(hosts, look):
    assert look(hv1="az2", hv2="edge") == {"hv1": "az2", "hv2": "edge"}
    assert Activity.objects.filter(verb="pools taken").count() == 1
    assert look(hv1="az3", hv2="edge") == {"hv1": "az3", "hv2": "edge"}
    entries_so_far = Activity.objects.count()
    look()
    assert Activity.objects.count() == entries_so_far


def test_whom_the_cloud_names_nowhere_stays(hosts, look):
    look(hv1="az2")
    assert look(hv2="az2") == {"hv1": "az2", "hv2": "az2"}


def test_nothing_is_asked_without_the_setting(hosts, look, living, settings):
    settings.TXT_POOLS_FROM = None
    assert look(hv1="az2") == {"hv1": "az1", "hv2": "az1"}
    assert living.requests(SERVICES) == []


def test_names_that_are_none_are_not_taken(hosts, look):
    assert look(hv1="<script>", hv2="p" * 64) == {"hv1": "az1", "hv2": "az1"}


def test_a_cloud_that_can_not_be_asked_moves_nobody(hosts, look, living):
    look()
    living.on(SERVICES, answer({}, 503))
    assert look() == {"hv1": "az1", "hv2": "az1"}
    assert "list the compute services" in Cloud.objects.get().match_problem


def test_a_move_to_other_rules_waits_and_grants_nothing(hosts, lax, look):
    assert look(hv1="lab", hv2="az2") == {"hv1": "az1", "hv2": "az2"}
    assert waiting() == {"hv1": "lab"}
    assert Activity.objects.get(verb="pools wait").host == "hv1"
    look()
    assert Activity.objects.filter(verb="pools wait").count() == 1
    look(hv1="az1")
    assert waiting() == {}


def test_a_host_without_a_pool_is_no_exception(hosts, lax, look):
    Host.objects.update(pool="")
    assert look(hv1="lab", hv2="az2") == {"hv1": "", "hv2": "az2"}


def test_values_that_are_approved_for_one_pool_are_other_rules(hosts, server, look):
    write_reference(
        server,
        [
            *BASELINES,
            replace(BASELINES[1], name="VMM 9", pools=frozenset({"lab"}), values={17: value("x"), 18: value("y")}),
        ],
    )
    assert not current_reference().judges_alike(server.name, "az1", "lab")
    assert look(hv1="lab")["hv1"] == "az1"


def test_an_approver_moves_those_that_were_seen(hosts, lax, look, clock):
    look(hv1="lab")
    anna, seen = approver("anna"), digest_of(PoolMove.objects.all())
    how = {"reason": "It was rebuilt as a lab machine.", "now": clock()}
    with pytest.raises(NotAllowed):
        accept_pools(person("ada", Role.ADMINISTRATOR), "east", seen=seen, **how)
    with pytest.raises(Invalid):
        accept_pools(anna, "east", seen=seen, **{**how, "reason": " "})
    look(hv1="lab", hv2="lab")
    with pytest.raises(Conflict, match="Other hosts wait now"):
        accept_pools(anna, "east", seen=seen, **how)
    assert accept_pools(anna, "east", seen=digest_of(PoolMove.objects.all()), **how) == 2
    assert dict(Host.objects.values_list("name", "pool")) == {"hv1": "lab", "hv2": "lab"}
    assert Activity.objects.get(verb="move to pool").detail["reason"] == how["reason"]
    with pytest.raises(NotFound):
        accept_pools(anna, "east", seen=seen, **how)
