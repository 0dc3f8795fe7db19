"""The command `txt-dashboard`: what it takes, and what it exits with (see docs/api.md)."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from txt_dashboard.cli import instances, show
from txt_dashboard.cli.client import FOUND, MISUSED, Client, CommandFailed

_ASKED_EVERY_S = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    run: Callable[[Client, argparse.Namespace], int] = options.run
    try:
        return run(Client.from_environment(os.environ), options)
    except CommandFailed as failure:
        print(show.plain(failure), file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130
    except (KeyError, TypeError):
        print("The service's answer is not what this command knows: is one of the two older?", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # or Python would complain of it, too
        return 0


def hosts(client: Client, options: argparse.Namespace) -> int:
    """Lists hosts."""
    found = client.items(
        "hosts", state=options.state, pool=options.pool, q=options.search, sort=options.sort, limit=100
    )
    items = list(islice(found, options.most))
    _say(options, items, lambda: show.hosts(items))
    return 0


def diff(client: Client, options: argparse.Namespace) -> int:
    """Shows golden against actual values; exits with 4 where some differ or are missing."""
    told = client.get("hosts", options.host, "diff")
    _say(options, told, lambda: show.diff(told))
    return FOUND if any(each["differing"] or each["missing"] for each in told["servers"]) else 0


def baselines(client: Client, options: argparse.Namespace) -> int:
    """Lists what is in force and what waits."""
    items = list(client.items("baselines", limit=100))
    waiting = client.get("baselines", limit=1)["proposals"]
    _say(options, {"items": items, "proposals": waiting}, lambda: show.baselines(items, waiting))
    return 0


def approve(client: Client, options: argparse.Namespace) -> int:
    """Shows what a proposal does, asks, and approves exactly that."""
    number = str(options.proposal)
    proposal, impact = client.get("baselines", number), client.get("baselines", number, "impact")
    if proposal["content_hash"] != impact["content_hash"]:
        raise CommandFailed("The proposal was edited at this very moment. Look at it again.", 1)
    if proposal["why_not"]:
        raise CommandFailed(proposal["why_not"], 1)
    print(show.impact(proposal, impact), file=sys.stderr)
    if not options.yes:
        if not sys.stdin.isatty():
            raise CommandFailed("Nobody is there to be asked: --yes approves what was just shown.", MISUSED)
        print("Approve this? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return 1
    decision = {"reason": options.reason} | {name: impact[name] for name in ("content_hash", "impact_hash")}
    decision["confirmed_losses"] = _named_losses(impact["counts"].get("lost", 0), options)
    told = client.post("baselines", number, "approve", body=decision)
    _say(options, told, lambda: f"Approved by {told['approvals']} of {told['needed']}.")
    return 0


def _named_losses(lost: int, options: argparse.Namespace) -> int:
    """The number of hosts that lose their trust, typed or by --losses: whoever approves that knows how many."""
    if lost and options.losses is None and not options.yes:
        print(f"{lost} hosts lose their trust. Type their number: ", end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline().strip()
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    return options.losses or 0


def flavors(client: Client, options: argparse.Namespace) -> int:
    """Lists a cloud's flavors, and what is wrong with trusted ones."""
    frame = client.get("flavors", cloud=options.cloud, limit=1)
    items = list(client.items("flavors", cloud=options.cloud, limit=100))
    told = {**frame, "items": items, "next": None}
    _say(options, told, lambda: show.flavors(told))
    return 0


def trust(client: Client, options: argparse.Namespace) -> int:
    """Makes a flavor a trusted one, or an ordinary one again."""
    seen = client.get("flavors", options.flavor, cloud=options.cloud)
    wish = {"trusted": options.on, "reason": options.reason, "specs_hash": seen["specs_hash"]}
    wish |= {"enforcement": options.by} if options.by else {}
    told = client.put("flavors", options.flavor, "trust", body=wish, cloud=options.cloud)
    _say(options, told, lambda: show.flavor(told))
    return 0


