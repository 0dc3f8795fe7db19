"""A person makes a flavor a trusted one, or an ordinary one again; whatever fails, nothing wrong is shown."""

from datetime import timedelta

import pytest

from tests.actions.clouds.conftest import TRAIT
from tests.cloud.fake import answer, connect
from tests.cloud.living import Flavor
from tests.people import person
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.flavors import LASTS, Wish, set_flavor_trust
from txt_dashboard.actions.permissions import COMMAND_LINE, CloudFailed, Conflict, Invalid, NotAllowed, NotFound, Role
from txt_dashboard.cloud.enforcement import Enforcement, digest
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.models import Activity, CloudFlavor
from txt_dashboard.queries import flavors

REQUIRED = {f"trait:{TRAIT}": "required"}
ASKED = {"trust:trusted_host": "trusted"}
SPECS = "/nova/v2.1/flavors/1/os-extra_specs"
READ, SET = f"GET {SPECS}", f"POST {SPECS}"
GONE = answer({"itemNotFound": {"code": 404, "message": "no"}}, 404)
BUSY = answer({"conflictingRequest": {"code": 409, "message": "no"}}, 409)


def hung_up(handler) -> None:
    """No answer: the connection ends."""
    handler.close_connection = True
    handler.connection.close()


@pytest.fixture
def ada(db):
    return person("ada", Role.ADMINISTRATOR)


@pytest.fixture
def accounts(living):
    opened = connect(living, deadline=0.5)
    yield Accounts(opened, opened)
    opened.close()


@pytest.fixture
def look(turn, keeper):
    """A worker's look at the flavors, and what it keeps of the one."""

    def do() -> CloudFlavor:
        turn(after=61)
        keeper.look_at_flavors()
        return CloudFlavor.objects.get()

    return do


@pytest.fixture
def flavor(living, judge, look):
    """One ordinary flavor with an extra spec of somebody else's, and a trusted host."""
    judge("hv1")
    living.flavors["1"] = Flavor("m1", {"hw:cpu_policy": "shared"})
    look()
    return living.flavors["1"]


@pytest.fixture
def toggle(living, accounts, ada, clock):
    """Asks for it as the page does: with the hash of what is shown, unless told otherwise."""

    def do(*, trusted: bool = True, actor=ada, by: Enforcement | None = None, **more) -> CloudFlavor:
        shown = digest(CloudFlavor.objects.get().specs)
        wish = Wish(trusted, by, more.get("reason", "For tenants with secrets."), more.get("specs_hash", shown))
        connecting = more.get("connect", lambda _name: accounts)
        return set_flavor_trust(actor, "east", more.get("flavor_id", "1"), wish, connect=connecting, clock=clock)

    return do


def shown(clock) -> flavors.FlavorView:
    row = CloudFlavor.objects.select_related("cloud").get()
    return flavors.view(row, flavors.look(row.cloud, clock()), clock())


def told() -> list[tuple[str, dict]]:
    return [(each.actor, each.detail) for each in Activity.objects.filter(verb="set flavor trust").order_by("id")]


@pytest.mark.parametrize(
    ("by", "specs"), [(None, REQUIRED), ("trait", REQUIRED), ("filter", ASKED), ("both", REQUIRED | ASKED)]
)
def test_a_flavor_becomes_trusted_and_ordinary_again(flavor, toggle, clock, by, specs):
    others = dict(flavor.specs)
    toggle(by=Enforcement(by) if by else None)
    assert flavor.specs == others | specs
    assert shown(clock).enforced == (by or "trait")
    toggle(trusted=False)
    assert flavor.specs == others
    assert not shown(clock).trusted


def test_the_settings_choose_the_enforcement(flavor, toggle, settings):
    settings.TXT_ENFORCEMENT = Enforcement.BOTH
    toggle()
    assert flavor.specs.keys() >= (REQUIRED | ASKED).keys()


def test_the_trait_is_there_before_it_is_required(flavor, living, toggle):
    living.traits.clear()
    toggle()
    calls = [f"{each.method} {each.path}" for each in living.asked]
    assert calls.index(f"PUT /placement/traits/{TRAIT}") < calls.index(SET)


def test_another_enforcement_is_set_before_the_old_one_is_unset(flavor, living, toggle):
    toggle(by=Enforcement.TRAIT)
    living.asked.clear()
    toggle(by=Enforcement.FILTER)
    assert flavor.specs == {"hw:cpu_policy": "shared"} | ASKED
    writes = [each.method for each in living.asked if each.path.startswith(SPECS) and each.method != "GET"]
    assert writes == ["POST", "DELETE"]


