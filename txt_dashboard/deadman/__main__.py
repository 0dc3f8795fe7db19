"""`python -m txt_dashboard.deadman`: listens for the heartbeat, and takes the traits when it ends.

With `--once` for a timer: exit status 0 while the product is alive, 3 when it is dead and no trait is left, 1 when
traits could not be taken. Else it runs until it is stopped.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.enforcement import is_trait_name
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.cloud.login import Login, from_environment, read_clouds
from txt_dashboard.deadman.rounds import Rounds, fetch, take_all
from txt_dashboard.deadman.watch import Watch
from txt_dashboard.keyring import KeyringError, public_keys

_DEAD = 3
_TRIES = 3  # with --once, so that one lost packet takes no traits
_PAUSE = 5.0  # seconds between them


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; its exit status."""
    given = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        connection = Connection(_login(given))
        public_keys(given.public_keys)
    except (Misconfigured, KeyringError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    rounds = Rounds(
        watch=Watch(given.cloud, timedelta(seconds=given.max_age)),
        keys=partial(public_keys, given.public_keys),
        listen=partial(fetch, given.heartbeat, given.ca_file),
        take=partial(take_all, connection, given.trait),
        clock=lambda: datetime.now(UTC),
        ticks=time.monotonic,
    )
    try:
        return _once(rounds) if given.once else _for_ever(rounds, given.every)
    except KeyboardInterrupt:
        return 0
    finally:
        connection.close()


def _once(rounds: Rounds) -> int:
    for _ in range(_TRIES - 1):
        if rounds.listens():
            return 0
        time.sleep(_PAUSE)
    well = rounds.run()
    return (0 if rounds.was_alive else _DEAD) if well else 1


def _for_ever(rounds: Rounds, pause: float) -> int:
    while True:
        rounds.run()
        time.sleep(pause)


def _login(given: argparse.Namespace) -> Login:
    if given.clouds is None:
        return from_environment(os.environ, given.cloud)
    entry = given.entry or given.cloud
    clouds = read_clouds(given.clouds)
    if entry not in clouds:
        raise Misconfigured(f"{given.clouds} has no cloud {entry}")
    return clouds[entry]


def _trait(text: str) -> str:
    if not is_trait_name(text):
        raise argparse.ArgumentTypeError("a custom trait: CUSTOM_ and A-Z, 0-9, _")
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 86400:
        raise argparse.ArgumentTypeError("seconds, from 1 to 86400")
    return seconds


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m txt_dashboard.deadman",
        description="Takes the trait from all hosts when the product's signed heartbeat is too old, or no true one.",
        epilog="Without --clouds the account comes from OS_* variables. It needs the role service, and no other.",
    )
    parser.add_argument("--heartbeat", required=True, metavar="URL", help="the well-known address of the product")
    parser.add_argument("--public-keys", required=True, type=Path, metavar="FILE", help="the product's signing.pub")
    parser.add_argument("--cloud", required=True, metavar="NAME", help="as the heartbeat calls it")
    parser.add_argument("--clouds", type=Path, metavar="FILE", help="a clouds.yaml with the account")
    parser.add_argument("--entry", metavar="NAME", help="its entry there, where it is called otherwise")
    parser.add_argument("--trait", default="CUSTOM_TRUSTED_HOST", type=_trait, metavar="NAME")
    parser.add_argument("--max-age", default=300.0, type=_seconds, metavar="SECONDS", help="300 by default")
    parser.add_argument(
        "--every", default=15.0, type=_seconds, metavar="SECONDS", help="between rounds; 15 by default"
    )
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="the authority of the product's certificate")
    parser.add_argument("--once", action="store_true", help="one round, for a timer")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
