"""TPM keys in the pages: first ones as one proposal, a changed one by itself, lists, and what was approved before."""

import base64
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.attest.forge import Forge
from tests.people import approver as make_approver
from tests.people import say_yes
from tests.quoted_fleet import HOSTS, Fleet
from tests.web.filled import filled
from tests.web.visitors import browser_of, text, visitor
from txt_dashboard.actions.attestation_keys import propose_new_key
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.attest.entries import key_id
from txt_dashboard.models import Proposal, Quoted
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.simulator.startkit import SERVER

pytestmark = pytest.mark.django_db

HOST, OTHER = HOSTS
WHY = {"reason": "Read at the machines."}


@pytest.fixture
def sim(sim: Fleet) -> Fleet:
    """Its hosts have shown their keys."""
    sim.poll()
    return sim


@pytest.fixture
def anna(db):
    return visitor("approver", name="anna")


def ask(browser, address: str, **changes: object):
    """Looks at what would follow, then proposes that."""
    form = {**filled(browser.get(address)), **WHY, **changes}
    shown = browser.post(address, {**form, "preview": "1"})
    return shown, browser.post(address, {**filled(shown), **WHY, **changes, "propose": "1"})


def proposed() -> set[str]:
    return set(Proposal.objects.latest("id").patch["changes"])


def test_hosts_without_an_approved_key_are_listed_with_what_they_show(anna, sim) -> None:
    page = text(anna.get("/propose/keys/"))
    for name in HOSTS:
        assert name in page
    assert "2 hosts show one to this server, 0 have one" in page
    assert 'href="/propose/keys/"' in text(anna.get("/propose/"))


def test_a_search_finds_hosts_by_a_part_of_their_name(anna, sim) -> None:
    page = text(anna.get(f"/propose/keys/?q={OTHER}"))
    assert f'value="{OTHER}"' in page
    assert f'value="{HOST}"' not in page


@pytest.mark.parametrize(
    ("chosen", "hosts"),
    [
        ({"of": "all"}, HOSTS),
        ({"of": "pools", "pools": ["az2"]}, HOSTS),
        ({"of": "hosts", "hosts": [OTHER]}, [OTHER]),
    ],
)
def test_first_keys_of_all_of_pools_or_of_ticked_hosts_are_one_proposal(anna, sim, chosen, hosts) -> None:
    shown, made = ask(anna, "/propose/keys/", **chosen)
    assert "the attestation server's word" in text(shown)
    assert "What TPM keys do is not counted here" in text(shown)
    assert made.status_code == 302
    assert proposed() == {key_id(SERVER, each) for each in hosts}


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"of": "hosts"},
        {"of": "pools"},
        {"of": ""},
        {"of": "hosts", "hosts": ["az1-001"]},
        {"of": "pools", "pools": ["x"]},
    ],
)
def test_nothing_chosen_never_means_all(anna, sim, chosen) -> None:
    _, made = ask(anna, "/propose/keys/", **chosen)
    assert made.status_code == 400
    assert not Proposal.objects.exists()


def test_a_key_that_changed_since_the_look_is_not_proposed_unseen(anna, sim) -> None:
    form = {**filled(anna.get("/propose/keys/")), **WHY, "of": "all"}
    seen = filled(anna.post("/propose/keys/", {**form, "preview": "1"}))
    Quoted.objects.filter(attestation__host__name=HOST).update(public=Forge.rsa().area)
    assert anna.post("/propose/keys/", {**seen, **WHY, "of": "all", "propose": "1"}).status_code == 409
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_who_may_not_propose_keys_sees_and_is_told(sim, role) -> None:
    browser = visitor(role, name="eve")
    assert "Only approvers and administrators propose this." in text(browser.get("/propose/keys/"))
    for address in ("/propose/keys/", "/propose/keys/list/", f"/propose/key/{HOST}/"):
        assert browser.post(address, {**WHY, "of": "all", "propose": "1"}).status_code == 403
    assert "Approvers and administrators propose keys." in text(browser.get(f"/hosts/{HOST}/evidence/"))


def swap(host: str = HOST) -> str:
    """The host shows another key from now on; its fingerprint."""
    forge = Forge.rsa()
    Quoted.objects.filter(attestation__host__name=host).update(public=forge.area)
    return forge.name.hex() if hasattr(forge, "name") else ""