def test_the_log_says_what_was_intended_and_what_came_of_it(flavor, toggle):
    toggle(reason="Contract 12.")
    (_, intended), (actor, outcome) = told()
    assert intended["reason"] == "Contract 12."
    assert intended["before"] == {f"trait:{TRAIT}": None}
    assert intended["after"] == REQUIRED
    assert intended["intended"] is True
    assert (actor, outcome["outcome"]) == ("ada", "done")
    assert Activity.objects.get(of__isnull=False, verb="set flavor trust").target == "m1"


def test_what_is_so_already_is_no_act(flavor, toggle, living):
    toggle()
    toggle()
    assert len(told()) == 2


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_administrators_may(flavor, toggle, living, role):
    asked = len(living.asked)
    with pytest.raises(NotAllowed):
        toggle(actor=person("eve", role))
    assert len(living.asked) == asked


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_it_takes_a_reason(flavor, toggle, reason):
    with pytest.raises(Invalid):
        toggle(reason=reason)
    assert told() == []


def test_a_flavor_that_nobody_knows_is_not_there(flavor, toggle):
    with pytest.raises(NotFound):
        toggle(flavor_id="2")


def test_a_flavor_that_was_deleted_meanwhile_is_not_there(flavor, toggle, living, look):
    del living.flavors["1"]
    with pytest.raises(NotFound, match="any more"):
        toggle()
    assert told() == []


def test_what_was_changed_since_it_was_seen_is_not_touched(flavor, toggle, clock):
    flavor.specs["hw:mem_page_size"] = "large"
    with pytest.raises(Conflict, match="since you saw them"):
        toggle()
    assert not REQUIRED.keys() & flavor.specs.keys()
    assert shown(clock).row.specs == flavor.specs  # now it is seen
    toggle()
    assert flavor.specs.items() >= REQUIRED.items()


def test_of_two_administrators_who_saw_the_same_one_has_an_effect(flavor, toggle):
    seen = digest(CloudFlavor.objects.get().specs)
    toggle(specs_hash=seen)
    with pytest.raises(Conflict):
        toggle(actor=person("bob", Role.ADMINISTRATOR), specs_hash=seen, by=Enforcement.FILTER)
    assert flavor.specs == {"hw:cpu_policy": "shared"} | REQUIRED
    assert [actor for actor, _ in told()] == ["ada", "ada"]


def test_while_one_is_at_it_the_other_is_told_so(flavor, toggle, accounts):
    bob = person("bob", Role.ADMINISTRATOR)

    def meanwhile(_name) -> Accounts:
        with pytest.raises(Conflict, match="Somebody else changes m1"):
            toggle(actor=bob)
        return accounts

    toggle(connect=meanwhile)
    assert flavor.specs.items() >= REQUIRED.items()
    assert len(told()) == 2


def test_a_claim_that_a_killed_process_left_behind_runs_out(flavor, toggle, clock):
    CloudFlavor.objects.update(changing_until=clock() + LASTS)
    with pytest.raises(Conflict):
        toggle()
    clock.now += LASTS + timedelta(seconds=1)
    toggle()
    assert shown(clock).trusted


def test_a_claim_by_a_clock_that_is_ahead_of_ours_holds_unless_it_never_ends(flavor, toggle, clock):
    CloudFlavor.objects.update(changing_until=clock() + LASTS + timedelta(milliseconds=1))
    with pytest.raises(Conflict):
        toggle()
    CloudFlavor.objects.update(changing_until=clock() + timedelta(days=1))
    toggle()
    assert shown(clock).trusted


def test_a_claim_ends_with_the_act_also_where_it_fails(flavor, toggle, living):
    living.on(SET, BUSY)
    for _ in range(2):
        with pytest.raises(Conflict, match="409"):
            toggle()
    assert CloudFlavor.objects.get().changing_until is None


@pytest.mark.parametrize(
    ("respond", "error", "says"),
    [
        (answer({}, 403), CloudFailed, "the role admin"),
        (answer({}, 400), CloudFailed, "refused"),
        (answer({}, 500), CloudFailed, "look into its log"),
        (BUSY, Conflict, "at this moment"),
    ],
)
def test_what_nova_refuses_is_told_and_shown_as_not_done(flavor, toggle, living, clock, respond, error, says):
    living.on(SET, respond)
    with pytest.raises(error, match=says):
        toggle()
    assert (shown(clock).trusted, shown(clock).row.entry) == (False, None)
    _, outcome = told()[-1]
    assert outcome["outcome"] == "failed"
    assert says in outcome["why"]


