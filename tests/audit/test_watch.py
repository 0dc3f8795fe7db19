"""What workers do for the log every minute."""

import fcntl
import json
import socket

import pytest

from tests.activity import SQL, past_the_guards, write
from txt_dashboard.audit import watch
from txt_dashboard.audit.chain import end
from txt_dashboard.audit.heads import lines_of, read_heads
from txt_dashboard.audit.verify import verify
from txt_dashboard.audit.watch import check_if_due, write_head_if_due
from txt_dashboard.models import Activity, ActivityCheck, ActivityHead

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    """The damages that the log itself tells of."""
    return [entry.detail["reason"] for entry in Activity.objects.filter(verb="activity log damaged")]


# --- Walking the chain


def test_a_check_is_due_every_minute(clock) -> None:
    write(3)
    check_if_due(clock())
    write(2)
    check_if_due(clock.advance(seconds=59))
    assert ActivityCheck.objects.get().checked == 3
    check_if_due(clock.advance(seconds=1))
    state = ActivityCheck.objects.get()
    assert (state.checked, state.checked_at, state.fault) == (5, clock(), "")


def test_a_clock_that_was_set_back_does_not_keep_the_check_waiting(clock) -> None:
    check_if_due(clock.advance(days=2))
    check_if_due(clock.advance(days=-2))
    assert ActivityCheck.objects.get().checked_at == clock()


def test_a_long_log_is_walked_slice_by_slice_and_then_from_the_first_again(clock, monkeypatch) -> None:
    monkeypatch.setattr(watch, "SLICE", 4)
    write(10)
    walked = []
    for _ in range(4):
        check_if_due(clock.advance(minutes=1))
        state = ActivityCheck.objects.get()
        walked.append((state.walked, state.checked))
    assert walked == [(4, 0), (8, 0), (0, 10), (4, 10)]


def test_a_rewritten_entry_is_told_on_the_page_and_once_in_the_log(clock) -> None:
    write(3)
    with past_the_guards() as run:
        run(f"{SQL} actor = 'eve' WHERE id = 2")
    for _ in range(3):
        check_if_due(clock.advance(minutes=1))
    sentence = "Entry 2 was rewritten: its digest is not that of what it says."
    assert ActivityCheck.objects.get().fault == sentence
    assert told() == [sentence]


def test_the_warning_ends_once_a_whole_walk_finds_nothing(clock) -> None:
    write(3)
    with past_the_guards() as run:
        run(f"{SQL} actor = 'eve' WHERE id = 2")
    check_if_due(clock.advance(minutes=1))
    with past_the_guards() as run:
        run(f"{SQL} actor = 'ada' WHERE id = 2")
    check_if_due(clock.advance(minutes=1))
    assert ActivityCheck.objects.get().fault == ""
    assert len(told()) == 1  # that it was so stays


def test_a_cut_off_end_is_found_by_the_count(clock) -> None:
    write(3)
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id = 3")
    check_if_due(clock())
    assert ActivityCheck.objects.get().fault == "Entry 3 is missing at the end."


def test_a_log_that_takes_no_entry_keeps_no_worker_from_its_work(clock) -> None:
    write(3)
    ActivityHead.objects.update(count=1)  # the next entry would be number 2, which is there
    check_if_due(clock())
    assert "own count knows another digest" in ActivityCheck.objects.get().fault
    assert Activity.objects.count() == 3


# --- Signing its head


def test_a_head_is_written_every_minute_and_verifies(clock, sign, signed, heads_file) -> None:
    write(2)
    assert write_head_if_due(sign, clock())
    assert not write_head_if_due(sign, clock.advance(seconds=59))
    write(2)
    assert write_head_if_due(sign, clock.advance(seconds=1))
    with heads_file.open("rb") as file:
        report = verify(read_heads(lines_of(file), "heads"), signed, every_signature=True)
    assert (report.heads, report.last.count, report.last.at) == (2, 4, clock())
    state = ActivityCheck.objects.get()
    assert (state.signed, state.signed_at) == (4, clock())


def test_the_file_is_for_its_owner_only(clock, sign, heads_file) -> None:
    write_head_if_due(sign, clock())
    assert heads_file.stat().st_mode & 0o777 == 0o600


def test_a_head_of_an_empty_log_says_that_it_is_empty(clock, sign, heads_file) -> None:
    assert write_head_if_due(sign, clock())
    assert json.loads(heads_file.read_text())["count"] == 0


def test_one_of_two_workers_writes(clock, sign, heads_file) -> None:
    with heads_file.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not write_head_if_due(sign, clock())
    assert heads_file.read_bytes() == b""


