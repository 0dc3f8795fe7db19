"""What goes wrong at a cloud, while the product runs beside it: nothing wrong is shown, and nothing is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event, Thread

import pytest

from tests.e2e.waiting import eventually
from tests.openstack.accounts import Accounts
from tests.openstack.stage import ALLOWED_S, CLOUD, LOOK_S, OTHERS, PAIR, TRAIT, Stage
from txt_dashboard.cloud import compute, placement
from txt_dashboard.cloud.enforcement import Enforcement, demands, enforced
from txt_dashboard.cloud.errors import CloudError

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]

ONE, OTHER = PAIR
BAD = {"kernel": "6.1.0-40"}
LIFETIME_S = 40  # of tokens; those that live less than half a minute more are renewed before they are used


@pytest.fixture(autouse=True)
def at_rest(stage):
    """Two hosts are trusted and have the trait, before and after, and nothing waits for anybody."""
    booted = stage.cast.booted(ONE)
    stage.shows_holders(*PAIR, why="the two never had the trait alone")
    yield
    stage.cast.boot({ONE: booted})
    stage.shows_holders(*PAIR, why="the two never had the trait alone again", seconds=150)
    assert stage.asked("TraitHold.objects.count()") == "0"
    assert stage.told(*PAIR) == dict.fromkeys(PAIR, "trusted")


def heartbeat_at(stage: Stage) -> datetime:
    """Until when the product says that all traits were right."""
    found = json.loads(stage.asked("Cloud.objects.get().heartbeat") or '{"payload": "{}"}')
    at = json.loads(found["payload"]).get("at", "2000-01-01T00:00:00+00:00")
    return datetime.fromisoformat(at)


def is_well_since(stage: Stage, moment: datetime, why: str) -> None:
    """Waits until all was compared after that moment, and nobody tells of a problem."""
    eventually(lambda: heartbeat_at(stage), lambda at: at > moment, why, 120)
    told = "[(c.problem, c.match_problem) for c in Cloud.objects.all()]"
    eventually(lambda: stage.asked(told), "[('', '')]".__eq__, "a problem stays on the page", 60)


def test_two_administrators_toggle_the_same_flavor(stage, servers, admin, connect, administrators):
    flavor = servers.flavor({"hw:cpu_policy": "shared"})
    for wanted in (True, False):
        seen = stage.sees_flavor(administrators[0], flavor)
        barrier = Barrier(2)

        def toggle(token: str, enforcement: Enforcement) -> int:
            barrier.wait()  # noqa: B023 - all of this round
            return stage.toggles(token, seen, trusted=wanted, enforcement=enforcement).status_code  # noqa: B023

        with ThreadPoolExecutor(2) as pool:
            both = (Enforcement.TRAIT, Enforcement.FILTER)
            got = list(pool.map(toggle, administrators, both))
        assert sorted(got) == [200, 409], got
        specs = compute.get_extra_specs(admin, flavor)
        winner = both[got.index(200)] if wanted else None
        assert specs == {"hw:cpu_policy": "shared", **(demands(winner, TRAIT) if winner else {})}
        assert enforced(specs, TRAIT) is winner
    of_it = f"[each.detail for each in Activity.objects.all() if each.detail.get('flavor') == {flavor!r}]"
    assert stage.asked(f"[each['outcome'] for each in {of_it} if 'outcome' in each]") == "['done', 'done']"


def test_a_host_loses_its_trait_in_time_though_others_write_to_its_provider(stage, accounts, provider_of, measured):
    """Whoever else writes makes Placement answer 409, now and then and again."""
    keeper, uuid = accounts["service"], provider_of(ONE)
    placement.create_trait(keeper, "CUSTOM_BUSY")
    enough, written = Event(), []

    def interfere() -> None:
        while not enough.is_set():
            with suppress(CloudError):  # a conflict, or a deadlock in Placement's database
                now = placement.get_traits(keeper, uuid)
                placement.put_traits(keeper, uuid, now.traits ^ {"CUSTOM_BUSY"}, now.generation)
                written.append(1)

    others = [Thread(target=interfere) for _ in range(2)]
    for each in others:
        each.start()
    try:
        began = stage.cast.boot({ONE: BAD})
        gone = stage.shows_holders(OTHER, why=f"{ONE} kept the trait")
    finally:
        enough.set()
        for each in others:
            each.join()
    measured(
        f"the trait was gone {gone - began:.1f} s after the register changed, with {len(written)} writes by others"
    )
    assert written
    assert gone - began <= ALLOWED_S
    assert placement.get_traits(keeper, uuid).traits >= {"COMPUTE_NODE"}


def test_keystone_goes_away_and_comes_back_and_tokens_end(stage, mini, admin):
    booted = stage.cast.booted(ONE)
    with mini.without("keystone"):
        stage.cast.boot({ONE: BAD})
        eventually(lambda: stage.told(ONE)[ONE], "untrusted".__eq__, "PollHosts waits for Keystone")
        mini.live_for(LIFETIME_S)
    try:
        stage.shows_holders(OTHER, why=f"{ONE} kept the trait after Keystone came back")
        is_well_since(stage, datetime.now(UTC), "with Keystone back, traits are never compared")
        Accounts(admin).void_tokens("only-service")
        stage.cast.boot({ONE: booted})
        stage.shows_holders(*PAIR, why="a token that is no good any more ends it")
        is_well_since(stage, datetime.now(UTC), "a token that is no good any more ends it")
        is_well_since(stage, datetime.now(UTC) + timedelta(seconds=LIFETIME_S), "tokens that expire end it")
    finally:
        mini.live_for(3600)
        mini.restart("keystone")


def test_somebody_sets_the_trait_by_hand(stage, accounts, provider_of, visit):
    third = OTHERS[0]
    placement.change_trait(accounts["service"], provider_of(third), TRAIT, present=True)
    stage.shows_holders(*PAIR, why="what somebody else set stayed", seconds=LOOK_S + 10)
    assert stage.told(*PAIR, third) == {**dict.fromkeys(PAIR, "trusted"), third: "unknown"}
    told = "Activity.objects.filter(verb='trait set by somebody else').values_list('host', flat=True).last()"
    assert stage.asked(told) == third
    # An approver finds it on the page of clouds, and answers.
    approver = visit("approver")
    approver.open("/clouds/")
    approver.reads("#held", third)
    approver.click("#held td .btn")
    approver.fill("#id_reason", "It was an operator's experiment.")
    approver.click("main form button.btn")
    # The form's page has no such list either: what tells is the next answer.
    eventually(lambda: stage.told(third), {third: "untrusted"}.__eq__, "the hold stayed after it was lifted")
    approver.open("/clouds/")
    approver.gone("#held")


def test_we_are_killed_and_the_dead_man_takes_the_traits(stage, servers, accounts):
    alive = stage.dead_man("--once", "--max-age", "60")
    assert alive.returncode == 0, alive.stderr
    assert stage.holders() == set(PAIR)

    stage.product.kill()
    dead = stage.dead_man("--once", "--max-age", "1")
    assert dead.returncode == 3, dead.stderr
    assert stage.holders() == set()
    try:
        for enforcement in (Enforcement.TRAIT, Enforcement.FILTER):
            (refused,) = servers.boot(servers.flavor(demands(enforcement, TRAIT)))
            assert refused.status == "ERROR", f"placed by {enforcement} while nobody vouches for any host"
    finally:
        stage.product.start(1.0)
    stage.shows_holders(*PAIR, why="started again it gave no trait", seconds=150)
    stage.product.command("audit", "verify")
    assert stage.asked("TraitHold.objects.count()") == "0"
    assert stage.asked("Cloud.objects.get().name") == CLOUD
