"""Offline commands: what the pages say, checked again by anybody, from files alone.

Exit code 0 means accepted or equal, 1 rejected or different, 2 an input that can't be used.
"""

import argparse
import sys
from collections.abc import Sequence

from txt_dashboard.attest import offline_logs, offline_verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command on `arguments` (the process's own by default); answers its exit code."""
    parser = argparse.ArgumentParser(prog="python -m txt_dashboard.attest", description="Checks evidence offline.")
    commands = parser.add_subparsers(required=True, metavar="command")
    offline_verify.register(commands)
    offline_logs.register(commands)
    args = parser.parse_args(arguments)
    try:
        code: int = args.run(args)
    except (OSError, ValueError) as error:  # every error type of this package is a ValueError
        sys.stderr.write(f"unusable input: {error}\n")
        return offline_verify.UNUSABLE
    return code


if __name__ == "__main__":
    sys.exit(main())
