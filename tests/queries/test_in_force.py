"""What is in force is read often and verified once."""

import pytest

from tests.factories import BASELINES
from tests.rows import make_server, put_set, write_reference
from txt_dashboard import conf
from txt_dashboard.attest.signing import PublicKeys
from txt_dashboard.queries import in_force as module
from txt_dashboard.queries.in_force import NOTHING_YET, in_force

pytestmark = pytest.mark.django_db


@pytest.fixture
def verified(monkeypatch) -> list[str]:
    """The keys of the signatures that are verified."""
    calls: list[str] = []
    verify = PublicKeys.verify

    def counted(self, purpose, message, signature) -> None:
        calls.append(signature.key_id)
        verify(self, purpose, message, signature)

    monkeypatch.setattr(PublicKeys, "verify", counted)
    monkeypatch.setattr(module, "_opened", {})
    return calls


def test_before_the_first_set_nothing_is_in_force_and_nothing_is_wrong() -> None:
    assert in_force() is NOTHING_YET
    assert in_force().refused == ""


def test_a_set_costs_one_signature_however_often_it_is_asked_for(verified, django_assert_num_queries) -> None:
    write_reference(make_server(), BASELINES)
    in_force()
    verified.clear()
    with django_assert_num_queries(1):
        assert in_force().reference.baselines
    assert verified == []
    put_set({"server:oat-1": None})
    for _ in range(5):
        in_force()
    assert len(verified) == 1


def test_the_same_set_under_other_public_keys_is_verified_again(verified) -> None:
    write_reference(make_server(), BASELINES)
    in_force()
    verified.clear()
    path = conf.public_keys_file()
    path.write_text(path.read_text() + "# touched\n")
    in_force()
    assert len(verified) == 1


def test_the_floor_follows_the_newest_set() -> None:
    write_reference(make_server(), BASELINES)
    found = in_force().set
    assert conf.floor_file().read_text().split() == [str(found.number), found.digest]
