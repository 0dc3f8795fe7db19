"""Changing a flavor fails, or nobody knows whether it did: nothing wrong is shown, and a worker looks again."""

import pytest

from tests.actions.clouds.conftest import TRAIT
from tests.actions.clouds.toggling import BUSY, READ, REQUIRED, SET, SPECS, shown, told
from tests.cloud.fake import answer
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.flavors import LASTS
from txt_dashboard.actions.permissions import CloudFailed, Conflict
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.models import CloudFlavor


def hung_up(handler) -> None:
    """No answer: the connection ends."""
    handler.close_connection = True
    handler.connection.close()


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


def test_accounts_that_cannot_be_used_are_told(flavor, toggle):
    def connecting(_name):
        raise Misconfigured("clouds.yaml has no cloud east")

    with pytest.raises(CloudFailed, match="no cloud east"):
        toggle(connect=connecting)
