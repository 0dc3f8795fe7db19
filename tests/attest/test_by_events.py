"""Baselines by events: a log makes up for another value where a quote has proven that, and nowhere else."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.logbuilder import Record, agile_log, grub, partitions
from tests.factories import NOON, value
from txt_dashboard.attest.appraisal import Match, Outcome, Result, appraise
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.draft import Draft, only_takes_away
from txt_dashboard.attest.entries import baseline_entry, baseline_id, read_baseline
from txt_dashboard.attest.event_entries import LONGEST_GOLDEN, MOST_EVENTS, golden_words, read_events, varying
from txt_dashboard.attest.eventlog.log import Log, parse
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.eventlog.varying import BaselineError, Structure, baseline, borne_out, compare, possible
from txt_dashboard.attest.evidence import Evidence, Verdict, Voucher
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Baseline, InvalidReference, Part, Policy, Requirement, Rules

ESP, ROOT = UUID(int=11), UUID(int=12)
FIRMWARE = value("firmware", Bank.SHA256)
NEED = Requirement(Part.PLATFORM, Bank.SHA256, frozenset({0, 5}))
POLICY = Policy((NEED,), timedelta(minutes=10), must_quote=True)
SEPARATOR = Record(5, 4, bytes(4))


def table(disk: int, *kinds: UUID, spoilt: bool = False, behind: bytes = b"") -> Record:
    data = partitions(*((kind, UUID(int=disk + at), "name") for at, kind in enumerate(kinds)), disk=UUID(int=disk))
    data += behind
    return Record(5, 0x80000006, data, b"something else" if spoilt else None)


def log_of(*records: Record) -> Log:
    return parse(agile_log(*records))


def register(log: Log) -> bytes:
    return replay(log, Bank.SHA256)[5]


GOLDEN_LOG = log_of(SEPARATOR, table(1, ESP, ROOT))
GOLDEN = Baseline(
    "BIOS 1",
    Part.PLATFORM,
    Bank.SHA256,
    {0: FIRMWARE, 5: register(GOLDEN_LOG)},
    events={5: baseline(GOLDEN_LOG, Bank.SHA256, 5, {1: Structure.PARTITIONS})},
)
RULES = Rules(POLICY, (GOLDEN,))
OTHER_DISK = log_of(SEPARATOR, table(7, ESP, ROOT))


def evidence(log: Log, *, voucher: Voucher = Voucher.QUOTE, firmware: bytes = FIRMWARE, **more: object) -> Evidence:
    return Evidence(Verdict.TRUSTED, NOON, {Bank.SHA256: {0: firmware, 5: register(log)}}, voucher, **more)


def judged(given: Evidence, log: Log | None, rules: Rules = RULES) -> Result:
    return appraise(given, rules, lambda _bank, _index, _value: log)


def test_another_disk_matches_by_its_events() -> None:
    result = judged(evidence(OTHER_DISK), OTHER_DISK)
    assert (result.match, result.finding.reason) == (Match.TRUSTED, Reason.MATCHES)
    assert result.parts[0].excused == (5,)
    assert result.differing == ()


def test_the_golden_value_itself_needs_no_log() -> None:
    assert judged(evidence(GOLDEN_LOG), None).match is Match.TRUSTED
    word = replace(RULES, policy=replace(POLICY, must_quote=False))
    assert judged(evidence(GOLDEN_LOG, voucher=Voucher.SERVER), None, word).match is Match.TRUSTED


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (log_of(SEPARATOR, table(7, ESP, ROOT), table(7, ESP, ROOT)), "one more"),
        (log_of(SEPARATOR), "the baseline 2"),
        (log_of(table(7, ESP, ROOT), SEPARATOR), "may not vary"),
        (log_of(SEPARATOR, table(7, ESP, ROOT, spoilt=True)), "not that of its data"),
        (log_of(SEPARATOR, table(7, ESP, ROOT, behind=b"x")), "no partitions"),
        (log_of(SEPARATOR, table(7, ROOT, ESP)), "beyond the limits"),
        (log_of(SEPARATOR, table(7, ESP, ROOT, ROOT)), "beyond the limits"),
        (log_of(SEPARATOR, Record(5, 0x80000006, b"EFI PART")), "no partitions"),
    ],
    ids=["extra", "missing", "order", "spoilt data", "trailing bytes", "other types", "one more partition", "short"],
)
def test_what_goes_beyond_the_limits_is_untrusted_and_says_where(log: Log, says: str) -> None:
    result = judged(evidence(log), log)
    assert (result.match, result.finding.reason) == (Match.UNTRUSTED, Reason.EVENTS_DIFFER)
    assert says in str(result.finding)
    assert result.differing == (5,)


@pytest.mark.parametrize("log", [None, GOLDEN_LOG, log_of(SEPARATOR)], ids=["none", "another host's", "shorter"])
def test_a_log_that_is_kept_back_or_leads_elsewhere_leaves_it_open(log: Log | None) -> None:
    result = judged(evidence(OTHER_DISK), log)
    assert (result.match, result.finding.reason) == (Match.UNDETERMINED, Reason.EVENTS_UNPROVEN)


def test_no_log_counts_for_a_servers_word_however_well_it_replays() -> None:
    lenient = Rules(replace(POLICY, must_quote=False), (GOLDEN,))
    result = judged(evidence(OTHER_DISK, voucher=Voucher.SERVER), OTHER_DISK, lenient)
    assert (result.match, result.finding.reason) == (Match.UNDETERMINED, Reason.EVENTS_UNPROVEN)


def test_a_servers_word_does_not_make_up_for_a_log_that_is_kept_back() -> None:
    lenient = Rules(Policy((NEED,), timedelta(minutes=10), word_is_enough=True), (GOLDEN,))
    for voucher in Voucher:
        assert judged(evidence(OTHER_DISK, voucher=voucher), None, lenient).match is Match.UNDETERMINED


def test_a_quote_that_is_doubted_proves_no_register_and_no_log_counts() -> None:
    rolled_back = Finding(Reason.TPM_ROLLED_BACK, {"detail": "x"})
    result = judged(evidence(OTHER_DISK, finding=rolled_back), OTHER_DISK)
    assert (result.match, result.finding) == (Match.UNDETERMINED, rolled_back)
    assert result.parts[0].outcome is Outcome.UNDETERMINED


def test_registers_without_events_stay_what_they_are() -> None:
    result = judged(evidence(OTHER_DISK, firmware=value("other", Bank.SHA256)), OTHER_DISK)
    assert (result.match, result.finding.reason) == (Match.UNTRUSTED, Reason.REGISTERS_DIFFER)
    assert result.differing == (0,)


def test_a_baseline_that_matches_wins_over_one_that_is_closer_by_name() -> None:
    plain = replace(GOLDEN, name="A plain one", events={})
    result = judged(evidence(OTHER_DISK), OTHER_DISK, Rules(POLICY, (plain, GOLDEN)))
    assert result.parts[0].baseline is GOLDEN
    assert judged(evidence(OTHER_DISK), OTHER_DISK, Rules(POLICY, (plain,))).match is Match.UNTRUSTED


def test_logs_are_read_only_for_values_that_differ_where_they_may() -> None:
    asked: list[int] = []

    def logs(_bank: Bank, index: int, _value: bytes) -> None:
        asked.append(index)

    appraise(evidence(GOLDEN_LOG), RULES, logs)
    appraise(evidence(OTHER_DISK, voucher=Voucher.SERVER), RULES, logs)
    assert asked == []
    appraise(evidence(OTHER_DISK), RULES, logs)
    assert asked == [5]


def test_what_a_log_left_open_is_asked_again_and_what_it_showed_is_remembered() -> None:
    kept: list[Log] = []
    asked: list[int] = []

    def logs(_bank: Bank, index: int, _value: bytes) -> Log | None:
        asked.append(index)
        return kept[-1] if kept else None

    appraiser = Appraiser(logs)

    def found() -> Match:
        return appraiser.appraise(evidence(OTHER_DISK), RULES).result.match

    assert found() is Match.UNDETERMINED
    kept.append(OTHER_DISK)
    assert found() is found() is Match.TRUSTED
    assert len(asked) == 2
    word = evidence(OTHER_DISK, voucher=Voucher.SERVER)
    assert appraiser.appraise(word, RULES).result.match is Match.UNDETERMINED


def test_it_survives_being_written_and_is_named_by_all_that_it_says() -> None:
    entry = json.loads(json.dumps(baseline_entry(GOLDEN)))
    read = read_baseline(baseline_id(GOLDEN), entry)
    assert read == replace(GOLDEN, id=baseline_id(GOLDEN))
    stricter = baseline(GOLDEN_LOG, Bank.SHA256, 5, {})
    assert replace(GOLDEN, events={5: stricter}).key != GOLDEN.key != replace(GOLDEN, events={}).key
    assert [each[:2] for each in varying(read.events[5])] == [(2, Structure.PARTITIONS)]
    assert "events" not in baseline_entry(replace(GOLDEN, events={}))


def altered(change: Callable[[dict], object]) -> dict:
    entry = json.loads(json.dumps(baseline_entry(GOLDEN)))
    change(entry)
    return entry


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry["events"]["5"].append({"digest": "00" * 32}),
        lambda entry: entry["events"]["5"].reverse(),
        lambda entry: entry["events"]["5"][1].update(golden="AAAA"),
        lambda entry: entry["events"]["5"][1].update(golden="*"),
        lambda entry: entry["events"]["5"][1].update(structure="boot order"),
        lambda entry: entry["events"]["5"][1].update(structure="anything"),
        lambda entry: entry["events"]["5"][1].pop("golden"),
        lambda entry: entry["events"]["5"][1].update(more=1),
        lambda entry: entry["events"]["5"][0].update(digest="00" * 20),
        lambda entry: entry["events"]["5"][0].update(digest=5),
        lambda entry: entry["events"].update({"05": entry["events"]["5"]}),
        lambda entry: entry["events"].update({"0": entry["events"].pop("5")}),
        lambda entry: entry["events"].update({"5": []}),
        lambda entry: entry["events"].update({"5": [{"digest": "00" * 32}] * (MOST_EVENTS + 1)}),
        lambda entry: entry["events"]["5"][1].update(golden="A" * (LONGEST_GOLDEN * 4 // 3 + 8)),
        lambda entry: entry.update(events={}),
        lambda entry: entry.update(events=[]),
        lambda entry: entry["values"].update({"5": "11" * 32}),
        lambda entry: entry["values"].pop("5"),
    ],
)
def test_an_entry_that_says_something_else_than_its_golden_value_is_refused(change: Callable[[dict], object]) -> None:
    with pytest.raises(InvalidReference):
        read_baseline("baseline:x", altered(change))


def test_nothing_varies_by_a_digest_of_which_two_data_can_be_made() -> None:
    with pytest.raises(BaselineError, match="sha1"):
        baseline(GOLDEN_LOG, Bank.SHA1, 5, {})


def test_only_what_is_a_structure_wholly_and_measured_can_be_declared() -> None:
    def what(record: Record) -> tuple[Structure, ...]:
        return possible(log_of(record).events[1], Bank.SHA256)

    assert what(table(1, ESP)) == (Structure.PARTITIONS,)
    assert what(table(1, ESP, spoilt=True)) == ()
    assert what(SEPARATOR) == ()
    assert what(Record(5, 5, b"numbers!")) == ()
    assert what(grub("linux /vmlinuz root=UUID=de68f5b1-01c3-415e-9e58-45413115c6e4")) == (Structure.UUIDS,)
    assert what(grub("set timeout=5")) == ()


def test_a_log_with_spoilt_data_bears_out_less() -> None:
    spoilt = log_of(SEPARATOR, table(7, ESP, ROOT, spoilt=True))
    assert borne_out(spoilt, Bank.SHA256, 5) < borne_out(OTHER_DISK, Bank.SHA256, 5) == 2


def test_to_let_more_vary_is_more_than_an_end() -> None:
    ended = replace(GOLDEN, not_after=NOON)
    assert only_takes_away(GOLDEN, ended)
    assert not only_takes_away(replace(GOLDEN, events={}), ended)
    assert Draft.of(GOLDEN).baseline() == GOLDEN


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80) | st.binary(max_size=64).map(bytes.hex),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["1", "5", "8", "digest", "structure", "golden"]) | st.text(max_size=5), inner
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_events_of_any_form_are_read_or_refused(stored: object) -> None:
    with suppress(BaselineError):
        read_events(stored, Bank.SHA256)


@given(st.sampled_from(list(Structure)), st.binary(max_size=300))
def test_data_of_any_form_is_told_in_words_that_are_safe(structure: Structure, golden: bytes) -> None:
    assert golden_words(structure, golden).isprintable()


@given(st.lists(st.tuples(st.sampled_from([1, 4, 5, 8]), st.binary(max_size=120)), max_size=6))
def test_a_log_of_any_events_is_never_an_exception_and_only_the_golden_one_matches(events: list) -> None:
    log = log_of(*(Record(index, 0x80000006, data) for index, data in events))
    value_of = replay(log, Bank.SHA256).get(5)
    if value_of is not None:
        found = compare(GOLDEN.events[5], log, value_of)
        assert (found is None) is (value_of == GOLDEN.values[5])