def test_a_writer_that_died_within_its_line_costs_that_line(clock, sign, heads_file) -> None:
    write_head_if_due(sign, clock())
    with heads_file.open("ab") as file:
        file.write(b'{"at":"2026-')
    assert write_head_if_due(sign, clock.advance(minutes=1))
    with heads_file.open("rb") as file:
        assert len(list(read_heads(lines_of(file), "heads"))) == 2


@pytest.mark.parametrize("cut", ["the end", "all"])
def test_a_log_shorter_than_its_last_head_is_not_signed(clock, sign, heads_file, cut) -> None:
    write(3)
    write_head_if_due(sign, clock())
    before = heads_file.read_bytes()
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id > %s", 1 if cut == "the end" else 0)
    last = end()
    ActivityHead.objects.update(count=last.count, digest=last.digest)
    assert not write_head_if_due(sign, clock.advance(minutes=1))
    assert heads_file.read_bytes() == before
    sentence = ActivityCheck.objects.get().head_fault
    assert sentence.startswith(f"Entry {last.count + 1} is missing at the end")
    assert told() == [sentence]


def test_a_log_written_anew_since_its_last_head_is_not_signed(clock, sign, heads_file) -> None:
    write(3)
    write_head_if_due(sign, clock())
    with past_the_guards() as run:
        run(f"{SQL} digest = %s WHERE id = 3", "f" * 64)
    assert not write_head_if_due(sign, clock.advance(minutes=1))
    assert "Entry 3 or one before it was exchanged" in ActivityCheck.objects.get().head_fault


def test_heads_that_somebody_put_aside_begin_anew_and_end_the_warning(clock, sign, heads_file) -> None:
    write(3)
    write_head_if_due(sign, clock())
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id = 3")
    write_head_if_due(sign, clock.advance(minutes=1))
    assert ActivityCheck.objects.get().head_fault
    heads_file.rename(heads_file.with_suffix(".before-the-restore"))
    assert write_head_if_due(sign, clock.advance(minutes=1))
    assert ActivityCheck.objects.get().head_fault == ""


def test_a_file_that_can_not_be_written_is_no_reason_to_stop(clock, sign, settings, tmp_path) -> None:
    settings.TXT_AUDIT_HEADS = str(tmp_path / "nowhere" / "heads")
    assert not write_head_if_due(sign, clock())


def test_a_key_that_is_not_there_is_the_callers_matter(clock, heads_file) -> None:
    def no_key(_message: bytes) -> tuple[str, bytes]:
        raise LookupError

    with pytest.raises(LookupError):
        write_head_if_due(no_key, clock())


# --- Syslog


@pytest.fixture
def syslog(settings, tmp_path, monkeypatch):
    """A syslog that keeps what it gets; heads go there."""
    settings.TXT_DATA_DIR = tmp_path
    settings.TXT_AUDIT_HEADS = "syslog"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        listener.settimeout(1)
        monkeypatch.setattr(watch, "send_to_syslog", lambda head: send(head, str(tmp_path / "log")))
        yield listener


send = watch.send_to_syslog


def test_heads_go_to_syslog_and_are_read_back_from_its_file(clock, sign, signed, syslog, tmp_path) -> None:
    lines = []
    for _ in range(2):
        write(2)
        assert write_head_if_due(sign, clock.advance(minutes=1))
        message = syslog.recv(4096)
        assert message.startswith(b"<109>txt-dashboard: {")
        lines.append(b"Nov 23 12:00:01 trust-1 " + message.partition(b">")[2] + b"\n")
    assert not write_head_if_due(sign, clock.advance(seconds=30))
    report = verify(read_heads([b"Nov 23 11:00:00 trust-1 cron: {nothing}\n", *lines], "syslog"), signed)
    assert (report.heads, report.last.count) == (2, 4)


def test_what_went_to_syslog_is_held_against_the_log_too(clock, sign, syslog) -> None:
    write(2)
    write_head_if_due(sign, clock())
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id = 2")
    assert not write_head_if_due(sign, clock.advance(minutes=1))
    assert "Entry 2 is missing at the end" in ActivityCheck.objects.get().head_fault


def test_without_a_syslog_the_next_turn_tries_again(clock, sign, settings, tmp_path, monkeypatch) -> None:
    settings.TXT_DATA_DIR, settings.TXT_AUDIT_HEADS = tmp_path, "syslog"
    monkeypatch.setattr(watch, "send_to_syslog", lambda head: send(head, str(tmp_path / "no-syslog")))
    assert not write_head_if_due(sign, clock())
    assert not write_head_if_due(sign, clock.advance(seconds=2))


def test_a_turn_in_which_nothing_is_due_asks_once(clock, django_assert_num_queries) -> None:
    check_if_due(clock())
    with django_assert_num_queries(1):
        check_if_due(clock.advance(seconds=2))
