"""A new key, a compromised one, a lost database: what holds, and the way back."""

import json

import pytest

from tests.actions.governance.examples import WANTED, WORDS
from tests.factories import NOON
from tests.people import say_yes
from tests.rows import put_set
from txt_dashboard import conf
from txt_dashboard.actions.governance import keys
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.governance.restore import propose_restoring, put_back
from txt_dashboard.actions.governance.sign import archive, sign_due
from txt_dashboard.actions.permissions import COMMAND_LINE, Conflict, Invalid, NotAllowed
from txt_dashboard.attest.signing import Signature
from txt_dashboard.keyring import signing_key
from txt_dashboard.models import SignedSet as SignedSetRow
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.reference import current_reference


def names() -> set[str]:
    return {each.name for each in current_reference().baselines}


def copy_of_newest() -> tuple[bytes, Signature]:
    row = SignedSetRow.objects.first()
    return row.document.encode(), Signature(row.key_id, bytes.fromhex(row.signature))


def test_a_rotated_key_signs_from_then_on_and_all_stays_in_force(server, people) -> None:
    before = in_force().set
    new = keys.rotate(COMMAND_LINE, now=NOON)
    after = in_force().set
    assert (after.number, after.entries) == (before.number + 1, before.entries)
    assert SignedSetRow.objects.first().key_id == new
    proposal = propose(people.olga, WANTED, **WORDS, now=NOON)
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    sign_due(NOON)
    assert "VMM 2" in names()


def test_once_a_key_is_declared_compromised_nothing_is_in_force_until_people_approve_it_again(server, people) -> None:
    document, signature = copy_of_newest()
    number, entries = in_force().set.number, in_force().set.entries
    keys.declare_compromised(COMMAND_LINE, now=NOON)
    assert names() == set()
    assert "compromised" in current_reference().refused
    with pytest.raises(Invalid, match="compromised"):
        put_back(COMMAND_LINE, document, signature, now=NOON)
    with pytest.raises(Conflict, match="refused"):
        propose(people.olga, WANTED, **WORDS, now=NOON)
    proposal = propose_restoring(COMMAND_LINE, entries, reason="The key was on a stolen disk.", now=NOON)
    say_yes(people.anna, proposal)
    sign_due(NOON)
    assert names() == set()
    say_yes(people.ben, proposal)
    sign_due(NOON)
    assert names() == {"BIOS 1", "VMM 1"}
    assert in_force().set.number == number + 1


def test_approvals_from_before_sign_nothing_while_the_set_is_refused(server, people) -> None:
    proposal = propose(people.olga, WANTED, **WORDS, now=NOON)
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    keys.declare_compromised(COMMAND_LINE, now=NOON)
    sign_due(NOON)
    assert names() == set()
    proposal.refresh_from_db()
    assert "compromised" in proposal.stuck


def test_a_set_that_the_database_lost_is_put_back_from_its_copy(server) -> None:
    document, signature = copy_of_newest()
    in_force()
    SignedSetRow.objects.all().delete()
    assert names() == set()
    put_back(COMMAND_LINE, document, signature, now=NOON)
    assert names() == {"BIOS 1", "VMM 1"}


def test_an_older_copy_is_not_put_back(server) -> None:
    document, signature = copy_of_newest()
    put_set({id_: None for id_ in in_force().set.entries if id_.startswith("baseline:")})
    in_force()
    SignedSetRow.objects.all().delete()
    with pytest.raises(Invalid, match="not the set that was in force"):
        put_back(COMMAND_LINE, document, signature, now=NOON)


def test_nothing_is_restored_while_all_is_sound(server, people) -> None:
    document, signature = copy_of_newest()
    with pytest.raises(Conflict, match="sound"):
        put_back(COMMAND_LINE, document, signature, now=NOON)
    with pytest.raises(Conflict, match="sound"):
        propose_restoring(COMMAND_LINE, in_force().set.entries, reason="Why not.", now=NOON)
    with pytest.raises(NotAllowed):
        put_back(people.anna, document, signature, now=NOON)


def test_a_lost_signing_key_stops_new_sets_only(server, people) -> None:
    conf.signing_key_file().unlink()
    proposal = propose(people.olga, WANTED, **WORDS, now=NOON)
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    sign_due(NOON)
    assert names() == {"BIOS 1", "VMM 1"}
    proposal.refresh_from_db()
    assert "signing_key create" in proposal.stuck
    keys.create()
    sign_due(NOON)
    assert "VMM 2" in names()


def test_a_signing_key_that_others_can_read_is_not_used(server, people) -> None:
    conf.signing_key_file().chmod(0o640)
    proposal = propose(people.olga, WANTED, **WORDS, now=NOON)
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    sign_due(NOON)
    assert "VMM 2" not in names()


def test_lost_public_keys_or_a_broken_floor_put_nothing_in_force(server) -> None:
    kept = conf.public_keys_file().read_text()
    conf.public_keys_file().unlink()
    assert "does not exist" in current_reference().refused
    conf.public_keys_file().write_text(kept)
    assert names()
    conf.floor_file().write_text("")
    assert "does not hold a number" in current_reference().refused


def test_each_signed_set_leaves_a_copy_that_can_be_put_back(server, tmp_path) -> None:
    found = in_force().set
    archive(found, found.signed(signing_key(conf.signing_key_file())), tmp_path / "copies")
    [copy] = (tmp_path / "copies").iterdir()
    stored = json.loads(copy.read_text())
    assert stored["document"].encode() == found.document


def test_a_full_disk_stops_no_set(server, tmp_path) -> None:
    (tmp_path / "copies").write_text("no folder")
    found = in_force().set
    archive(found, found.signed(signing_key(conf.signing_key_file())), tmp_path / "copies")
