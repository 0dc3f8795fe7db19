"""Instances that asked for trust: where they were, and when that was at stake, as far as anybody looked."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.cloud.fake import serve
from tests.cloud.owning import OwningCloud
from txt_dashboard.models import Activity, Cloud, CloudInstance, Host, InstanceLook, StakeInterval, TraitHold
from txt_dashboard.queries import instances as queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def living(settings) -> Iterator[OwningCloud]:
    settings.TXT_CLOUDS = ["east"]
    made = OwningCloud()
    for number in (1, 2, 3):
        made.add(f"u{number}", f"hv{number}.example.org", service=f"svc{number}")
    with serve(made):
        yield made


@pytest.fixture
def look(keeper, clock) -> Callable[..., InstanceLook]:
    """A worker's look, `after` seconds; the row afterwards."""

    def do(*, after: float = 61) -> InstanceLook:
        clock.advance(seconds=after)
        keeper.match()
        keeper.watch_instances()
        return InstanceLook.objects.get()

    return do


def intervals() -> list[tuple[str, str, str, str]]:
    rows = StakeInterval.objects.order_by("id")
    return [(each.instance, each.host, each.why, each.ending) for each in rows]


def at_stake(clock) -> list[str]:
    found = queries.find(queries.Filter(at_stake=True), clock())
    return sorted(found.values_list("instance", flat=True))


def test_all_projects_are_listed_when_it_is_time(living, look, judge):
    judge("hv1.example.org")
    living.boot("i1", "web", "svc1")
    living.boot("i2", "bank", "svc2", asks=False)
    look()
    rows = {row.instance: (row.project, row.node and row.node.provider, row.asks, row.enforced) for row in _rows()}
    assert rows == {"i1": ("web", "u1", True, "trait"), "i2": ("bank", "u2", False, "")}
    look(after=10)
    assert len([each for each in living.asked if "all_tenants" in each.query]) == 2, "a page, and the empty one"


def test_an_instance_that_asked_is_at_stake_where_its_host_is_not_trusted(living, look, judge, clock):
    judge("hv1.example.org")
    judge("hv2.example.org", "untrusted")
    for number in (1, 2, 3):
        living.boot(f"i{number}", "web", f"svc{number}")
        living.boot(f"plain{number}", "web", f"svc{number}", asks=False)
    look()
    assert at_stake(clock) == ["i2", "i3"]
    assert intervals() == [("i2", "hv2.example.org", "not_as_approved", ""), ("i3", "svc3", "not_attested", "")]
    entry = Activity.objects.get(verb="instances at stake")
    assert (entry.actor, entry.detail["began"], entry.detail["ended"]) == ("worker", 2, 0)


def test_an_interval_goes_on_and_ends_when_it_is_seen_to(living, look, judge, clock):
    judge("hv2.example.org", "untrusted")
    living.boot("i2", "web", "svc2")
    look()
    began = clock()
    look()
    look()
    (row,) = StakeInterval.objects.all()
    assert (row.since, row.seen_until, row.until) == (began, clock(), None)
    judge("hv2.example.org")
    look()
    (row,) = StakeInterval.objects.all()
    assert (row.until, row.ending) == (clock(), "ended")
    assert Activity.objects.filter(verb="instances at stake").count() == 2, (
        "a look that changes nothing tells nothing"
    )


@pytest.mark.parametrize("change", ["moved", "deleted", "stopped being placed"])
def test_it_ends_too_when_the_instance_goes(living, look, judge, change):
    judge("hv1.example.org")
    judge("hv2.example.org", "untrusted")
    living.boot("i2", "web", "svc2")
    look()
    if change == "deleted":
        del living.servers["i2"]
    else:
        living.servers["i2"]["host"] = "svc1" if change == "moved" else ""
    look()
    assert [each[3] for each in intervals()] == ["ended"]


def test_another_host_or_reason_is_another_interval_without_a_gap(living, look, judge):
    judge("hv1.example.org", "untrusted")
    judge("hv2.example.org", "untrusted")
    living.boot("i2", "web", "svc2")
    look()
    living.servers["i2"]["host"] = "svc1"
    look()
    judge("hv1.example.org", "stale")
    look()
    one, two, three = StakeInterval.objects.order_by("id")
    assert (one.ending, two.ending, three.ending) == ("changed", "changed", "")
    assert (one.until, two.until) == (two.since, three.since)
    assert (one.host, two.host, three.why) == ("hv2.example.org", "hv1.example.org", "evidence_old")


