"""Real logs: every one is read whole, or refused with its offset; replays equal tpm2-tools 5.7 and the TPM."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from txt_dashboard.attest import ima
from txt_dashboard.attest.eventlog.checks import problems
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.log import Log, parse, parse_partially
from txt_dashboard.attest.eventlog.replay import Standing, judge, replay
from txt_dashboard.attest.eventlog.story import stories
from txt_dashboard.attest.eventlog.why import Explanation, explain
from txt_dashboard.attest.pcr import Bank

DATA = Path(os.environ.get("TXT_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "tpm"
pytestmark = pytest.mark.shared

Row = dict[str, Any]
GUARD = "immune-gmbh__guard-oss/"
REFUSED = {
    "keylime__keylime/binary_bios_measurements-bogus": 0,  # a text file
    "intel-secl__intel-secl/incomplete_tcg_spec_event.bin": 0,  # cut inside the first record
}
# Registers that something extends without a line in this log: IMA's own list explains 10.
NOT_LOGGED = {10}


@cache
def manifest() -> tuple[Row, ...]:
    return tuple(json.loads((DATA / "manifest.json").read_text())["files"]) if DATA.is_dir() else ()


def rows(*kinds: str) -> list[Any]:
    return [pytest.param(row, id=row["file"]) for row in manifest() if row["kind"] in kinds]


def cases() -> list[Any]:
    path = DATA / "attacks" / "cases.json"
    found = json.loads(path.read_text())["logs"] if path.exists() else []
    return [pytest.param(case, id=case["name"]) for case in found]


def read(name: str) -> Log:
    return parse((DATA / name).read_bytes())


def test_the_shared_test_data_is_there() -> None:
    assert manifest(), f"the shared test data is missing at {DATA}: set TXT_SHARED_DATA to the folder that holds tpm/"


@pytest.mark.parametrize("row", rows("event-log", "event-log-txt"))
def test_every_log_is_read_whole_or_refused_with_its_offset(row: Row) -> None:
    if row["file"] in REFUSED:
        with pytest.raises(LogError) as caught:
            read(row["file"])
        assert caught.value.offset == REFUSED[row["file"]]
        return
    log = read(row["file"])
    assert log.events
    for story in stories(log.events):
        assert all(text.isprintable() for text in (story.thing.name, story.text, *story.details))


@pytest.mark.parametrize("row", rows("event-log", "event-log-txt"))
def test_registers_equal_what_tpm2_tools_replays(row: Row) -> None:
    for bank, expected in (row["replayed_by_tpm2_tools_5_7"] or {}).items():
        replayed = replay(read(row["file"]), Bank(bank))
        assert {str(index): value.hex() for index, value in replayed.items()} == expected


@pytest.mark.parametrize("row", rows("event-log"))
def test_registers_equal_what_the_tpm_reported(row: Row) -> None:
    if not row.get("expected_pcrs"):
        return
    log = read(row["file"])
    for bank in log.banks:
        values = {int(index): bytes.fromhex(value) for index, value in row["expected_pcrs"].get(bank, {}).items()}
        off = {index for index, standing in judge(log, bank, values).items() if standing is not Standing.EXPLAINED}
        if "note" not in row:
            assert off <= NOT_LOGGED


def test_altered_and_unlogged_registers_are_found() -> None:
    found = {}
    for name in ("failed-1", "hahuri-invalid-eventlog.values"):
        (row,) = (row for row in manifest() if row["file"] == f"{GUARD}{name}.eventlog.bin")
        values = {int(index): bytes.fromhex(value) for index, value in row["expected_pcrs"]["sha256"].items()}
        standings = judge(read(row["file"]), Bank.SHA256, values)
        found[name] = {index for index, standing in standings.items() if standing is Standing.CONTRADICTED}
    assert found == {"failed-1": {0}, "hahuri-invalid-eventlog.values": {11}}


@pytest.mark.parametrize("case", cases())
def test_attacks_on_logs_are_refused_or_contradicted(case: Row) -> None:
    expected = json.loads((DATA / "attacks" / "pcrs.json").read_text())["sha256"]
    log, error = parse_partially((DATA / "attacks" / case["name"]).read_bytes())
    if error is not None:
        assert not case["replay_matches_pcrs"]
        assert error.offset > 0
        return
    values = {int(index): bytes.fromhex(value) for index, value in expected.items()}
    standings = judge(log, Bank.SHA256, values)
    assert (set(standings.values()) == {Standing.EXPLAINED}) is case["replay_matches_pcrs"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("log_type_relabelled.bin", "EV_UNUSED is not an event type"),
        ("log_data_not_digest.bin", "EV_EFI_VARIABLE_DRIVER_CONFIG is not that of its data"),
        ("log_noaction_with_digest.bin", "EV_NO_ACTION has a digest"),
        ("log_truncated.bin", "356 bytes, but only 2 are left"),
        ("log_huge_size.bin", "2147483647 bytes, but only"),
        ("log_huge_count.bin", "4294967295 digests"),
    ],
)
def test_attacks_on_logs_are_named(name: str, reason: str) -> None:
    log, error = parse_partially((DATA / "attacks" / name).read_bytes())
    assert any(reason in str(each) for each in (error, *problems(log)))


@pytest.mark.parametrize(
    ("name", "register"),
    [
        ("log_fake_startup_locality.bin", 0),
        ("log_noaction_with_digest.bin", 0),
        ("log_drop_event.bin", 7),
        ("log_reordered.bin", 7),
    ],
)
def test_an_attack_contradicts_the_register_it_touches(name: str, register: int) -> None:
    expected = json.loads((DATA / "attacks" / "pcrs.json").read_text())["sha256"]
    values = {int(index): bytes.fromhex(value) for index, value in expected.items()}
    standings = judge(read(f"attacks/{name}"), Bank.SHA256, values)
    assert [index for index, standing in standings.items() if standing is Standing.CONTRADICTED] == [register]


def why(old: str, new: str) -> Explanation:
    return explain(*(read(f"{GUARD}{name}.eventlog.bin") for name in (old, new)))


def test_a_kernel_update_is_told() -> None:
    found = why("test-before", "test-update")
    assert list(found.registers) == [4, 8, 9]
    assert found.registers[4].sentence == "the log says: the kernel was replaced"
    assert found.registers[8].sentence == "the log says: GRUB's commands changed and the kernel command line changed"
    assert "the kernel was replaced and the initrd was replaced" in found.registers[9].sentence
    assert not any(change.removed or change.added or change.moved for change in found.registers.values())


def test_a_mok_denial_and_a_boot_entry_are_told() -> None:
    found = why("test-HP-EliteBook-830-G6-baseline", "test-HP-EliteBook-830-G6-add-mokx")
    assert list(found.registers) == [1, 14]
    assert "the boot entry Boot0001 was removed" in found.registers[1].sentence
    assert found.registers[14].sentence == "the log says: shim's list MokListX changed"


def test_a_bios_update_and_more_is_told() -> None:
    found = why("ludmilla", "ludmilla-2")
    assert list(found.registers) == [0, 1, 2, 4, 7, 8, 9]
    assert found.registers[0].sentence == "the log says: the firmware version changed and firmware code was replaced"
    assert found.registers[4].sentence == "the log says: grubx64.efi was replaced"
    assert found.registers[7].sentence == "the log says: Secure Boot's forbidden signatures (dbx) changed"


def test_two_logs_of_one_state_differ_in_nothing() -> None:
    assert why("IMN-DELL-WBCL-BootCtrs", "r340").registers == {}


@pytest.mark.parametrize("row", rows("ima"))
def test_every_ima_list_is_read_and_each_digest_is_that_of_its_entry(row: Row) -> None:
    entries = ima.parse((DATA / row["file"]).read_bytes())
    outcome = ima.replay(entries, bytes(32))
    assert outcome.entries > 0
    assert not any("not that of the entry" in problem for problem in outcome.problems)


@pytest.mark.parametrize(
    ("name", "bank", "entries", "matched"),
    [
        ("hahuri-invalid-eventlog.values", "sha1", 37, 36),  # the last entry is of register 11
        ("hahuri-invalid-eventlog.values", "sha256", 37, 36),
        ("ludmilla-2", "sha1", 1, 1),
        ("ludmilla-2", "sha256", 1, 1),
        ("ludmilla-2", "sha384", 1, 1),
    ],
)
def test_ima_lists_lead_to_the_register_that_the_tpm_reported(
    name: str, bank: str, entries: int, matched: int
) -> None:
    value = next(
        row["expected_pcrs"][bank]["10"] for row in manifest() if row["file"] == f"{GUARD}{name}.eventlog.bin"
    )
    listed = ima.parse((DATA / f"{GUARD}{name}.ima.bin").read_bytes())
    assert len(listed) == entries
    assert ima.replay(listed, bytes.fromhex(value)).matched == matched


def test_violations_in_a_real_list_are_named() -> None:
    listed = ima.parse((DATA / "intel-secl__intel-secl/ascii_runtime_measurements").read_bytes())
    violations = ima.replay(listed, bytes(20)).violations
    assert {entry.name for entry in violations} == {"/tmp/sh-thd.UuOjlg"}  # noqa: S108 - the log's own text
