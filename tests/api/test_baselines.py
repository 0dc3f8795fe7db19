"""Golden values by program: proposed, looked at, and decided on by persons only."""

import pytest
from django.utils import timezone

from tests.api.callers import caller, person_calling, post
from tests.factories import GOOD, evidence, value
from tests.people import approver
from txt_dashboard.actions.governance.accounts import account_of
from txt_dashboard.actions.governance.decide import why_not
from txt_dashboard.actions.permissions import Actor, Role
from txt_dashboard.attest.quorum import Refusal
from txt_dashboard.models import Proposal

pytestmark = pytest.mark.django_db
VALUES = {"17": value("new 17").hex(), "18": GOOD[18].hex()}
DOCUMENT = {
    "format": "txt-dashboard baselines 1",
    "policies": [],
    "baselines": [{"name": "VMM 2", "part": "vmm", "bank": "sha1", "values": VALUES}],
}
WANTED = {"title": "VMM 2", "reason": "A kernel update.", "document": DOCUMENT}
OTHER = "0" * 64


@pytest.fixture
def operator(fleet):
    fleet(hv1=None, hv2=evidence({17: value("new 17")}, at=timezone.now()))
    return caller(Role.OPERATOR)


@pytest.fixture
def proposed(operator):
    return post(operator, "/v1/baselines", WANTED).json()


@pytest.fixture(autouse=True)
def cloud(settings) -> None:
    settings.TXT_KEYSTONE_CLOUD = "east"


def test_the_list_holds_what_is_in_force_and_what_waits(operator, proposed):
    told = operator.get("/v1/baselines").json()
    assert [(each["name"], each["part"]) for each in told["items"]] == sorted(
        [("BIOS 1", "platform"), ("VMM 1", "vmm")],
        key=lambda pair: [each["name"] for each in told["items"]].index(pair[0]),
    )
    assert [each["id"] for each in told["proposals"]] == [proposed["id"]]
    assert told["set_number"] > 0


def test_pages_of_baselines_join(operator):
    first = operator.get("/v1/baselines?limit=1").json()
    second = operator.get("/v1/baselines", {"limit": 1, "marker": first["next"]}).json()
    assert {first["items"][0]["name"], second["items"][0]["name"]} == {"BIOS 1", "VMM 1"}
    assert second["next"] is None


def test_one_baseline_and_what_retiring_it_would_do(operator):
    held = next(each for each in operator.get("/v1/baselines").json()["items"] if each["part"] == "vmm")
    assert operator.get(f"/v1/baselines/{held['id']}").json() == held
    assert operator.get(f"/v1/baselines/{held['id']}/impact").json()["counts"]["lost"] == 1


def test_a_proposal_says_what_changes_and_what_it_would_do(operator, proposed):
    assert [change["after"]["name"] for change in proposed["changes"]] == ["VMM 2"]
    assert (proposed["state"], proposed["approvals"], proposed["needed"]) == ("open", 0, 2)
    impact = operator.get(f"/v1/baselines/{proposed['id']}/impact").json()
    assert impact["counts"]["gained"] == 1
    assert impact["content_hash"] == proposed["content_hash"]


def test_what_is_wrong_with_a_document_is_said(operator):
    answer = post(operator, "/v1/baselines", {**WANTED, "document": {"format": "?"}})
    assert answer.status_code == 400
    assert "format" in answer.json()["detail"]


def test_the_same_twice_is_a_conflict(operator, proposed):
    assert post(operator, "/v1/baselines", WANTED).status_code == 409


def test_a_person_approves_what_they_saw(operator, proposed):
    path = f"/v1/baselines/{proposed['id']}"
    person = person_calling(approver("ada"))
    seen = person.get(f"{path}/impact").json()
    yes = {"reason": "Checked.", "content_hash": seen["content_hash"], "impact_hash": seen["impact_hash"]}
    assert person.get(path).json()["why_not"] is None
    assert post(person, f"{path}/approve", {**yes, "content_hash": OTHER}).status_code == 409
    assert post(person, f"{path}/approve", {**yes, "impact_hash": OTHER}).status_code == 409
    told = post(person, f"{path}/approve", yes).json()
    assert (told["approvals"], [each["by"] for each in told["decisions"]]) == (1, ["ada"])
    assert post(person, f"{path}/approve", yes).status_code == 403


def test_a_person_rejects_what_they_saw(operator, proposed):
    person = person_calling(approver("ada"))
    no = {"reason": "Not ours.", "content_hash": OTHER}
    path = f"/v1/baselines/{proposed['id']}/reject"
    assert post(person, path, no).status_code == 409
    assert post(person, path, {**no, "content_hash": proposed["content_hash"]}).json()["state"] == "rejected"


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_keys_never_decide_whatever_their_roles(operator, proposed, verb):
    key = caller(Role.APPROVER, name="ada")
    body = {"reason": "Yes.", "content_hash": proposed["content_hash"]}
    body |= {"impact_hash": OTHER} if verb == "approve" else {}
    answer = post(key, f"/v1/baselines/{proposed['id']}/{verb}", body)
    assert answer.status_code == 403
    assert "keys" in answer.json()["detail"]
    assert key.get(f"/v1/baselines/{proposed['id']}").json()["why_not"] == str(Refusal.NO_PERSON)


def test_who_proposed_by_a_key_is_the_proposer_in_person_too(operator):
    key = caller(Role.APPROVER, name="ada")
    made = Proposal.objects.get(pk=post(key, "/v1/baselines", WANTED).json()["id"])
    in_person = Actor("ada", frozenset({Role.APPROVER}), user=made.proposer.user.pk)
    assert why_not(made, account_of(in_person), timezone.now()) is Refusal.PROPOSER


