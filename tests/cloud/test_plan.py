"""What to change in Placement so that exactly the trusted hosts have the trait."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.cloud.plan import Plan, Providers, plan

A, B, C = "a", "b", "c"
ALL = frozenset({A, B, C})


def now(should="", have="", intended=None, exist=ALL, suspended=""):
    return Providers(
        frozenset(should),
        frozenset(have),
        exist,
        frozenset(have if intended is None else intended),
        frozenset(suspended),
    )


def test_where_all_is_as_it_should_be_nothing_is_done():
    assert not plan(now(should="ab", have="ab"))


def test_who_is_trusted_gets_it_and_who_is_not_loses_it():
    assert plan(now(should="ab", have="bc")) == Plan(remove=(C,), add=(A,), foreign=(), vanished=(), unmoved=())


def test_a_provider_that_is_gone_is_named_and_not_touched():
    found = plan(now(should="ab", exist=frozenset({B})))
    assert (found.add, found.vanished) == ((B,), (A,))


def test_what_somebody_else_set_is_taken_even_from_a_trusted_host():
    found = plan(now(should="ab", have="ab", intended="a"))
    assert (found.remove, found.add, found.foreign) == ((B,), (), (B,))


def test_until_it_is_acknowledged_such_a_host_stays_without():
    assert not plan(now(should="ab", have="a", suspended="b"))
    assert plan(now(should="ab", have="ab", suspended="b")).remove == (B,)


def test_an_intent_that_was_never_carried_out_is_carried_out_now():
    assert plan(now(should="a", intended="a")).add == (A,)


def test_an_intent_of_old_does_not_keep_the_trait():
    assert plan(now(have="a", intended="a")).remove == (A,)


def test_what_is_found_at_the_first_connection_is_listed_and_left():
    found = plan(now(should="ab", have="bc", intended=""), first=True)
    assert found == Plan(remove=(), add=(A,), foreign=(), vanished=(), unmoved=(B, C))


SETS = st.frozensets(st.sampled_from("abcdef"))


@given(SETS, SETS, SETS, SETS, SETS)
def test_it_converges_in_one_step_and_nobody_untrusted_keeps_it(should, have, exist, intended, suspended):
    before = Providers(should, have, exist | have, intended, suspended)
    first = plan(before)
    assert not set(first.remove) & set(first.add)
    have_then = (have - set(first.remove)) | set(first.add)
    assert have_then <= should - suspended
    then = replace(before, have=have_then, intended=have_then, suspended=suspended | set(first.foreign))
    assert not plan(then)
    assert have_then == (should & before.exist) - then.suspended
