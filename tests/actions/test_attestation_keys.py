"""TPM keys from a list: whole or not at all, each refusal with its line; approved as all that makes hosts trusted."""

import base64
from datetime import timedelta

import pytest

from tests.attest.forge import Forge
from tests.factories import NOON
from tests.people import approver, person, say_yes
from tests.rows import make_server
from txt_dashboard.actions.attestation_keys import propose_key_list
from txt_dashboard.actions.governance import keys
from txt_dashboard.actions.governance.decide import may_be_urgent
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.permissions import COMMAND_LINE, Invalid, NotAllowed, Role
from txt_dashboard.attest.bound_key import KeySource
from txt_dashboard.models import Proposal
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db

RSA, P256 = Forge.rsa(), Forge.p256()


def text(forge: Forge) -> str:
    return base64.b64encode(forge.area).decode()


def table(*rows: tuple[str, str], head: str = "host,key") -> bytes:
    return "\n".join([head, *(f'{host},"{key}"' for host, key in rows)]).encode()


def propose(document: bytes, actor=COMMAND_LINE) -> Proposal:
    return propose_key_list(actor, "oat-1", document, title="TPM keys", reason="From the racks.", now=NOON)


def test_keys_are_in_force_once_enough_people_approved_them() -> None:
    make_server()
    keys.create()
    proposal = propose(table(("hv1", text(RSA)), ("hv2", text(P256))))
    assert not current_reference().keys
    assert not may_be_urgent(proposal)
    for name in ("ann", "ben"):
        say_yes(approver(name), proposal)
    sign_due(NOON + timedelta(minutes=1))
    held = current_reference().keys
    assert held.keys() == {("oat-1", "hv1"), ("oat-1", "hv2")}
    assert held["oat-1", "hv1"].source is KeySource.LIST


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_propose_no_policy_may_propose_no_key(role: Role) -> None:
    make_server()
    with pytest.raises(NotAllowed):
        propose(table(("hv1", text(RSA))), person("eve", role))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "must begin"),
        (b"\xff\xfe", "no CSV"),
        (table(), "names no key"),
        (table(("hv1", text(RSA)), head="name,key"), "must begin"),
        (b"host,key\nhv1", "has 1 values"),
        (table(("hv1", text(RSA)), ("hv1", text(P256))), "hv1 is there twice"),
        (table(("hv1", text(RSA)), ("hv2", text(RSA))), "is that of line 2"),
        (table(("hv/1", text(RSA))), "host"),
        (table(("hv1", "no key!")), "neither PEM nor base64"),
        (table(("hv1", "AAAA")), "Line 2"),
        (table(("hv1", text(RSA.but(attributes=0x00040072)))), "not restricted"),
    ],
)
def test_a_list_with_one_bad_line_proposes_nothing(document: bytes, said: str) -> None:
    make_server()
    with pytest.raises(Invalid, match=said):
        propose(document)
    assert not Proposal.objects.exists()


def test_keys_belong_to_a_server_that_is_there() -> None:
    with pytest.raises(Invalid, match="no attestation server"):
        propose(table(("hv1", text(RSA))))


def test_keys_that_are_in_force_already_are_not_proposed_again() -> None:
    make_server()
    keys.create()
    proposal = propose(table(("hv1", text(RSA))))
    for name in ("ann", "ben"):
        say_yes(approver(name), proposal)
    sign_due(NOON + timedelta(minutes=1))
    assert propose(table(("hv1", text(RSA)), ("hv2", text(P256)))).patch["changes"].keys() == {
        "attestation key:oat-1/hv2"
    }
    with pytest.raises(Invalid, match="in force already"):
        propose(table(("hv1", text(RSA))))