def test_a_key_withdraws_what_it_proposed_as_it_saw_it(operator, proposed):
    path = f"/v1/baselines/{proposed['id']}/withdraw"
    body = {"reason": "Too early.", "content_hash": proposed["content_hash"]}
    assert post(caller(Role.OPERATOR, name="eve"), path, body).status_code == 403
    assert post(operator, path, {**body, "content_hash": OTHER}).status_code == 409
    assert post(operator, path, body).json()["state"] == "withdrawn"


def test_retiring_is_proposed_for_what_was_seen(operator):
    held = operator.get("/v1/baselines").json()["items"][0]
    path, body = f"/v1/baselines/{held['id']}/retire", {"reason": "Old.", "content_hash": held["content_hash"]}
    assert post(operator, path, {**body, "content_hash": OTHER}).status_code == 409
    answer = post(operator, path, body)
    assert (answer.status_code, answer.json()["changes"][0]["after"]) == (201, None)


@pytest.mark.parametrize("path", ["999", "999/impact", f"baseline:{'0' * 16}", f"baseline:{'0' * 16}/impact"])
def test_what_is_not_there(operator, path):
    assert operator.get(f"/v1/baselines/{path}").status_code == 404


def test_a_review_is_all_that_a_person_reads_before_they_decide(operator, proposed):
    person = person_calling(approver("ada"))
    told = person.get(f"/v1/baselines/{proposed['id']}/review").json()
    (change,) = told["changes"]
    assert (change["name"], change["act"], change["against"]) == ("VMM 2", "add", "VMM 1")
    (differing,) = change["differing"]
    assert (differing["index"], differing["before"], differing["after"]) == (17, GOOD[17].hex(), VALUES["17"])
    assert [each["index"] for each in change["same"]] == [18]
    assert {"name": "Bank", "before": None, "after": "SHA1", "heed": ""} in change["fields"]
    assert told["impact"] == person.get(f"/v1/baselines/{proposed['id']}/impact").json()
    assert (told["problem"], told["why_not_approve"], told["why_not_reject"]) == ("", None, None)
    assert told["why_not_withdraw"] == "Only who proposed it can withdraw it."


def test_a_review_says_why_whoever_asks_may_not_decide(operator, proposed):
    told = operator.get(f"/v1/baselines/{proposed['id']}/review").json()
    assert told["why_not_approve"] == str(Refusal.NO_PERSON)
    assert told["why_not_reject"] == "Approvers reject, in person."
    assert told["why_not_withdraw"] is None


def test_a_review_of_what_changed_meanwhile_says_so_and_promises_nothing(operator, proposed):
    Proposal.objects.update(content_hash=OTHER)
    told = operator.get(f"/v1/baselines/{proposed['id']}/review").json()
    assert "not what was proposed" in told["problem"]
    assert told["impact"] is None


def test_a_review_of_a_settled_proposal_says_that_it_is_settled(operator, proposed):
    body = {"reason": "Too early.", "content_hash": proposed["content_hash"]}
    assert post(operator, f"/v1/baselines/{proposed['id']}/withdraw", body).status_code == 200
    told = operator.get(f"/v1/baselines/{proposed['id']}/review").json()
    assert told["why_not_approve"] == told["why_not_withdraw"] == "This proposal is withdrawn already."
    assert (told["impact"], told["proposal"]["state"]) == (None, "withdrawn")


def test_what_is_in_force_is_reviewed_before_it_is_retired(operator):
    held = next(each for each in operator.get("/v1/baselines").json()["items"] if each["part"] == "vmm")
    path = f"/v1/baselines/{held['id']}"
    told = operator.get(f"{path}/review").json()
    assert (told["baseline"], told["proposal"], told["impact"]["counts"]["lost"]) == (held, None, 1)
    assert (told["why_not_retire"], told["touched_by"]) == (None, None)
    made = post(operator, f"{path}/retire", {"reason": "Old.", "content_hash": told["content_hash"]}).json()
    assert operator.get(f"{path}/review").json()["touched_by"] == made["id"]
    assert "Operators" in caller(Role.VIEWER).get(f"{path}/review").json()["why_not_retire"]


def test_the_list_says_whose_turn_it_is(operator, proposed):
    (line,) = person_calling(approver("ada")).get("/v1/baselines").json()["proposals"]
    assert (line["approvals"], line["needed"], line["why_not"]) == (0, 2, None)
    (line,) = operator.get("/v1/baselines").json()["proposals"]
    assert line["why_not"] == str(Refusal.NO_PERSON)


def test_an_approval_that_takes_trust_from_many_must_name_their_number(operator):
    held = next(each for each in operator.get("/v1/baselines").json()["items"] if each["part"] == "vmm")
    retiring = {"reason": "Withdrawn.", "content_hash": held["content_hash"]}
    made = post(operator, f"/v1/baselines/{held['id']}/retire", retiring).json()
    anna = person_calling(approver("anna"))
    found = anna.get(f"/v1/baselines/{made['id']}/impact").json()
    decision = {"reason": "Yes.", **{name: found[name] for name in ("content_hash", "impact_hash")}}
    refused = post(anna, f"/v1/baselines/{made['id']}/approve", decision)
    assert (refused.status_code, refused.json()["losses"]) == (409, 1)
    assert "losses" not in anna.get("/v1/baselines/99").json()
    told = post(anna, f"/v1/baselines/{made['id']}/approve", {**decision, "confirmed_losses": 1})
    assert told.status_code == 200
