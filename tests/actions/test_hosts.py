"""Which hosts there are: from a list, and from what a server knows."""

import pytest

from tests.factories import NOON
from tests.rows import make_server
from txt_dashboard.actions.hosts import adopt, load_hosts
from txt_dashboard.actions.permissions import COMMAND_LINE, Invalid, NotFound
from txt_dashboard.models import Attestation, Host

pytestmark = pytest.mark.django_db


def test_hosts_of_a_list_are_due_at_once() -> None:
    make_server()
    assert load_hosts(COMMAND_LINE, [("hv1", "az1"), ("hv2", "")], server="oat-1", now=NOON) == 2
    assert Attestation.objects.due(NOON).count() == 2


def test_a_list_moves_hosts_to_their_pools_and_keeps_their_state() -> None:
    make_server()
    load_hosts(COMMAND_LINE, [("hv1", "az1")], server="oat-1", now=NOON)
    Host.objects.update(state="untrusted")
    load_hosts(COMMAND_LINE, [("hv1", "az2")], server="oat-1", now=NOON)
    assert Host.objects.values_list("pool", "state").get() == ("az2", "untrusted")
    assert Attestation.objects.count() == 1


@pytest.mark.parametrize(
    "rows", [[("<b>", "az1")], [("", "az1")], [("hv1", "az1\n")], [("hv1", ""), ("hv1", "")], [("a" * 254, "")]]
)
def test_a_list_with_a_bad_line_changes_nothing(rows) -> None:
    make_server()
    with pytest.raises(Invalid, match=r"Line \d"):
        load_hosts(COMMAND_LINE, [("hv0", "az1"), *rows], server="oat-1", now=NOON)
    assert not Host.objects.exists()


def test_an_unknown_server_is_named() -> None:
    with pytest.raises(NotFound, match="oat-7"):
        load_hosts(COMMAND_LINE, [("hv1", "")], server="oat-7", now=NOON)


def test_a_server_adds_hosts_and_leaves_pools_alone() -> None:
    server = make_server()
    load_hosts(COMMAND_LINE, [("hv1", "az1")], server="oat-1", now=NOON)
    assert adopt(server, ["hv1", "hv2"], now=NOON) == 1
    assert dict(Host.objects.values_list("name", "pool")) == {"hv1": "az1", "hv2": ""}