def list_instances(client: Client, options: argparse.Namespace) -> int:
    """Lists instances, and how their hosts stand."""
    told, text = instances.listed(client, options)
    _say(options, told, lambda: text)
    return 0


def check_instance(client: Client, options: argparse.Namespace) -> int:
    """Exits with 0 only if the instance's host is trusted, else with 4."""
    told, text, code = instances.check(client, options)
    _say(options, told, lambda: text)
    return code


def poll(client: Client, options: argparse.Namespace) -> int:
    """Asks for new evidence and waits for it; exits with 4 where hosts gave none, or it took too long."""
    wanted = {name: value for name in ("pool", "host") if (value := getattr(options, name))}
    started = client.post("polls", body=wanted)
    ends = time.monotonic() + options.timeout
    while True:
        told = client.get("polls", str(started["id"]))["progress"]
        if not options.json:
            show.bar(told, sys.stderr)
        if not told["running"] or time.monotonic() > ends:
            break
        time.sleep(_ASKED_EVERY_S)
    if not options.json:
        print(file=sys.stderr)
    _say(options, told, lambda: f"{told['done'] - told['failed']} of {told['total']} hosts gave evidence.")
    return FOUND if told["running"] or told["failed"] else 0


def _say(options: argparse.Namespace, told: Any, text: Callable[[], str]) -> None:
    print(json.dumps(told, indent=2) if options.json else text())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="txt-dashboard", description="Trusted Compute, by its API. TXT_API_URL says where it is."
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    commands = parser.add_subparsers(required=True, metavar="command")
    listed = commands.add_parser("hosts", help="list hosts")
    listed.add_argument("--state", choices=("trusted", "untrusted", "stale", "unknown"))
    listed.add_argument("--pool")
    listed.add_argument("--search", help="in names, pools and values of registers")
    listed.add_argument("--sort", choices=("name", "since"), default="name")
    listed.add_argument("--most", type=int, default=100_000, help="no more than so many")
    listed.set_defaults(run=hosts)
    one = commands.add_parser("diff", help="golden against actual values of a host")
    one.add_argument("host")
    one.set_defaults(run=diff)
    commands.add_parser("baselines", help="golden values in force, and proposals").set_defaults(run=baselines)
    yes = commands.add_parser("approve", help="approve a proposal, after a look at what it does")
    yes.add_argument("proposal", type=int)
    yes.add_argument("--reason", required=True)
    yes.add_argument("--yes", action="store_true", help="don't ask")
    yes.add_argument("--losses", type=int, help="how many hosts lose their trust by it, where they are many")
    yes.set_defaults(run=approve)
    asked = commands.add_parser("poll", help="ask for new evidence, and wait for it")
    where = asked.add_mutually_exclusive_group()
    where.add_argument("--pool")
    where.add_argument("--host")
    asked.add_argument("--timeout", type=float, default=600, help="seconds (600)")
    asked.set_defaults(run=poll)
    _add_flavors(commands)
    instances.add(commands, list_instances, check_instance)
    return parser


def _add_flavors(commands: Any) -> None:
    listed = commands.add_parser("flavors", help="list a cloud's flavors")
    listed.add_argument("--cloud", help="where several are connected")
    listed.set_defaults(run=flavors)
    one = commands.add_parser("flavor", help="make a flavor a trusted or an ordinary one")
    change = one.add_subparsers(required=True, metavar="command").add_parser("trust", help="by its id")
    change.add_argument("flavor")
    which = change.add_mutually_exclusive_group(required=True)
    which.add_argument("--on", action="store_true", dest="on", help="only trusted hosts take its instances")
    which.add_argument("--off", action="store_false", dest="on", help="any host does")
    change.add_argument("--by", choices=("trait", "filter", "both"), help="what enforces it (the service's setting)")
    change.add_argument("--reason", required=True)
    change.add_argument("--cloud", help="where several are connected")
    change.set_defaults(run=trust)


if __name__ == "__main__":
    sys.exit(main())
