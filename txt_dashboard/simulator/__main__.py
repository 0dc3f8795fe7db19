"""`python -m txt_dashboard.simulator`: serves the simulated fleet, or writes what an operator brings along."""

import argparse
import logging
import math
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from txt_dashboard.simulator.cast import UnusableCast, direct
from txt_dashboard.simulator.fleet import DEFAULT_HOSTS, FEWEST_HOSTS, Fleet, build_fleet
from txt_dashboard.simulator.oat1 import Oat1
from txt_dashboard.simulator.oat2 import Oat2
from txt_dashboard.simulator.quotes import add_quotes
from txt_dashboard.simulator.registry import UnusableState
from txt_dashboard.simulator.server import CannotListen, SimulatorServer
from txt_dashboard.simulator.simulation import Moment, Simulation
from txt_dashboard.simulator.startkit import golden_json, inventory_csv, keys_csv, registrations_csv
from txt_dashboard.simulator.story import Story

DIALECTS = {dialect.name: dialect for dialect in (Oat1, Oat2)}
UNUSABLE = 2  # exit status: the options, the address or a file can't be used

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
    try:
        story = (
            direct(options.cast, options.seed) if options.cast else Story(build_fleet(options.hosts, options.seed))
        )
        if options.inventory or options.golden or options.registrations or options.keys:
            return _write(story.fleet, options)
        return _serve(story, options)
    except (OSError, CannotListen, UnusableCast, UnusableState) as error:
        sys.stderr.write(f"The simulator can't start: {error}\n")
        return UNUSABLE


def story_clock(started: float, speed: float, at: float | None = None, until: float = math.inf) -> Moment:
    """Seconds of the story: real ones since `started` (epoch seconds) times `speed`, no further than `until`.

    With `at` it stands there from the beginning.
    """
    if at is not None:
        return lambda: at
    return lambda: min(until, max(0.0, (time.time() - started) * speed))


def narrator(simulation: Simulation) -> Callable[[], None]:
    """A function that logs, each time it is called, the chapters that began since the time before."""
    told = simulation.moment()

    def tell() -> None:
        nonlocal told
        now = simulation.moment()
        for chapter in simulation.story.chapters:
            if told < chapter.start <= now:
                log.info("Simulated, %.0f s: %s.", chapter.start, chapter.sentence)
        told = now

    return tell


def _serve(story: Story, options: argparse.Namespace) -> int:
    clock = story_clock(options.started, options.speed, options.at, options.until)
    simulation = Simulation(story.fleet, clock, options.state, story=story)
    dialect = DIALECTS[options.api](simulation, lambda: datetime.now(UTC))
    if not options.without_quotes:
        add_quotes(dialect)
    address = (options.bind, options.port)
    with SimulatorServer(address, dialect, auth_blob=options.auth_blob, tick=narrator(simulation)) as server:
        if options.cert:
            server.use_tls(options.cert, options.key)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            listening = "Simulated OpenAttestation %s with %d hosts listens on %s."
            log.info(listening, dialect.name, len(story.fleet.hosts), server.url)
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _write(fleet: Fleet, options: argparse.Namespace) -> int:
    if options.inventory:
        options.inventory.write_text(inventory_csv(fleet), encoding="utf-8")
    if options.golden:
        options.golden.write_text(golden_json(fleet), encoding="utf-8")
    if options.registrations:
        options.registrations.write_text(registrations_csv(fleet), encoding="utf-8")
    if options.keys:
        options.keys.write_text(keys_csv(fleet), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m txt_dashboard.simulator", description=__doc__)
    parser.add_argument("--port", type=_port, default=0, help="where to listen; 0 takes a free port and says which")
    parser.add_argument("--bind", default="127.0.0.1", help="a loopback address; any other is refused")
    parser.add_argument("--hosts", type=_count, default=DEFAULT_HOSTS, help=f"at least {FEWEST_HOSTS}")
    parser.add_argument(
        "--cast", type=Path, help="plays the hosts of this file instead, for tests (see simulator.cast)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other register values")
    parser.add_argument("--started", type=float, default=time.time(), help="when the story began, in epoch seconds")
    parser.add_argument("--speed", type=_positive, default=1.0, help="how fast the story's time runs")
    parser.add_argument("--at", type=float, help="freezes the story at this second")
    parser.add_argument("--until", type=float, default=math.inf, help="the story goes no further than this second")
    parser.add_argument("--state", type=Path, help="keeps here what the server is told, over restarts")
    parser.add_argument("--api", choices=sorted(DIALECTS), default="1.6", help="the server's generation")
    parser.add_argument("--without-quotes", action="store_true", help="as real servers of this kind: passes none on")
    parser.add_argument("--auth-blob", default="", help="requests must carry it in x-auth-blob")
    parser.add_argument("--cert", type=Path, help="PEM certificate; with it the simulator speaks TLS")
    parser.add_argument("--key", type=Path, help="PEM private key of --cert, where that file does not hold it")
    parser.add_argument("--inventory", type=Path, help="writes the hosts and their pools as CSV, and exits")
    parser.add_argument("--golden", type=Path, help="writes the approved golden values as JSON, and exits")
    parser.add_argument("--keys", type=Path, help="writes the TPM keys of one model's hosts as CSV, and exits")
    parser.add_argument("--registrations", type=Path, help="writes how all hosts are to be registered, and exits")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < FEWEST_HOSTS:
        raise argparse.ArgumentTypeError(f"at least {FEWEST_HOSTS} hosts")
    return count


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("0 to 65535")
    return port


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("more than 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
