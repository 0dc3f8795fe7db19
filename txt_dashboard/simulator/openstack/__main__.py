"""`python -m txt_dashboard.simulator.openstack`: serves the cloud that the simulated fleet is part of."""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from txt_dashboard.simulator.fleet import DEFAULT_HOSTS, FEWEST_HOSTS, build_fleet
from txt_dashboard.simulator.openstack.cloud import TOKENS_LAST, SimulatedCloud
from txt_dashboard.simulator.openstack.estate import Estate
from txt_dashboard.simulator.openstack.state import State
from txt_dashboard.simulator.registry import UnusableState
from txt_dashboard.simulator.server import CannotListen, SimulatorServer

UNUSABLE = 2  # exit status: the options, the address or a file can't be used

log = logging.getLogger(__name__)


class UnusablePasswords(Exception):
    """The file holds something else than passwords by user; the sentence says so."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
    try:
        return _serve(options)
    except (OSError, CannotListen, UnusableState, UnusablePasswords) as error:
        sys.stderr.write(f"The simulated cloud can't start: {error}\n")
        return UNUSABLE


def _serve(options: argparse.Namespace) -> int:
    estate = Estate(build_fleet(options.hosts, options.seed))
    lasting = timedelta(seconds=options.token_seconds)
    passwords = _passwords(options.passwords)
    cloud = SimulatedCloud(
        estate, State(estate, options.state), passwords, lambda: datetime.now(UTC), tokens_last=lasting
    )
    with SimulatorServer((options.bind, options.port), cloud) as server:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            log.info("Simulated cloud with %d hypervisors listens on %s.", len(estate.nodes), server.url)
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _passwords(file: Path) -> Mapping[str, str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise UnusablePasswords(f"{file} is no JSON object of passwords by user")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m txt_dashboard.simulator.openstack", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0 takes a free port and says which")
    parser.add_argument("--bind", default="127.0.0.1", help="a loopback address; any other is refused")
    parser.add_argument("--hosts", type=_count, default=DEFAULT_HOSTS, help=f"of the fleet, at least {FEWEST_HOSTS}")
    parser.add_argument("--seed", type=int, default=1, help="of the fleet")
    parser.add_argument("--passwords", type=Path, required=True, help="JSON: the password of each user by its name")
    parser.add_argument("--state", type=Path, help="keeps here what the cloud is told, over restarts")
    default = TOKENS_LAST.total_seconds()
    parser.add_argument("--token-seconds", type=float, default=default, help="how long tokens last")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < FEWEST_HOSTS:
        raise argparse.ArgumentTypeError(f"at least {FEWEST_HOSTS} hosts")
    return count


if __name__ == "__main__":
    sys.exit(main())
