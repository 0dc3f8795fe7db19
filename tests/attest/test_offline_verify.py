"""The offline command's contract: what it prints, and its exit codes."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.forge import Forge
from tests.attest.forge12 import Forge12
from txt_dashboard.attest.__main__ import main
from txt_dashboard.attest.offline_verify import parse_registers
from txt_dashboard.attest.pcr import Bank, PcrError

RSA = Forge.rsa()
QUOTE = RSA.quote()
REPORTED = {bank: {str(index): value.hex() for index, value in of.items()} for bank, of in QUOTE.reported.items()}
FILES = {
    "ak": RSA.area,
    "message": QUOTE.message,
    "signature": QUOTE.signature,
    "pcrs": json.dumps(REPORTED).encode(),
}
OPTIONS = {"nonce": RSA.nonce.hex(), "require": "sha256:0,1,2,3,4,5,6,7"}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `verify` on these files and options; answers exit code, output and errors."""

    def verify(
        *flags: str, files: Mapping[str, bytes] = FILES, options: Mapping[str, str] = OPTIONS
    ) -> tuple[int, str, str]:
        arguments = ["verify", *flags]
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
            arguments += [f"--{name}", str(tmp_path / name)]
        arguments += [f"--{name}={value}" for name, value in options.items()]
        try:
            code = main(arguments)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        return code, *capsys.readouterr()

    return verify


def steps(output: str) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in json.loads(output)["steps"]}


def test_a_good_quote_is_accepted(run: Run) -> None:
    code, output, errors = run("--json")
    assert (code, errors) == (0, "")
    answer = json.loads(output)
    assert answer["accepted"] is True
    assert [list(step) for step in answer["steps"]] == [["step", "outcome", "reason"]] * 10
    assert steps(output) == {
        **dict.fromkeys(["key", "signature", "structure", "nonce", "selection", "digest", "counters"], "pass"),
        **dict.fromkeys(["log", "reference", "result"], "not-reached"),
    }


def test_people_read_lines(run: Run) -> None:
    code, output, _ = run()
    assert code == 0
    assert len(output.splitlines()) == 11
    assert output.endswith("accepted\n")
    assert run(options=OPTIONS | {"nonce": "00"})[1].endswith("rejected\n")


def test_a_key_without_attributes_is_a_warning(run: Run) -> None:
    pem = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    code, output, _ = run("--json", files=FILES | {"ak": pem})
    assert (code, steps(output)["key"]) == (0, "warn")


@pytest.mark.parametrize(
    ("options", "step"),
    [
        ({"nonce": "00" * 20}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"require": "sha256:0"}, "selection"),
        ({"require": "sha256:0,1,2,3,4,5,6,7+sha1:0"}, "selection"),
    ],
)
def test_what_is_not_as_demanded_is_rejected(run: Run, options: dict[str, str], step: str) -> None:
    code, output, _ = run("--json", options=OPTIONS | options)
    assert code == 1
    assert json.loads(output)["accepted"] is False
    assert [name for name, outcome in steps(output).items() if outcome == "fail"] == [step]


@pytest.mark.parametrize(("file", "step"), [("message", "structure"), ("signature", "signature")])
def test_what_a_host_sent_and_can_t_be_parsed_is_rejected_at_its_step(run: Run, file: str, step: str) -> None:
    code, output, _ = run("--json", files=FILES | {file: b""})
    assert code == 1
    assert steps(output)[step] == "fail"


def test_counters_are_compared_with_those_last_seen(run: Run) -> None:
    fallen = run("--json", options=OPTIONS | {"last-seen": "6,1,10"})
    assert (fallen[0], steps(fallen[1])["counters"]) == (0, "warn")
    steady = run("--json", options=OPTIONS | {"last-seen": "5,1,999"})
    assert steps(steady[1])["counters"] == "pass"


def test_sha1_signatures_need_permission(run: Run) -> None:
    weak = RSA.but(hash="sha1")
    files = FILES | {"ak": weak.area, "message": weak.message, "signature": weak.quote().signature}
    assert run("--json", files=files)[0] == 1
    assert run("--json", "--allow-sha1", files=files)[0] == 0


