"""`nova_hosts`: what Nova lists becomes a file that `register_hosts` reads."""

import pytest
from django.core.management import CommandError, call_command

from tests.rows import make_host, make_server
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.cloud.values import Hypervisor
from txt_dashboard.management.commands import nova_hosts
from txt_dashboard.servers.registrations import read_registrations

pytestmark = pytest.mark.django_db
MLES = ("--bios", "BIOS 2.19", "2.19", "Dell", "--vmm", "VMM, the first", "6.1", "Debian", "12")


@pytest.fixture
def nova(monkeypatch):
    """A cloud that lists two hypervisors."""
    names = ("hv1.example.org", "hv2.example.org")
    listed = tuple(Hypervisor(f"uuid-{name}", name, name, "QEMU", up=True, enabled=True) for name in names)
    monkeypatch.setattr(nova_hosts, "connect", lambda _name: type("Accounts", (), {"compute": None}))
    monkeypatch.setattr(nova_hosts, "list_hypervisors", lambda _connection: listed)


def test_hypervisors_that_the_server_does_not_attest_are_written(nova, capsys) -> None:
    make_host("hv1.example.org", make_server())
    call_command("nova_hosts", "east", "--server", "oat-1", *MLES)
    read = read_registrations(capsys.readouterr().out)
    assert read.problems == ()
    (found,) = read.hosts
    assert (found.registration.host, found.registration.address, found.registration.port) == (
        "hv2.example.org", "hv2.example.org", 9999,
    )  # fmt: skip
    assert (found.registration.bios.oem, found.registration.vmm.name) == ("Dell", "VMM, the first")


def test_a_cloud_that_is_not_configured_is_a_sentence(monkeypatch) -> None:
    def refuse(_name: str) -> None:
        raise Misconfigured("clouds.yaml has no cloud east")

    monkeypatch.setattr(nova_hosts, "connect", refuse)
    with pytest.raises(CommandError, match="no cloud east"):
        call_command("nova_hosts", "east", "--server", "oat-1", *MLES)
