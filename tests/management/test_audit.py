"""`audit`: what is wrong is a sentence and the exit status 1."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests.activity import past_the_guards, write
from txt_dashboard.audit.chain import end
from txt_dashboard.audit.watch import write_head_if_due
from txt_dashboard.models import ActivityHead

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_log(clock, sign, heads_file, public_keys):
    """Two heads of a log with four entries."""
    for _ in range(2):
        write(2)
        assert write_head_if_due(sign, clock.advance(minutes=1))
    return heads_file


def wrong(*arguments: object) -> str:
    with pytest.raises(CommandError) as error:
        call_command("audit", *map(str, arguments))
    assert error.value.returncode == 1
    return str(error.value)


def said(capsys, *arguments: object) -> str:
    call_command("audit", *map(str, arguments))
    return capsys.readouterr().out


def test_a_sound_log(signed_log, capsys) -> None:
    sentence = "2 signed heads agree; the last, of 2026-11-23 12:02:00 UTC, proves the first 4."
    assert said(capsys, "verify") == f"The chain of 4 entries holds. {sentence}\n"
    assert sentence in said(capsys, "verify", "--every-signature")


def test_the_chain_alone_says_that_its_end_is_not_proven(signed_log, capsys) -> None:
    assert "no heads were asked" in said(capsys, "verify", "--without-heads")


def test_a_cut_off_end_is_named(signed_log) -> None:
    with past_the_guards() as run:
        run("DELETE FROM txt_dashboard_activity WHERE id > 3")
    ActivityHead.objects.update(count=3, digest=end().digest)
    assert wrong("verify").startswith("Entry 4 is missing at the end: the head that was signed")


def test_heads_of_several_files_count_together(signed_log, capsys, tmp_path) -> None:
    lines = signed_log.read_text().splitlines(keepends=True)
    files = []
    for number, line in enumerate(reversed(lines)):
        files.append(tmp_path / f"heads-{number}")
        files[-1].write_text(line)
    assert "2 signed heads agree" in said(capsys, "verify", "--heads", *files)


def test_no_head_at_all_proves_nothing(signed_log) -> None:
    signed_log.write_text("")
    assert wrong("verify") == "The chain of 4 entries holds, but no signed head proves its end."


def test_files_that_are_not_there(signed_log, public_keys, settings) -> None:
    assert "nowhere can't be used: No such file" in wrong("verify", "--heads", "nowhere")
    public_keys.unlink()
    assert "signing.pub does not exist" in wrong("verify")
    settings.TXT_AUDIT_HEADS = "syslog"
    assert "name the file that it writes with --heads" in wrong("verify")


def test_heads_in_another_order(signed_log) -> None:
    signed_log.write_text("".join(reversed(signed_log.read_text().splitlines(keepends=True))))
    assert "counts 2 entries, one before it 4" in wrong("verify")


def test_the_log_is_written_out_filtered(db, capsys) -> None:
    write(2)
    write(2, actor="bob")
    lines = said(capsys, "export", "--actor", "bob", "--since", "2026-11-23T12:04").splitlines()
    assert [json.loads(line)["number"] for line in lines] == [4]
    assert said(capsys, "export", "--host", "hv2", "--format", "csv").count("\r\n") == 2
    assert said(capsys, "export", "--until", "2026-11-23") == ""


def test_a_moment_that_is_none(db) -> None:
    with pytest.raises(CommandError, match="--since"):
        call_command("audit", "export", "--since", "yesterday")
