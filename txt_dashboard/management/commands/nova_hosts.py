"""`nova_hosts CLOUD`: the hypervisors that Nova lists, as a file for `register_hosts`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from txt_dashboard.actions.clouds.connect import connect
from txt_dashboard.cloud.compute import list_hypervisors
from txt_dashboard.management.errors import told_plainly
from txt_dashboard.models import Host
from txt_dashboard.servers.registrations import write_registrations

PORT = 9999  # where OpenAttestation's agents listen


class Command(BaseCommand):
    """Writes CSV to standard output, for somebody to look at before it is registered. Changes nothing."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """A cloud, a server, and what its hosts shall be judged by."""
        parser.add_argument("cloud", help="a name of TXT_CLOUDS")
        parser.add_argument("--server", required=True, help="hosts that it attests already are left out")
        parser.add_argument("--bios", nargs=3, required=True, metavar=("NAME", "VERSION", "OEM"))
        parser.add_argument("--vmm", nargs=4, required=True, metavar=("NAME", "VERSION", "OS", "OS_VERSION"))
        parser.add_argument("--port", type=int, default=PORT, help="of the hosts' agents")

    def handle(
        self, *_args: Any, cloud: str, server: str, bios: list[str], vmm: list[str], port: int, **_options: Any
    ) -> None:
        """Raises `CommandError` where the cloud can't be asked."""
        with told_plainly():
            listed = {each.hostname for each in list_hypervisors(connect(cloud).compute)}
            known = Host.objects.filter(attestations__server__name=server).values_list("name", flat=True)
            text = write_registrations(listed - set(known), port=port, bios=bios, vmm=vmm)
        self.stdout.write(text, ending="")
