"""The offline commands for logs: their JSON and exit codes are a contract."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attest.logbuilder import agile_log, grub, ima_entry, sha1_log
from txt_dashboard.attest import ima
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.offline_logs import register
from txt_dashboard.attest.pcr import Bank, extend

Run = Callable[..., tuple[int, dict]]
LOG = agile_log(grub("a"), grub("b"))


@pytest.fixture
def run(tmp_path: Path, capsys) -> Run:
    """Runs a command; bytes among the arguments become files."""

    def go(command: str, *given: bytes | str) -> tuple[int, dict]:
        words = []
        for number, each in enumerate(given):
            if isinstance(each, bytes):
                (tmp_path / f"{number}.bin").write_bytes(each)
                each = str(tmp_path / f"{number}.bin")  # noqa: PLW2901 - the file stands for its content
            words.append(each)
        parser = argparse.ArgumentParser()
        register(parser.add_subparsers(required=True))
        args = parser.parse_args([command, *words])
        code = args.run(args)
        text = capsys.readouterr().out
        return code, json.loads(text) if "--json" in words else {"text": text}

    return go


def test_replay_gives_every_bank(run: Run) -> None:
    code, report = run("replay", LOG, "--json")
    log = parse(LOG)
    assert code == 0
    assert report == {
        "banks": {str(bank): {"8": replay(log, bank)[8].hex()} for bank in (Bank.SHA1, Bank.SHA256)},
        "events": 3,
        "problems": [],
    }


def test_replay_of_one_bank(run: Run) -> None:
    assert list(run("replay", LOG, "--bank", "sha256", "--json")[1]["banks"]) == ["sha256"]
    code, report = run("replay", LOG, "--bank", "sha512", "--json")
    assert code == 2
    assert "sha512" in report["problems"][0]


def test_replay_of_a_cut_log_gives_no_values(run: Run) -> None:
    code, report = run("replay", LOG[:-1], "--json")
    assert code == 2
    assert report["banks"] == {}
    assert report["events"] == 2
    assert report["problems"][0].startswith("byte ")


def test_explain_tells_each_register(run: Run) -> None:
    code, report = run("explain", LOG, agile_log(grub("a"), grub("c")), "--json")
    change = report["registers"]["8"]
    assert code == 1
    assert list(report["registers"]) == ["8"]
    assert set(change) == {"removed", "added", "changed", "moved", "sentence"}
    assert change["sentence"] == report["sentence"] == "the log says: GRUB's commands changed"
    assert change["removed"][0]["text"] == "grub_cmd: b"
    assert change["added"][0]["text"] == "grub_cmd: c"


def test_explain_in_one_bank(run: Run) -> None:
    log = agile_log(grub("a"), banks=("sha1", "sha256"))
    assert run("explain", log, log, "--bank", "sha1", "--json")[1]["bank"] == "sha1"
    assert run("explain", log, log, "--bank", "sha384", "--json")[0] == 2


def test_explain_of_equal_logs(run: Run) -> None:
    code, report = run("explain", LOG, LOG, "--json")
    assert (code, report["registers"]) == (0, {})


@pytest.mark.parametrize("other", [LOG[:-1], sha1_log(grub("a"))])
def test_explain_of_what_can_not_be_compared(run: Run, other: bytes) -> None:
    code, report = run("explain", agile_log(grub("a"), banks=("sha256",)), other, "--json")
    assert code == 2
    assert report["problems"]


def test_ima_accepts_a_list_that_leads_to_the_register(run: Run) -> None:
    listed = ima_entry("/a") + ima_entry("/b")
    value = extend(Bank.SHA1, bytes(20), ima.parse(listed)[0].digest)
    code, report = run("ima", listed, "--pcr10", value.hex(), "--json")
    assert code == 0
    assert report == {"accepted": True, "matched": 1, "entries": 2, "violations": [], "problems": []}
    code, report = run("ima", listed, "--pcr10", "11" * 20, "--json")
    assert (code, report["accepted"], report["matched"]) == (1, False, None)


@pytest.mark.parametrize("pcr10", ["11" * 19, "zz", ""])
def test_ima_without_a_register(run: Run, pcr10: str) -> None:
    assert run("ima", ima_entry("/a"), "--pcr10", pcr10, "--json")[0] == 2


def test_a_missing_file_is_unusable(run: Run) -> None:
    assert run("replay", "/nowhere", "--json")[0] == 2


def test_without_json_people_read_it(run: Run) -> None:
    text = run("explain", LOG, agile_log(grub("c")))[1]["text"]
    assert "sentence: the log says: GRUB's commands changed" in text
