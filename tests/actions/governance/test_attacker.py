"""Somebody who can write to the database: nothing that they write comes into force, and all of it is named.

Forged accounts, decisions and states of hosts are outside this (docs/threat-model.md).
"""

import json
from datetime import timedelta

import pytest
from django.db import connection

from tests.actions.governance.examples import WANTED, WORDS
from tests.factories import NOON
from tests.people import say_yes
from tests.rows import put_set
from txt_dashboard import conf
from txt_dashboard.actions.governance.propose import propose, retire
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.attest.signed_set import EMPTY, SignedSet
from txt_dashboard.attest.signing import SigningKey
from txt_dashboard.models import Proposal
from txt_dashboard.models import SignedSet as SignedSetRow
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.integrity import altered
from txt_dashboard.queries.reference import current_reference


def names() -> set[str]:
    return {each.name for each in current_reference().baselines}


def approved(people, wanted=WANTED) -> Proposal:
    proposal = propose(people.olga, wanted, **WORDS, now=NOON)
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    return proposal


def found(part: str) -> bool:
    return any(part in sentence for sentence in altered())


@pytest.fixture(autouse=True)
def all_is_well(server):
    assert list(altered()) == []


def test_a_set_that_was_rewritten_is_refused_and_nothing_is_in_force() -> None:
    newest = SignedSetRow.objects.first()
    newest.document = newest.document.replace('"counts":true', '"counts":false')
    newest.signature = f"{int(newest.signature[:2], 16) ^ 1:02x}" + newest.signature[2:]
    newest.save()
    assert current_reference().refused
    assert names() == set()
    assert found(f"Set {newest.number} is not what a worker signed")


def test_a_set_signed_by_another_key_is_passed_over_and_named() -> None:
    before, key = in_force().set, SigningKey.generate()
    forged = SignedSet(before.number + 1, before.digest, NOON, {**before.entries, **WANTED})
    signature = forged.signed(key)
    SignedSetRow.objects.create(
        number=forged.number, document=forged.document.decode(), signature=signature.value.hex(),
        key_id=key.key_id, signed_at=NOON,
    )  # fmt: skip
    assert names() == {"BIOS 1", "VMM 1"}
    assert found(f"Set {forged.number} is not what a worker signed: key {key.key_id} is not one of")


def test_a_set_above_that_is_none_stops_no_later_one(people) -> None:
    number = in_force().set.number
    SignedSetRow.objects.create(number=number + 1, document="{}", signature="00", key_id="0" * 16, signed_at=NOON)
    approved(people)
    sign_due(NOON)
    assert in_force().set.number == number + 1
    assert "VMM 2" in names()


def test_an_older_set_under_a_new_number_is_refused(people) -> None:
    [old] = [each.id for each in current_reference().baselines if each.name == "VMM 1"]
    with_old = SignedSetRow.objects.first()
    proposal = retire(people.olga, old, reason="A hole in it.", now=NOON)
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    sign_due(NOON)
    assert names() == {"BIOS 1"}
    number = in_force().set.number
    with_old.pk = number + 1
    with_old.save(force_insert=True)
    assert names() == {"BIOS 1"}
    assert found(f"the set says that its number is {number - 1}")


def test_neither_a_deleted_row_nor_a_restored_backup_brings_back_what_was_retired(people) -> None:
    [old] = [each.id for each in current_reference().baselines if each.name == "VMM 1"]
    put_set({old: None})
    assert names() == {"BIOS 1"}
    SignedSetRow.objects.filter(number=in_force().set.number).delete()
    assert names() == set()
    assert "should be in force" in current_reference().refused
    assert found("was seen and is missing")


def test_a_forked_history_is_refused_although_its_signature_holds() -> None:
    base = in_force().set
    put_set({id_: None for id_ in base.entries if id_.startswith("baseline:")})
    assert names() == set()
    SignedSetRow.objects.filter(number=base.number + 1).delete()
    with_floor_away(lambda: put_set({}))
    assert "another set than the one that was seen" in current_reference().refused


def with_floor_away(act) -> None:
    """As on another machine that never saw the newest set."""
    path = conf.floor_file()
    kept = path.read_text()
    path.unlink()
    act()
    path.write_text(kept)


def test_all_sets_deleted_is_no_first_day() -> None:
    SignedSetRow.objects.all().delete()
    assert in_force().refused
    assert names() == set()


def test_a_proposal_altered_after_its_approval_is_not_signed_and_named(people) -> None:
    proposal = approved(people)
    patch = json.loads(json.dumps(proposal.patch))
    next(iter(patch["changes"].values()))["after"]["values"]["18"] = "ee" * 20
    Proposal.objects.update(patch=patch)
    sign_due(NOON)
    assert names() == {"BIOS 1", "VMM 1"}
    proposal.refresh_from_db()
    assert "altered" in proposal.stuck
    assert found(f"Proposal {proposal.pk} was altered")


def test_a_proposal_altered_together_with_its_hash_lost_its_approvals(people) -> None:
    approved(people)
    other = EMPTY.patch({id_: {**entry, "name": "mine"} for id_, entry in WANTED.items()})
    Proposal.objects.update(patch=other.stored(), content_hash=other.content_hash)
    sign_due(NOON)
    assert names() == {"BIOS 1", "VMM 1"}


def test_a_proposal_called_in_force_is_not_and_is_named(people) -> None:
    proposal = propose(people.olga, WANTED, **WORDS, now=NOON)
    Proposal.objects.update(state="in force", set_number=in_force().set.number)
    sign_due(NOON)
    assert names() == {"BIOS 1", "VMM 1"}
    assert found(f"Proposal {proposal.pk} is called in force, but no set was signed for it")


def test_an_expired_end_can_be_written_nowhere_but_into_the_signed_set(people) -> None:
    proposal = approved(people)
    Proposal.objects.update(emergency_until=NOON + timedelta(days=999))
    sign_due(NOON)
    assert not any("emergency" in entry for entry in in_force().set.entries.values())
    proposal.refresh_from_db()
    assert proposal.emergency_until is None


@pytest.mark.parametrize("junk", ["{", "[]", '{"changes": {}, "restores": true}', '"x"', "null", "1e999"])
def test_no_junk_in_a_patch_breaks_the_worker(people, junk) -> None:
    proposal = approved(people)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE txt_dashboard_proposal SET patch = %s", [json.dumps(junk)])
    sign_due(NOON)
    assert names() == {"BIOS 1", "VMM 1"}
    assert found(f"Proposal {proposal.pk}")