def test_a_changed_key_is_listed_apart_and_proposed_by_itself(anna, sim) -> None:
    sim.approve_key(HOST)
    swap()
    page = text(anna.get("/propose/keys/"))
    assert "Another key than the approved one" in page
    assert f"/propose/key/{HOST}/" in page
    _, made = ask(anna, "/propose/keys/", of="all")
    assert proposed() == {key_id(SERVER, OTHER)}
    evidence = text(anna.get(f"/hosts/{HOST}/evidence/"))
    assert "Propose the key shown now" in evidence
    shown, made = ask(anna, f"/propose/key/{HOST}/?server={SERVER}")
    review = text(shown)
    assert "Another TPM, or the same one cleared" in review
    assert "Its name in the TPM" in review
    assert "− " in review
    assert made.status_code == 302
    assert proposed() == {key_id(SERVER, HOST)}


def test_the_history_of_a_hosts_keys_is_kept(anna, sim) -> None:
    people = [make_approver("cleo"), make_approver("dora")]
    for _ in range(2):
        proposal = propose_new_key(COMMAND_LINE, SERVER, HOST, reason="TPM replaced.", now=sim.clock())
        for each in people:
            say_yes(each, proposal)
        sign_due(sim.clock() + timedelta(minutes=1))
        swap()
    page = text(browser_of(people[0]).get(f"/hosts/{HOST}/evidence/"))
    assert "2 decisions on this host's key" in page
    assert page.count("TPM replaced.") == 2


def test_one_key_under_two_names_is_shown_with_both_and_warned_of_in_reviews(anna, sim) -> None:
    sim.approve_key(HOST)
    Quoted.objects.filter(attestation__host__name=OTHER).update(
        public=Quoted.objects.get(attestation__host__name=HOST).public
    )
    shown, _ = ask(anna, f"/propose/key/{OTHER}/")
    assert f"This is the key of {HOST} too" in text(shown)
    sim.approve_key(OTHER)
    assert f"One key is approved for {HOST}, {OTHER}" in text(anna.get("/propose/keys/"))
    assert f"Its approved key is that of {OTHER} too" in text(anna.get(f"/hosts/{HOST}/evidence/"))
    sim.poll()
    assert [sim.state(each) for each in HOSTS] == [("unknown", "tpm_key_shared")] * 2


def listed(*rows: tuple[str, bytes]) -> SimpleUploadedFile:
    lines = ["host,key", *(f"{host},{base64.b64encode(area).decode()}" for host, area in rows)]
    return SimpleUploadedFile("keys.csv", "\n".join(lines).encode())


def test_a_list_is_proposed_as_a_whole(anna, sim) -> None:
    file = listed((HOST, Forge.rsa().area), ("not-yet-there", Forge.p256().area))
    address = "/propose/keys/list/"
    form = {**filled(anna.get(address)), **WHY}
    shown = anna.post(address, {**form, "file": file, "preview": "1"})
    assert "a list that somebody brought along" in text(shown)
    assert anna.post(address, {**filled(shown), **WHY, "propose": "1"}).status_code == 302
    assert proposed() == {key_id(SERVER, HOST), key_id(SERVER, "not-yet-there")}


@pytest.mark.parametrize("content", [b"\xff", b"", b"host,key\nhv1,nothing", b"name\n", b"x" * (4 * 1024 * 1024 + 1)])
def test_a_list_that_can_not_be_used_says_why(anna, sim, content) -> None:
    address = "/propose/keys/list/"
    form = {**filled(anna.get(address)), **WHY, "file": SimpleUploadedFile("keys.csv", content), "propose": "1"}
    answer = anna.post(address, form)
    assert answer.status_code == 400
    assert not Proposal.objects.exists()


def test_hosts_and_servers_that_are_not_there_are_not_found(anna, sim) -> None:
    assert anna.get("/propose/key/nobody/").status_code == 404
    assert anna.get("/propose/keys/?server=nobody").status_code == 200
    Quoted.objects.filter(attestation__host__name=HOST).delete()
    assert anna.get(f"/propose/key/{HOST}/").status_code == 404
    assert in_force().reference.keys == {}
