"""Everything that reads a log, run over any bytes: it may answer or refuse, and nothing else."""

from tests.attest.logbuilder import agile_log, real_form, sha1_log
from txt_dashboard.attest import ima
from txt_dashboard.attest.eventlog.checks import problems
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Log, parse
from txt_dashboard.attest.eventlog.replay import judge, replay
from txt_dashboard.attest.eventlog.story import stories
from txt_dashboard.attest.eventlog.varying import BaselineError, Structure, baseline, compare
from txt_dashboard.attest.eventlog.why import explain
from txt_dashboard.attest.pcr import Bank


def exercise_log(data: bytes) -> None:
    """Parses, replays, tells, compares and judges a log."""
    try:
        log = parse(data)
    except LogError as error:
        _check(error, data)
        return
    for bank in log.banks:
        values = replay(log, bank)
        judge(log, bank, values)
    problems(log)
    for story in stories(log.events):
        assert all(text.isprintable() for text in (story.thing.name, story.text, *story.details))
    if log.banks:
        assert explain(log, log).registers == {}
        other = parse(agile_log(*real_form()) if log.banks != (Bank.SHA1,) else sha1_log(*real_form()))
        if set(log.banks) & set(other.banks):
            assert explain(other, log).sentence.isprintable()
    _vary(log)


def _check(error: LogError, data: bytes) -> None:
    assert 0 <= error.offset <= len(data)


def _vary(log: Log) -> None:
    for bank in log.banks[:1]:
        for register, structure in ((1, Structure.BOOT_ORDER), (1, Structure.BOOT_ENTRY), (5, Structure.PARTITIONS)):
            try:
                golden = baseline(log, bank, register, {0: structure})
            except BaselineError:
                continue
            assert compare(golden, log, replay(log, bank)[register]) is None


def exercise_ima(data: bytes) -> None:
    """Parses and replays an IMA list."""
    try:
        entries = ima.parse(data)
    except LogError as error:
        _check(error, data)
        return
    ima.replay(entries, bytes(32))
    assert all(entry.name.isprintable() for entry in entries)
