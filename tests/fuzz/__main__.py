"""A coverage-guided fuzzer over every target: `python -m tests.fuzz [SECONDS]`, with the requirements of `make fuzz`.

The first byte of an input chooses its target, so that one corpus serves all. What was learnt stays in `.fuzz`, and so
does an input that failed: `python -m tests.fuzz FILE` runs it again. The exit status is not 0 where one failed: by
another exception than a reader's own, by taking ten seconds, or more memory than the limit.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["txt_dashboard.attest"]):
    from tests.fuzz.targets import TARGETS

HOME = Path(__file__).parent.parent.parent / ".fuzz"
SLOWEST_S, MOST_MIB, LONGEST = 10, 1024, 64 * 1024
_EXERCISES = tuple(target.exercise for target in TARGETS.values())


def one_input(data: bytes) -> None:
    """Runs the target that the first byte chooses over the rest."""
    if data:
        _EXERCISES[data[0] % len(_EXERCISES)](data[1:])


def seeded(corpus: Path) -> Path:
    """The folder, with inputs of real form for each target."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, (name, target) in enumerate(TARGETS.items()):
        for seed, data in enumerate(target.seeds):
            (corpus / f"seed-{name.replace(' ', '-')}-{seed}").write_bytes(bytes([number]) + data)
    return corpus


def main() -> None:
    """Fuzzes for the seconds that the argument says, or runs the files that it names; ends the process."""
    arguments = sys.argv[1:] or ["60"]
    limits = [f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_MIB}", f"-max_len={LONGEST}"]
    if arguments[0].isdigit():
        corpus = str(seeded(HOME / "corpus"))
        arguments = [corpus, f"-max_total_time={arguments[0]}", f"-artifact_prefix={HOME}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, *arguments], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
