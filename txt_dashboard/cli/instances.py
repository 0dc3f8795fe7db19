"""Instances: how their hosts stand, and a check for pipelines that passes only where one is trusted."""

import argparse
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

from txt_dashboard.cli import show
from txt_dashboard.cli.client import FOUND, Client, CommandFailed

_ASKED_EVERY_S = 5.0
_TRUSTED = "trusted"


def listed(client: Client, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The instances of the token's project; with a filter those of all. As JSON, and as text."""
    wanted = {
        "cloud": options.cloud,
        "all": "true" if options.all else None,
        "project": options.project,
        "host": options.host,
        "at_stake": "true" if options.at_stake else None,
    }
    frame = client.get("instances", **wanted, limit=1)
    items = list(islice(client.items("instances", **wanted, limit=100), options.most))
    told = {**frame, "items": items, "next": None}
    return told, show.instances(told)


def check(client: Client, options: argparse.Namespace) -> tuple[Mapping[str, Any], str, int]:
    """One instance; the exit code is 0 only where its host is trusted. With `wait` it is asked for until it is."""
    ends = time.monotonic() + (options.timeout if options.wait else 0)
    while True:
        told = _asked(client, options, ends)
        trusted = told.get("state") == _TRUSTED
        if trusted or time.monotonic() >= ends:
            return told, show.instance(told), 0 if trusted else FOUND
        time.sleep(min(_ASKED_EVERY_S, max(0.0, ends - time.monotonic())))


def add(commands: Any, run_list: object, run_check: object) -> None:
    """The commands' options."""
    many = commands.add_parser("instances", help="instances of your project, and how their hosts stand")
    many.add_argument("--all", action="store_true", help="of all projects (needs a role)")
    many.add_argument("--project", help="the project's id (needs a role)")
    many.add_argument("--host", help="on this host (needs a role)")
    many.add_argument("--at-stake", action="store_true", help="that asked for a trusted host and are not on one")
    many.add_argument("--cloud", help="where several are connected")
    many.add_argument("--most", type=int, default=100_000, help="no more than so many")
    many.set_defaults(run=run_list)
    one = commands.add_parser("instance", help="one instance")
    checked = one.add_subparsers(required=True, metavar="command").add_parser(
        "check", help="exits with 0 only if its host is trusted"
    )
    checked.add_argument("instance", help="its id")
    checked.add_argument("--wait", action="store_true", help="until it is trusted")
    checked.add_argument("--timeout", type=float, default=600, help="how long to wait, in seconds (600)")
    checked.set_defaults(run=run_check)


def _asked(client: Client, options: argparse.Namespace, ends: float) -> Mapping[str, Any]:
    """What is told of the instance; a service that can't answer now is asked again while there is time."""
    while True:
        try:
            found: Mapping[str, Any] = client.get("instances", options.instance)
        except CommandFailed as failure:
            if not failure.passing or time.monotonic() + _ASKED_EVERY_S >= ends:
                raise
            time.sleep(_ASKED_EVERY_S)
        else:
            return found
