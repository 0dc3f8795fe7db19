"""The key that signs the set: made, rotated, declared compromised. Only on the worker's machine."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from txt_dashboard import audit, conf
from txt_dashboard.actions.governance.restore import store
from txt_dashboard.actions.permissions import Actor, Conflict, Verb, require
from txt_dashboard.attest.signing import PublicKeys, SigningKey
from txt_dashboard.keyring import public_keys, signing_key, write_public_keys, write_signing_key
from txt_dashboard.queries.in_force import in_force


def create() -> bool:
    """A first key and its public half; False where there is a key already."""
    if conf.signing_key_file().exists():
        return False
    path = conf.public_keys_file()
    known = public_keys(path) if path.exists() else PublicKeys({})
    key = SigningKey.generate()
    write_signing_key(conf.signing_key_file(), key)
    write_public_keys(path, known.with_key(key.public))
    return True


def rotate(actor: Actor, *, now: datetime) -> str:
    """A new key, which signs the set in force anew under the next number; returns its id.

    Raises `NotAllowed`, `KeyringError`, and `Conflict` where the set in force is refused.
    """
    require(actor, Verb.RESTORE_SET)
    base = in_force()
    if base.refused:
        raise Conflict(f"What is refused can't be signed anew. {base.refused}")
    old = signing_key(conf.signing_key_file())
    known = public_keys(conf.public_keys_file())
    key = SigningKey.generate()
    # First the public half: a set must never be signed by a key that nobody knows.
    write_public_keys(conf.public_keys_file(), known.with_key(key.public))
    write_signing_key(conf.signing_key_file(), key)
    with transaction.atomic():
        if base.set.number:
            following = replace(base.set, number=base.set.number + 1, previous=base.set.digest, signed_at=now)
            store(following, following.signed(key), None)
        detail = {"old": old.key_id, "new": key.key_id}
        audit.record(at=now, actor=actor.name, verb="rotate signing key", target=key.key_id, detail=detail)
    return key.key_id


def declare_compromised(actor: Actor, *, now: datetime) -> str:
    """All keys up to now are void, so nothing is in force; returns the id of a new key. Raises `NotAllowed`."""
    require(actor, Verb.RESTORE_SET)
    void = public_keys(conf.public_keys_file()).with_all_void()
    key = SigningKey.generate()
    write_public_keys(conf.public_keys_file(), void.with_key(key.public))
    write_signing_key(conf.signing_key_file(), key)
    with transaction.atomic():
        detail = {"void": sorted(void.keys), "new": key.key_id}
        audit.record(at=now, actor=actor.name, verb="declare key compromised", target=key.key_id, detail=detail)
    return key.key_id