ZEROS = b'"' + b"00" * 32 + b'"'
UNUSABLE_FILES = {
    "no key": {"ak": b"no key"},
    "no JSON": {"pcrs": b"{"},
    "a list": {"pcrs": b"[]"},
    "no text": {"pcrs": b"\xff"},
    "nested": {"pcrs": b"[" * 100_000},
    "unknown bank": {"pcrs": b'{"md5": {}}'},
    "list of registers": {"pcrs": b'{"sha256": []}'},
    "number": {"pcrs": b'{"sha256": {"0": 1}}'},
    "register 24": {"pcrs": b'{"sha256": {"24": ' + ZEROS + b"}}"},
    "short value": {"pcrs": b'{"sha256": {"0": "00"}}'},
    "bank twice": {"pcrs": b'{"sha256": {}, "sha256": {}}'},
    "register twice": {"pcrs": b'{"sha256": {"0": ' + ZEROS + b', "00": ' + ZEROS + b"}}"},
    "huge": {"message": b"0" * ((1 << 20) + 1)},
    "composite of a TPM 2.0": {"composite": b""},
}
UNUSABLE_OPTIONS = [
    {"nonce": "0"},
    {"nonce": "zz"},
    {"nonce": "00 00"},
    {"require": ""},
    {"require": "sha256"},
    {"require": "sha256:"},
    {"require": "sha256:0,24"},
    {"require": "md5:0"},
    {"require": "sha256:0+sha256:1"},
    {"last-seen": "1,2"},
    {"last-seen": "1,2,x"},
    {"last-seen": "4294967296,0,0"},
]


@pytest.mark.parametrize("name", UNUSABLE_FILES)
def test_an_unusable_file_is_told_in_a_sentence(run: Run, name: str) -> None:
    code, output, errors = run(files=FILES | UNUSABLE_FILES[name])
    assert (code, output) == (2, "")
    assert errors.startswith("unusable input: ")


@pytest.mark.parametrize("options", UNUSABLE_OPTIONS, ids=str)
def test_an_unusable_option_is_told_in_a_sentence(run: Run, options: dict[str, str]) -> None:
    code, output, errors = run(options=OPTIONS | options)
    assert (code, output) == (2, "")
    assert f"--{next(iter(options))}" in errors


def test_unusable_input_is_never_accepted_in_json(run: Run) -> None:
    code, output, _ = run("--json", files=FILES | {"ak": b"no key"})
    answer = json.loads(output)
    assert (code, answer["accepted"], answer["steps"]) == (2, False, [])
    assert answer["problems"]


def test_a_missing_file_is_unusable(run: Run, tmp_path: Path) -> None:
    assert run(options=OPTIONS | {"ak": str(tmp_path / "nowhere")})[0] == 2
    assert run(files={name: data for name, data in FILES.items() if name != "pcrs"})[0] == 2


@pytest.mark.parametrize("reported", [None, {"sha1": {str(i): v.hex() for i, v in Forge12().values.items()}}])
def test_a_tpm12_quote_is_verified_with_its_composite(run: Run, reported: object) -> None:
    quote, options = Forge12().quote(), {"nonce": Forge12().nonce.hex(), "require": "sha1:0,17,18"}
    pem = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files = {"ak": pem, "message": quote.message, "signature": quote.signature, "composite": quote.composite}
    if reported:
        files["pcrs"] = json.dumps(reported).encode()
    code, output, _ = run("--json", "--tpm12", files=files, options=options)
    assert (code, steps(output)["counters"]) == (0, "not-reached")
    assert run("--json", "--tpm12", files=files, options=options | {"require": "sha1:0,17"})[0] == 1
    assert run("--tpm12", files=FILES)[0] == 2


def test_it_runs_as_a_module_without_django() -> None:
    check = (
        "import runpy, sys; sys.modules['django'] = None; sys.argv = ['attest', '--help'];"
        "runpy.run_module('txt_dashboard.attest', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert (done.returncode, "verify" in done.stdout) == (0, True)


@given(st.binary(max_size=200))
def test_any_bytes_are_registers_or_refused(data: bytes) -> None:
    with contextlib.suppress(PcrError):
        parse_registers(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*Bank, "0", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(JSON)
def test_any_json_is_registers_or_refused(value: object) -> None:
    try:
        registers = parse_registers(json.dumps(value).encode())
    except PcrError:
        return
    assert all(len(each) == bank.size for bank, of in registers.items() for each in of.values())
