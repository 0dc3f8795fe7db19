"""What operators do, in a process of its own: `set-up URL FOLDER [SETTING=VALUE …]`, `poll-now`."""

import sys
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - the settings come first
from django.utils import timezone  # noqa: E402

from tests.people import approver, say_yes  # noqa: E402
from txt_dashboard.actions.governance.apply import apply_servers  # noqa: E402
from txt_dashboard.actions.governance.sign import sign_due  # noqa: E402
from txt_dashboard.actions.permissions import COMMAND_LINE  # noqa: E402
from txt_dashboard.actions.polling import poll_now  # noqa: E402
from txt_dashboard.actions.servers import ServerSettings, add_server, propose_counting  # noqa: E402
from txt_dashboard.models import Proposal  # noqa: E402
from txt_dashboard.queries.reference import current_reference  # noqa: E402


def set_up(url: str, folder: str, *settings: str) -> None:
    """Makes the tables, and has the hosts and golden values of the folder approved for a server at this URL."""
    call_command("migrate", verbosity=0)
    call_command("create_vault_key")
    call_command("signing_key", "create")
    people = [approver(name) for name in ("anna", "ben")]
    numbers = {name: int(value) for name, value in (each.split("=") for each in settings)}
    server = ServerSettings(name="oat-1", kind="oat-1.6", url=url, simulated=True, **numbers)
    row = add_server(COMMAND_LINE, server, now=timezone.now())
    propose_counting(COMMAND_LINE, row.pk, counts=True, reason="The server of this test.", now=timezone.now())
    call_command("load_hosts", Path(folder) / "hosts.csv", server="oat-1")
    call_command("load_baselines", Path(folder) / "golden.json", reason="The first day.")
    for proposal in Proposal.objects.order_by("id"):
        for person in people:
            say_yes(person, proposal, timezone.now())
    sign_due(timezone.now())
    apply_servers(current_reference(), now=timezone.now())


def main(verb: str, *arguments: str) -> None:
    """Does one of them."""
    if verb == "set-up":
        set_up(*arguments)
    else:
        poll_now(COMMAND_LINE, now=timezone.now())


if __name__ == "__main__":
    main(*sys.argv[1:])
