"""Entries: what their digests cover, and that they are there exactly where their acts are."""

import hashlib
import json
from datetime import datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.activity import write
from tests.factories import NOON
from txt_dashboard.audit import intend, record
from txt_dashboard.audit.entry import GENESIS, digest_of
from txt_dashboard.audit.verify import verify
from txt_dashboard.models import Activity, ActivityHead

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=timezone.utc)  # noqa: UP017 - as databases give it back
)


def by_hand(previous, number, at, *rest) -> str:
    """The digest as docs/activity.md says how, with nothing of ours."""
    said = json.dumps(
        [previous, number, at.isoformat().replace("+00:00", "Z"), *rest], ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(said.encode()).hexdigest()


@given(st.tuples(MOMENTS, TEXT, TEXT, TEXT, TEXT, st.none() | st.integers(1, 2**62), TEXT))
def test_a_digest_is_sha256_over_one_json_array_of_all_that_the_entry_says(said) -> None:
    content = (GENESIS, 7, *said)
    assert digest_of(content) == by_hand(*content)


@given(st.tuples(TEXT, TEXT, TEXT, TEXT), st.tuples(TEXT, TEXT, TEXT, TEXT))
def test_words_that_move_from_one_field_to_the_next_give_another_digest(one, other) -> None:
    digests = {digest_of((GENESIS, 1, NOON, *each, None, "{}")) for each in (one, other)}
    assert len(digests) == (1 if one == other else 2)


@pytest.mark.django_db
def test_entries_are_numbered_without_a_gap_and_hold_the_digest_of_the_one_before() -> None:
    write(3)
    previous = GENESIS
    for number, entry in enumerate(Activity.objects.order_by("id"), start=1):
        assert (entry.pk, entry.previous) == (number, previous)
        text = json.dumps(entry.detail, separators=(",", ":"))
        said = (entry.actor, entry.verb, entry.target, entry.host, entry.of, text)
        assert entry.digest == by_hand(previous, number, entry.at, *said)
        previous = entry.digest
    head = ActivityHead.objects.get()
    assert (head.count, head.digest) == (3, previous)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "detail", [{"float": 1.5e22, "zero": -0.0}, {"text": "é\u0000\u2028\ud800"}, {"keys": {"b": 1, "a": 2}}, {}]
)
def test_what_json_can_say_comes_back_and_verifies(detail) -> None:
    record(at=NOON, actor="ada", verb="poll", detail=detail)
    assert Activity.objects.get().detail == detail
    assert verify(iter(()), None).entries == 1


@pytest.mark.django_db
def test_a_moment_of_another_zone_is_hashed_in_utc() -> None:
    record(at=NOON.astimezone(timezone(timedelta(hours=5))), actor="ada", verb="poll")
    assert Activity.objects.get().at == NOON
    assert verify(iter(()), None).entries == 1


@pytest.mark.django_db
def test_what_json_can_not_say_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        record(at=NOON, actor="ada", verb="poll", detail={"n": float("nan")})
    with pytest.raises(TypeError):
        record(at=NOON, actor="ada", verb="poll", detail={"n": object()})
    assert not Activity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_without_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction of its act"):
        record(at=NOON, actor="ada", verb="poll")


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_leaves_neither_an_entry_nor_a_gap() -> None:
    with transaction.atomic():
        write(1)
        transaction.set_rollback(True)
    with transaction.atomic():
        write(1)
    assert list(Activity.objects.values_list("id", flat=True)) == [1]
    assert verify(iter(()), None).entries == 1


@pytest.mark.django_db
def test_an_outcome_names_the_entry_that_said_what_was_intended() -> None:
    number = intend(at=NOON, actor="worker", verb="publish", target="oat-1", detail={"mle": "x"})
    outcome = record(at=NOON, actor="worker", verb="publish", target="oat-1", of=number, detail={"outcome": "done"})
    assert Activity.objects.get(id=number).detail == {"mle": "x", "intended": True}
    assert Activity.objects.get(id=outcome).of == number


@pytest.mark.django_db
def test_a_head_that_was_lost_is_found_again() -> None:
    write(2)
    ActivityHead.objects.all().delete()
    write(1)
    assert verify(iter(()), None).entries == 3


@pytest.mark.django_db
def test_no_two_entries_follow_the_same_one() -> None:
    write(2)
    first = Activity.objects.get(id=1)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO txt_dashboard_activity (id, at, actor, verb, target, host, detail, previous, digest)"
            " VALUES (3, %s, 'x', 'x', '', '', '{}', %s, 'another')",
            [NOON, first.previous],
        )