def test_it_begins_when_the_host_lost_its_trust_where_the_look_before_had_seen_it_there(living, look, judge, clock):
    judge("hv1.example.org")
    living.boot("i1", "web", "svc1")
    look()
    lost = clock() + timedelta(seconds=20)
    judge("hv1.example.org", "untrusted")
    Host.objects.update(since=lost)
    living.boot("new", "web", "svc1")
    look()
    begun = dict(StakeInterval.objects.values_list("instance", "since"))
    assert begun == {"i1": lost, "new": clock()}


def test_evidence_that_runs_out_puts_at_stake_too(living, look, judge, clock):
    judge("hv1.example.org")
    living.boot("i1", "web", "svc1")
    look()
    look(after=3700)
    assert intervals() == [("i1", "hv1.example.org", "evidence_old", "")]


def test_a_host_on_which_somebody_else_set_the_trait_puts_at_stake(living, look, judge, clock):
    host = judge("hv1.example.org")
    living.boot("i1", "web", "svc1")
    look()
    TraitHold.objects.create(
        cloud=Cloud.objects.get(), provider="u1", root="u1", name="hv1", host=host, at_first=False, found_at=clock()
    )
    look()
    assert intervals() == [("i1", "hv1.example.org", "held", "")]


def test_while_nobody_can_look_nothing_is_made_up(living, look, judge, clock):
    judge("hv2.example.org", "untrusted")
    living.boot("i2", "web", "svc2")
    look()
    seen = clock()
    living.down = True
    living.nova_status = 503
    told = look(after=3600)
    assert "503" in told.problem
    assert told.looked_at == seen
    (shown,) = queries.show(_rows(), clock())
    assert (shown.standing.state, shown.standing.why.code) == ("unknown", "outdated")
    living.down, living.nova_status = False, 200
    assert look().problem == ""
    one, two = StakeInterval.objects.order_by("id")
    assert (one.ending, one.until, one.seen_until) == ("unseen", seen, seen)
    assert (two.ending, two.since) == ("", clock())


def test_one_look_that_fails_breaks_no_interval(living, look, judge, clock):
    judge("hv2.example.org", "untrusted")
    living.boot("i2", "web", "svc2")
    look()
    living.nova_status = 503
    look()
    living.nova_status = 200
    look()
    (row,) = StakeInterval.objects.all()
    assert (row.until, row.seen_until) == (None, clock())


def test_a_cell_that_is_down_ends_nothing_and_says_nothing(living, look, judge, clock):
    judge("hv2.example.org", "untrusted")
    living.boot("i2", "web", "svc2")
    look()
    seen = clock()
    living.servers["i2"] |= {"status": "UNKNOWN", "host": ""}
    look()
    (row,) = StakeInterval.objects.all()
    assert (row.until, row.seen_until) == (None, seen)
    (shown,) = queries.show(_rows(), clock())
    assert shown.standing.why.code == "out_of_sight"


def test_states_are_filtered_as_they_are_shown(living, look, judge, clock):
    judge("hv1.example.org")
    judge("hv2.example.org", "untrusted")
    living.boot("t", "web", "svc1")
    living.boot("u", "web", "svc2")
    living.boot("x", "web", "svc3")
    living.boot("moving", "web", "svc1", status="RESIZE")
    living.boot("none", "web", "", status="SHUTOFF")
    look()
    for state in ("trusted", "untrusted", "stale", "unknown"):
        shown = {each.id for each in queries.show(_rows(), clock()) if each.standing.state == state}
        found = queries.find(queries.Filter(state=state), clock()).values_list("instance", flat=True)
        assert set(found) == shown, state


def test_pages_go_on_where_they_ended(living, look, clock):
    for number in range(7):
        living.boot(f"i{number}", "web", "svc1", name="same" if number % 2 else f"n{number}")
    look()
    marker, seen = "", []
    while True:
        page = queries.page(queries.find(queries.Filter(), clock()), marker, clock(), limit=2)
        seen += [each.id for each in page.rows]
        if not page.after:
            break
        marker = page.after
    assert sorted(seen) == sorted(f"i{number}" for number in range(7))
    assert len(seen) == 7


def test_what_does_not_fit_is_left_out(living, look, caplog):
    living.boot("i1", "web", "svc1", name="x" * 300)
    living.boot("y" * 100, "web", "svc1")
    look()
    assert [len(row.name) for row in _rows()] == [255]


def _rows() -> list[CloudInstance]:
    return list(CloudInstance.objects.select_related("cloud", "node__host").order_by("instance"))