def test_what_placement_refuses_requires_nothing(flavor, toggle, living):
    living.on(f"PUT /placement/traits/{TRAIT}", answer({}, 403))
    with pytest.raises(CloudFailed, match="create the trait"):
        toggle()
    assert flavor.specs == {"hw:cpu_policy": "shared"}


def test_a_call_that_failed_after_it_had_its_effect_is_done(flavor, toggle, living, clock):
    def done_and_lost(handler) -> None:
        flavor.specs |= handler.asked.json["extra_specs"]
        answer({}, 504)(handler)

    living.on(SET, done_and_lost)
    toggle()
    assert shown(clock).trusted
    assert told()[-1][1]["outcome"] == "done"


@pytest.mark.parametrize("respond", [answer({}, 503), hung_up])
def test_what_took_too_long_is_in_doubt_until_a_worker_has_looked(flavor, toggle, living, clock, look, respond):
    living.on(SET, respond)
    with pytest.raises(CloudFailed, match="a worker looks again"):
        toggle()
    assert [each.code for each in shown(clock).warnings] == ["in_doubt"]
    flavor.specs |= REQUIRED  # Nova had only been slow
    assert not shown(clock).trusted
    look()
    assert shown(clock).trusted
    assert told()[-1] == ("worker", {"cloud": "east", "flavor": "1", "outcome": "done"})


def test_an_undoing_of_which_nobody_knows_shows_no_trust(flavor, toggle, living, clock, look):
    toggle()
    living.down = True
    with pytest.raises(CloudFailed):
        toggle(trusted=False)
    assert shown(clock).trusted  # not even asked: as it was
    living.down = False
    living.on(READ, answer({"extra_specs": flavor.specs}), answer({}, 503))
    living.on(f"DELETE {SPECS}/trait:{TRAIT}", answer({}, 503))
    with pytest.raises(CloudFailed):
        toggle(trusted=False)
    assert (shown(clock).trusted, shown(clock).enforced, shown(clock).old_demand) == (False, None, None)
    look()
    assert shown(clock).trusted
    assert told()[-1][1]["outcome"] == "failed"


class Killed(BaseException):
    """The process ends."""


class Deadly:
    """A connection in whose use the process is killed."""

    def __getattr__(self, _name):
        raise Killed


def test_somebody_who_was_killed_leaves_an_intention_that_a_worker_settles(flavor, toggle, accounts, clock, look):
    with pytest.raises(Killed):
        toggle(connect=lambda _name: Accounts(accounts.compute, Deadly()))
    CloudFlavor.objects.update(changing_until=clock() + LASTS)  # nobody was left to end the claim
    assert [each.code for each in shown(clock).warnings] == ["in_doubt"]
    look()
    assert CloudFlavor.objects.get().entry is not None  # as far as anybody knows it is still under way
    clock.now += LASTS
    look()
    assert CloudFlavor.objects.get().entry is None
    assert told()[-1] == ("worker", {"cloud": "east", "flavor": "1", "outcome": "failed"})


def test_a_look_that_began_before_a_change_does_not_undo_it_on_the_page(flavor, clock, keeper):
    clock.advance(seconds=61)
    CloudFlavor.objects.update(specs=flavor.specs | REQUIRED, changed_at=clock() + timedelta(seconds=1))
    keeper.look_at_flavors()
    assert shown(clock).trusted


def test_a_demand_that_is_not_ours_keeps_a_flavor_trusted_and_is_told(flavor, toggle, look):
    flavor.specs[f"trait1:{TRAIT}"] = "required"
    look()
    with pytest.raises(Conflict, match=f"trait1:{TRAIT}"):
        toggle(trusted=False)
    assert told() == []


def test_accounts_that_cannot_be_used_are_told(flavor, toggle):
    def connecting(_name):
        raise Misconfigured("clouds.yaml has no cloud east")

    with pytest.raises(CloudFailed, match="no cloud east"):
        toggle(connect=connecting)


def test_the_command_line_may(flavor, toggle, clock):
    toggle(actor=COMMAND_LINE)
    assert shown(clock).trusted
