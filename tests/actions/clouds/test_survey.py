"""What workers know of flavors: extra specs, instances and their own demands, room on trusted hosts."""

from datetime import timedelta

import pytest

from tests.actions.clouds.conftest import TRAIT
from tests.cloud.fake import answer
from tests.cloud.living import Flavor
from txt_dashboard.models import CloudFlavor
from txt_dashboard.queries import flavors

BY_TRAIT = {f"trait:{TRAIT}": "required"}
BY_FILTER = {"trust:trusted_host": "trusted"}


@pytest.fixture
def survey(turn, keeper, clock):
    """A worker's turn, then its look at the flavors; afterwards each by name as pages show it."""

    def do(*, after: float = 61):
        cloud = turn(after=after)
        keeper.look_at_flavors()
        cloud.refresh_from_db()
        seen = flavors.look(cloud, clock())
        return {row.name: flavors.view(row, seen, clock()) for row in flavors.listed(cloud)}

    return do


@pytest.fixture
def cloud(living, judge):
    """Two trusted hosts of three, two flavors."""
    for name, state in (("hv1", "trusted"), ("hv2", "trusted"), ("hv3", "untrusted")):
        judge(name, state)
    living.flavors = {"1": Flavor("small"), "2": Flavor("safe", dict(BY_TRAIT), vcpus=4)}
    return living


def test_flavors_come_with_what_they_ask_for(cloud, survey):
    found = survey()
    assert {name: (each.trusted, each.enforced) for name, each in found.items()} == {
        "small": (False, None),
        "safe": (True, "trait"),
    }
    assert found["safe"].fails_closed is False
    assert found["small"].fails_closed is None


def test_capacity_counts_trusted_hosts_that_are_up_and_have_room(cloud, survey):
    assert survey()["safe"].capacity == 2
    cloud.full.add("u1")
    assert survey(after=301)["safe"].capacity == 1
    cloud.stopped.add("u2")
    assert survey(after=301)["safe"].capacity == 0


def test_a_trait_that_somebody_else_set_is_no_room(cloud, survey):
    survey()
    cloud.set_by_hand("u3", TRAIT)
    cloud.before_put = lambda _uuid: answer({}, 503)
    assert survey(after=301)["safe"].capacity == 2


def test_where_placement_says_nothing_trusted_hosts_that_are_up_count(cloud, survey):
    cloud.on("GET /placement/allocation_candidates", answer({}, 404))
    cloud.stopped.add("u2")
    assert survey()["safe"].capacity == 1


def test_no_trusted_host_left_is_known_at_once(cloud, survey, judge, clock):
    seen = survey()["safe"]
    for name in ("hv1", "hv2"):
        judge(name, "untrusted")
    now = flavors.look(seen.row.cloud, clock())
    assert flavors.view(seen.row, now, clock()).capacity == 0
    assert [each.code for each in flavors.warnings(now, clock())] == ["no_trusted_host"]


def test_instances_keep_the_demand_that_they_were_booted_with(cloud, survey):
    cloud.boot("a", "1")
    cloud.boot("b", "2")
    cloud.flavors["2"].specs = {}
    cloud.boot("c", "2")
    found = survey()
    assert {name: (each.instances, each.old_demand) for name, each in found.items()} == {
        "small": (1, 0),
        "safe": (2, 1),
    }
    cloud.flavors["2"].specs = dict(BY_TRAIT)
    assert survey()["safe"].old_demand == 1  # now it is the other one; nobody had to be counted again


def test_what_an_instance_demands_may_be_out_of_sight(cloud, survey):
    cloud.boot("a", "2")
    cloud.servers["a"].specs = None
    found = survey()["safe"]
    assert (found.instances, found.old_demand) == (1, 0)
    assert "demand_unseen" in {each.code for each in found.warnings}


def test_flavors_come_go_and_are_renamed(cloud, survey):
    survey()
    cloud.flavors = {"1": Flavor("tiny"), "3": Flavor("new")}
    assert set(survey()) == {"tiny", "new"}
    assert CloudFlavor.objects.count() == 2


def test_what_was_known_stays_while_nova_cannot_be_asked_and_says_so(cloud, survey, clock):
    before = survey()["safe"]
    read_at = before.row.cloud.flavors_at
    cloud.down = True
    after = survey()["safe"]
    row = after.row.cloud
    assert (after.trusted, row.flavors_at) == (True, read_at)
    assert "was asked to list the flavors" in flavors.look(row, clock()).problem
    cloud.down = False
    survey()
    row.refresh_from_db()
    assert flavors.look(row, clock()).problem == ""


