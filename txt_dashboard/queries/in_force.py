"""The signed set in force: the newest one whose signature holds, and never one older than what was seen before."""

from dataclasses import dataclass

import structlog

from txt_dashboard import conf
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.attest.signed_set import EMPTY, InvalidSet, SignedSet, open_set
from txt_dashboard.attest.signing import PublicKeys, Signature
from txt_dashboard.floor import Floor, FloorError, raise_floor, read_floor
from txt_dashboard.keyring import KeyringError, public_keys
from txt_dashboard.models import SignedSet as SignedSetRow

log = structlog.get_logger()


@dataclass(frozen=True)
class InForce:
    """The set, and what it says. Where `refused` says why, nothing is in force: no host is trusted."""

    set: SignedSet
    reference: ReferenceSet
    refused: str = ""


REMEMBERED = 8
_opened: dict[tuple[int, str, str, PublicKeys], SignedSet] = {}
_told: dict[str, str] = {}  # the last refusal that was logged: pages and polls ask again and again
NOTHING_YET = InForce(EMPTY, EMPTY.reference)


def in_force() -> InForce:
    """What is in force now. One query while the set stays the same; one signature for a new one."""
    try:
        floor = read_floor(conf.floor_file())
        rows = _rows(floor.number)
        if not rows and not floor.number:
            return NOTHING_YET
        keys = public_keys(conf.public_keys_file())
    except (FloorError, KeyringError) as error:
        return _refused(Floor(), str(error))
    why = "the database holds none so new"
    for number, key_id, signature in rows:
        found = _open(number, key_id, signature, keys)
        if isinstance(found, SignedSet):
            return _accepted(found, floor)
        why = found
    return _refused(floor, f"Number {max(floor.number, 1)} or a newer one should be in force, but {why}.")


def opened(number: int) -> SignedSet:
    """One set by its number, verified; raises `InvalidSet`."""
    row = SignedSetRow.objects.filter(number=number).first()
    if row is None:
        raise InvalidSet("there is no set of this number")
    try:
        keys = public_keys(conf.public_keys_file())
    except KeyringError as error:
        raise InvalidSet(str(error)) from None
    return _verified(row.number, row.document, Signature(row.key_id, _bytes(row.signature)), keys)


def _rows(least: int) -> list[tuple[int, str, str]]:
    # Mostly one: those above what was seen are new, or not ours.
    newest = SignedSetRow.objects.filter(number__gte=max(least, 1)).order_by("-number")
    return list(newest.values_list("number", "key_id", "signature")[:50])


def _accepted(found: SignedSet, floor: Floor) -> InForce:
    if found.number == floor.number and found.digest != floor.digest:
        return _refused(floor, f"Number {found.number} is another set than the one that was seen before.")
    if found.number > floor.number:
        try:
            raise_floor(conf.floor_file(), Floor(found.number, found.digest))
        except FloorError as error:
            log.error("floor_not_raised", number=found.number, why=str(error))
    _told.clear()
    return InForce(found, found.reference)


def _refused(floor: Floor, sentence: str) -> InForce:
    if _told.get("refused") != sentence:
        log.error("signed_set_refused", why=sentence)
    _told["refused"] = sentence
    base = SignedSet(floor.number, floor.digest, EMPTY.signed_at, {})
    return InForce(base, ReferenceSet((), {}, number=floor.number, refused=sentence), sentence)


def _open(number: int, key_id: str, signature: str, keys: PublicKeys) -> SignedSet | str:
    """The set, or the clause that says why it is none. Only what holds is remembered."""
    version = (number, key_id, signature, keys)
    if (known := _opened.get(version)) is not None:
        return known
    document = SignedSetRow.objects.filter(number=number).values_list("document", flat=True).first() or ""
    try:
        found = _verified(number, document, Signature(key_id, _bytes(signature)), keys)
    except InvalidSet as error:
        return f"number {number} is refused: {error}"
    if len(_opened) >= REMEMBERED:
        _opened.clear()
    _opened[version] = found
    return found


def _verified(number: int, document: str, signature: Signature, keys: PublicKeys) -> SignedSet:
    found = open_set(document.encode(), signature, keys)
    if found.number != number:
        raise InvalidSet(f"the set says that its number is {found.number}")
    _ = found.reference
    return found


def _bytes(signature: str) -> bytes:
    try:
        return bytes.fromhex(signature)
    except ValueError:
        return b""
