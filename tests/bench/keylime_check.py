"""Runs in Keylime's environment: checks the quote of the first line of input as often as each further line says.

A line that says `quiet` beside the number lets it log nothing meanwhile.
"""

import json
import logging
import sys
import time

from keylime.common.algorithms import Hash
from keylime.failure import Component, Failure
from keylime.mba import mba
from keylime.tpm.tpm_main import Tpm


class NoLog:
    """What Keylime says of boot logs where there is none; its own reader can't be loaded without tpm2-tools."""

    @staticmethod
    def bootlog_parse(log: None, bank: str) -> tuple[dict[str, int], None, dict[str, object], Failure]:
        """No registers, no aggregates, no events, no failure."""
        return {}, None, {}, Failure(Component.MEASURED_BOOT, ["parser"])


def main() -> None:
    """Answers `ready`, and then CPU microseconds of one check for each number of checks."""
    mba._mba_imports.append(NoLog)
    # As it is delivered, it tells of each register at level INFO; here the lines are made and go nowhere.
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()], force=True)
    task = json.loads(sys.stdin.readline())

    def check() -> bool:
        failure = Tpm().check_quote(
            None, task["nonce"], None, task["quote"], task["key"], tpm_policy=task["policy"], hash_alg=Hash.SHA256
        )
        return bool(failure)

    print("rejected" if check() else "ready", flush=True)
    for line in sys.stdin:
        calls, *more = line.split()
        logging.disable(logging.CRITICAL if more else logging.NOTSET)
        calls = int(calls)
        began = time.process_time()
        for _ in range(calls):
            check()
        print((time.process_time() - began) / calls * 1e6, flush=True)


if __name__ == "__main__":
    main()