def test_a_cloud_that_cannot_be_asked_is_asked_again_soon(cloud, survey, keeper, clock):
    cloud.down = True
    survey()
    cloud.down = False
    assert survey(after=16).keys() == {"small", "safe"}


def test_a_snapshot_that_no_worker_renews_says_so(cloud, survey, clock):
    row = survey()["safe"].row.cloud
    clock.advance(minutes=10)
    assert "does one run" in flavors.look(row, clock()).problem


def test_nothing_is_asked_again_before_it_is_due(cloud, survey, keeper, clock):
    survey()
    asked = len(cloud.requests("GET /nova/v2.1/flavors/detail"))
    clock.advance(seconds=20)
    keeper.look_at_flavors()
    assert len(cloud.requests("GET /nova/v2.1/flavors/detail")) == asked


def test_instances_are_counted_every_five_minutes(cloud, survey):
    survey()
    cloud.boot("a", "1")
    assert survey()["small"].instances == 0
    assert survey(after=301)["small"].instances == 1


def test_one_flavor_that_cannot_be_counted_costs_no_other_its_numbers(cloud, survey, clock):
    cloud.boot("a", "1")
    cloud.on("GET /nova/v2.1/servers/detail", answer({"servers": []}), answer({}, 500), answer({"servers": []}))
    found = survey()
    counted = [each.instances for each in found.values()]
    assert sorted(counted, key=str) == [0, None]
    assert "500" in flavors.look(found["safe"].row.cloud, clock()).problem


@pytest.mark.parametrize(
    "hostile",
    [
        Flavor("x" * 256),
        Flavor("nul\0"),
        Flavor("huge", {"a": "b" * 70_000}),
        Flavor("endless", vcpus=2**63),
        Flavor("nul-spec", {"a": "\0"}),
    ],
    ids=lambda each: each.name[:8].strip("\0"),
)
def test_what_no_cloud_has_is_left_out(cloud, survey, hostile):
    cloud.flavors["9"] = hostile
    cloud.flavors["9"].specs = {key: value[:4000] for key, value in hostile.specs.items()} | hostile.specs
    assert "small" in survey()
    assert not CloudFlavor.objects.filter(flavor_id="9").exists()


@pytest.mark.parametrize(
    ("specs", "code"),
    [
        ({"trusted_host": "trusted"}, "unscoped_key"),
        ({"trust:trusted_host": "yes"}, "wrong_value"),
        ({f"trait:{TRAIT}": "forbidden"}, "trait_forbidden"),
    ],
)
def test_flavors_that_only_look_trusted_say_so(cloud, survey, specs, code):
    cloud.flavors["1"].specs = specs
    found = survey()["small"]
    assert not found.trusted
    assert [each.code for each in found.warnings] == [code]


def test_a_filter_that_never_asks_is_told(cloud, survey, settings, clock):
    cloud.flavors["1"].specs = dict(BY_FILTER)
    assert [each.code for each in survey()["small"].warnings] == ["filter_off"]
    settings.TXT_POLLHOSTS_BLOB = "b" * 30
    found = survey()["small"]
    assert [each.code for each in found.warnings] == ["filter_never_asked"]
    from txt_dashboard.actions.clouds.asked import Asked  # noqa: PLC0415

    Asked().note(clock())
    found = survey()["small"]
    assert (found.warnings, found.fails_closed) == ((), True)
    clock.now += timedelta(days=8)
    seen = flavors.look(found.row.cloud, clock())
    assert [each.code for each in flavors.warnings(seen, clock())][-1] == "filter_silent"


def test_a_trait_that_nobody_has_yet_is_told(cloud, survey, clock):
    cloud.before_put = lambda _uuid: answer({}, 503)
    row = survey()["safe"].row.cloud
    row.intents.all().delete()
    assert "trait_nowhere" in {each.code for each in flavors.warnings(flavors.look(row, clock()), clock())}


def test_room_is_looked_for_again_soon_where_many_hosts_became_trusted(cloud, survey, judge, keeper, clock):
    for name in ("hv1", "hv2"):
        judge(name, "untrusted")
    assert survey()["safe"].capacity == 0
    judge("hv1")
    clock.advance(seconds=2)
    keeper.look_at_flavors()
    assert CloudFlavor.objects.get(name="safe").capacity == 0  # not with each tick
    counted = len(cloud.requests("GET /nova/v2.1/servers/detail"))
    assert survey(after=16)["safe"].capacity == 1
    assert len(cloud.requests("GET /nova/v2.1/servers/detail")) == counted
