"""Each way to tamper with the log is found out, by the number of the entry."""

from datetime import timedelta

import pytest
from django.db import connection

from tests.activity import SQL, past_the_guards, write
from tests.factories import NOON
from txt_dashboard.audit import chain
from txt_dashboard.audit.chain import ChainBroken, end
from txt_dashboard.audit.entry import GENESIS, HASHED, digest_of
from txt_dashboard.audit.heads import sign_head
from txt_dashboard.audit.verify import verify
from txt_dashboard.models import Activity, ActivityHead
from txt_dashboard.models.activity import detail_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def heads(sign):
    """`heads(3, 5)`: writes entries up to these numbers, and a head at each."""

    def signed_at(*counts: int) -> list:
        made = []
        for count in counts:
            write(count - Activity.objects.count())
            made.append(sign_head(sign, NOON + timedelta(minutes=count), count, end().digest))
        return made

    return signed_at


def found(heads=(), signed=None, **more) -> tuple[int, str]:
    """The number and the sentence of what is wrong."""
    with pytest.raises(ChainBroken) as broken:
        verify(iter(heads), signed, **more)
    return broken.value.number, str(broken.value)


def chain_anew(first: int) -> None:
    """What a careful forger does: every digest from this entry on, and the count's, fits what is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM txt_dashboard_activity WHERE id = %s", [first - 1])
        previous = (cursor.fetchone() or [GENESIS])[0]
        for entry in Activity.objects.filter(id__gte=first).order_by("id"):
            said = [getattr(entry, name) for name in HASHED[1:-1]]
            digest = digest_of((previous, *said, detail_text(entry.detail)))
            cursor.execute(f"{SQL} previous = %s, digest = %s WHERE id = %s", [previous, digest, entry.pk])
            previous = digest
    ActivityHead.objects.update(count=end().count, digest=end().digest)


# --- A sound log


def test_a_sound_log_says_what_is_proven(heads, signed) -> None:
    made = heads(0, 2, 2, 5)
    write(2)
    report = verify(iter(made), signed)
    assert (report.entries, report.heads, report.last, report.unproven) == (7, 4, made[-1], 2)


def test_an_empty_log_is_sound(signed) -> None:
    assert verify(iter(()), signed).entries == 0


def test_a_log_of_many_chunks_is_walked_whole(monkeypatch, signed) -> None:
    monkeypatch.setattr(chain, "CHUNK", 3)
    write(10)
    assert verify(iter(()), signed).entries == 10


# --- The chain alone


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2026-11-23 12:05:00"),
        ("actor", "eve"),
        ("verb", "reject"),
        ("target", "hv9"),
        ("host", "hv9"),
        ("of", 1),
        ("detail", '{"n":3,"reason":"none"}'),
        ("detail", '{"n": 3, "reason": "because"}'),
        ("detail", "no JSON"),
        ("previous", "0" * 63 + "1"),
        ("digest", "0" * 63 + "1"),
    ],
)
def test_a_rewritten_entry(column, value) -> None:
    write(5)
    with past_the_guards() as run:
        run(f'{SQL} "{column}" = %s WHERE id = 3', value)
    assert found() == (3, "Entry 3 was rewritten: its digest is not that of what it says.")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases keep to their columns' types")
@pytest.mark.parametrize("value", ["when it pleased me", "2026-13-45 12:00:00", 4711, b"\x00"])
def test_an_entry_that_holds_what_it_can_not_hold(value) -> None:
    write(5)
    with past_the_guards() as run:
        run(f"{SQL} at = %s WHERE id = 3", value)
    assert found()[0] == 3


def test_a_rewritten_entry_whose_own_digest_fits() -> None:
    write(5)
    with past_the_guards() as run:
        run(f"{SQL} actor = 'eve' WHERE id = 3")
        entry = Activity.objects.get(id=3)
        text = '{"n":3,"reason":"because"}'
        said = (entry.previous, 3, entry.at, "eve", entry.verb, entry.target, entry.host, None, text)
        run(f"{SQL} digest = %s WHERE id = 3", digest_of(said))
    assert found() == (4, "Entry 4 does not follow entry 3: one of the two was exchanged.")


def test_an_entry_cut_out_of_the_middle() -> None:
    write(5)
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id IN (2, 3)")
    assert found() == (2, "Entry 2 is missing: the next one that is there is 4.")


def test_an_entry_cut_out_with_the_others_moved_up() -> None:
    write(5)
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id = 3")
        run(f"{SQL} id = 3 WHERE id = 4")
        run(f"{SQL} id = 4 WHERE id = 5")
    assert found()[0] == 3


def test_two_entries_in_each_others_place() -> None:
    write(5)
    with past_the_guards() as run:
        for number, place in ((2, 99), (3, 2), (99, 3)):
            run(f"{SQL} id = %s WHERE id = %s", place, number)
    assert found()[0] == 2


def test_an_entry_put_in() -> None:
    write(5)
    with past_the_guards() as run:
        for number in (5, 4, 3):
            run(f"{SQL} id = %s WHERE id = %s", number + 1, number)
        run(
            "INSERT INTO txt_dashboard_activity (id, at, actor, verb, target, host, detail, previous, digest)"
            " SELECT 3, at, 'eve', verb, target, host, detail, 'p', 'd' FROM txt_dashboard_activity WHERE id = 2"
        )
    assert found()[0] == 3


@pytest.mark.parametrize("number", [0, -5])
def test_an_entry_put_in_before_the_first(number) -> None:
    write(2)
    with past_the_guards() as run:
        run(
            "INSERT INTO txt_dashboard_activity (id, at, actor, verb, target, host, detail, previous, digest)"
            " SELECT %s, at, 'eve', verb, target, host, detail, 'p', 'd' FROM txt_dashboard_activity WHERE id = 2",
            number,
        )
    assert found() == (1, f"Entry {number} was put in: the log's numbers begin with 1.")


def test_an_entry_put_in_at_the_end_past_the_product() -> None:
    write(2)
    last = Activity.objects.get(id=2)
    digest = digest_of((last.digest, 3, NOON, "eve", "poll", "", "", None, "{}"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO txt_dashboard_activity (id, at, actor, verb, target, host, detail, previous, digest)"
            " VALUES (3, %s, 'eve', 'poll', '', '', '{}', %s, %s)",
            [f"{NOON:%Y-%m-%d %H:%M:%S}", last.digest, digest],
        )
    assert found() == (3, "Entry 3 was put in past the product: its count ends before.")


def test_entries_cut_off_at_the_end_by_somebody_who_forgot_the_count() -> None:
    write(5)
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id > 3")
    assert found() == (4, "Entries 4 to 5 are missing at the end: the log's own count has 5 entries.")


def test_a_count_that_knows_another_entry() -> None:
    write(3)
    ActivityHead.objects.update(count=2)
    assert found() == (2, "Entry 2 was exchanged: the log's own count knows another digest.")


# --- Against signed heads


def test_entries_cut_off_at_the_end_that_a_head_proves(heads, signed) -> None:
    made = heads(2, 5)
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id > 3")
    ActivityHead.objects.update(count=3, digest=end().digest)
    sentence = (
        "Entries 4 to 5 are missing at the end: the head that was signed 2026-11-23 12:05:00 UTC has 5 entries."
    )
    assert found(made, signed) == (4, sentence)


def test_a_log_that_was_emptied(heads, signed) -> None:
    made = heads(2)
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity")
    ActivityHead.objects.all().delete()
    assert found(made, signed)[0] == 1


def test_a_history_written_anew_with_every_digest_right(heads, signed) -> None:
    made = heads(2, 4, 6)
    with past_the_guards() as run:
        run(f"{SQL} actor = 'eve' WHERE id = 3")
        chain_anew(3)
    assert verify(iter(()), signed).entries == 6  # the chain alone can't tell
    sentence = (
        "An entry from 3 to 4 was exchanged: the head that was signed 2026-11-23 12:04:00 UTC knows another digest."
    )
    assert found(made, signed) == (3, sentence)


def test_a_head_that_nobody_of_us_signed_proves_nothing(heads, signed) -> None:
    (real,) = heads(3)
    forged = sign_head(lambda message: ("0" * 16, b"x" * 64), NOON, 9, "f" * 64)
    assert "counts 9 entries, is not signed by a key of ours" in found([real, forged], signed)[1]


def test_the_last_head_s_signature_is_always_checked(heads, signed) -> None:
    write(3)
    forged = sign_head(lambda message: ("0" * 16, b"x" * 64), NOON, 3, end().digest)
    assert "is not signed by a key of ours" in found([forged], signed)[1]


def test_a_signature_between_is_checked_on_request(heads, sign, signed) -> None:
    first, last = heads(2, 4)
    moved = type(first)(first.at - timedelta(days=1), first.count, first.digest, first.key, first.signature)
    assert verify(iter([moved, last]), signed).heads == 2
    assert "is not signed by a key of ours" in found([moved, last], signed, every_signature=True)[1]
    assert verify(iter([first, last]), signed, every_signature=True).heads == 2
