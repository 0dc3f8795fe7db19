"""A coverage-guided fuzzer over every reader of logs: `python -m tests.fuzz.fuzz_logs [-max_total_time=60] [CORPUS]`.

Needs atheris. Seeds of real form are written into the corpus directory where one is named and empty.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["txt_dashboard.attest"]):
    from tests.fuzz.targets import exercise_ima, exercise_log

from tests.attest.logbuilder import agile_log, container, ima_entry, real_form, sha1_log


def one_input(data: bytes) -> None:
    """The first byte chooses the reader, so that one corpus serves both."""
    if data[:1] == b"i":
        exercise_ima(data[1:])
    else:
        exercise_log(data[1:])


def seed(corpus: Path) -> None:
    """Writes logs of real form: whole, and one for each kind of event."""
    corpus.mkdir(parents=True, exist_ok=True)
    if any(corpus.iterdir()):
        return
    logs = [agile_log(*real_form()), sha1_log(*real_form()), container(*real_form())]
    logs += [agile_log(record, banks=("sha256",)) for record in real_form()]
    lists = [ima_entry("/a") + ima_entry("/b"), b"10 " + b"0" * 40 + b" ima-sig sha256:00 /a 00\n"]
    for number, data in enumerate([b"l" + log for log in logs] + [b"i" + each for each in lists]):
        (corpus / f"seed-{number:03}").write_bytes(data)


def main() -> None:
    """Fuzzes until told to stop."""
    for argument in sys.argv[1:]:
        if not argument.startswith("-"):
            seed(Path(argument))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
