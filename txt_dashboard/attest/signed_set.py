"""The numbered, signed set of all that can make a host trusted, and the patches that change it.

A patch names, for each entry that it touches, the hash of what was there and what shall be there instead. Its
content hash covers nothing else, so two proposals that touch different entries don't disturb each other.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from txt_dashboard.attest.entries import Entry, PolicyOf, read_entry
from txt_dashboard.attest.reference import Baseline, Endpoint, InvalidReference, Policy, ReferenceSet
from txt_dashboard.attest.signing import PublicKeys, Purpose, Signature, SigningError, SigningKey

FORMAT = "txt-dashboard signed set 1"
LARGEST = 64 * 1024 * 1024  # bytes
MOST_ENTRIES = 20_000
EMERGENCY = "emergency"  # beside an entry: {"until": moment, "before": entry or null}
REMOVED: Entry = {"removed": True}  # an entry that an emergency removed, until the emergency ends


class InvalidSet(ValueError):
    """A document is no signed set of ours; the sentence says why."""


class Outdated(ValueError):
    """An entry that a patch touches is not any more what the patch began from."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a patch does to one entry: `before` is the hash of what it replaces, `None` where nothing was there."""

    before: str | None
    after: Entry | None


@dataclass(frozen=True)
class Patch:
    """Changes, by the id of the entry that they touch.

    One that `restores` begins from nothing: it is for a set that was lost or can't be verified any more.
    """

    changes: Mapping[str, Change]
    restores: bool = False

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of all that the patch says, in hex. What people approve is this hash."""
        return hashlib.sha256(b"txt-dashboard patch 1\n" + canonical(self.stored())).hexdigest()

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        changes = {id_: {"before": each.before, "after": each.after} for id_, each in sorted(self.changes.items())}
        return {"changes": changes, "restores": self.restores}

    @classmethod
    def read(cls, stored: object) -> "Patch":
        """From JSON, as strictly as it was written; raises `InvalidSet`."""
        if not isinstance(stored, Mapping) or set(stored) != {"changes", "restores"}:
            raise InvalidSet("a patch has exactly the keys changes and restores")
        touched, restores = stored["changes"], stored["restores"]
        if not isinstance(touched, Mapping) or not 1 <= len(touched) <= MOST_ENTRIES or type(restores) is not bool:
            raise InvalidSet("a patch touches at least one entry")
        changes = {}
        for id_, change in touched.items():
            if not isinstance(change, Mapping) or set(change) != {"before", "after"}:
                raise InvalidSet("a change has exactly the keys before and after")
            before, after = change["before"], change["after"]
            if not isinstance(before, str | None) or not isinstance(after, Mapping | None):
                raise InvalidSet("a change goes from a hash or null to an entry or null")
            changes[id_] = Change(before, after)
        return cls(changes, restores)


@dataclass(frozen=True)
class SignedSet:
    """All entries in force under one number. `previous` is the digest of the set before it."""

    number: int
    previous: str
    signed_at: datetime
    entries: Mapping[str, Entry]

    @cached_property
    def document(self) -> bytes:
        """The bytes that are signed."""
        return canonical(
            {
                "format": FORMAT,
                "number": self.number,
                "previous": self.previous,
                "signed_at": self.signed_at.astimezone(UTC).isoformat(),
                "entries": self.entries,
            }
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document, in hex."""
        return hashlib.sha256(self.document).hexdigest()

    @cached_property
    def reference(self) -> ReferenceSet:
        """The entries as the rules' own types; raises `InvalidSet` where one can't be read."""
        baselines: list[Baseline] = []
        policies: dict[tuple[str, str], Policy] = {}
        servers: dict[str, Endpoint] = {}
        for id_, entry in self.entries.items():
            try:
                for read in _in_time(id_, entry):
                    match read:
                        case Baseline():
                            baselines.append(read)
                        case PolicyOf():
                            policies[read.server, read.pool] = read.policy
                        case Endpoint():
                            servers[read.name] = read
            except InvalidReference as error:
                raise InvalidSet(f"entry {id_[:80]} can't be read: {error}") from None
        ordered = tuple(sorted(baselines, key=lambda each: each.key))
        return ReferenceSet(ordered, policies, servers, number=self.number)

    @cached_property
    def emergencies(self) -> Mapping[str, datetime]:
        """Until when entries hold by an emergency, by id; raises `InvalidReference` where one can't be read."""
        found = {id_: emergency_of(entry) for id_, entry in self.entries.items()}
        return {id_: each[0] for id_, each in found.items() if each is not None}

    def patch(self, wanted: Mapping[str, Entry | None]) -> Patch:
        """The patch that makes these entries of what is there now; `None` removes one, unchanged ones stay out."""
        changes = {}
        for id_, after in wanted.items():
            before = self.entries.get(id_)
            if after != before:
                changes[id_] = Change(entry_hash(before), after)
        return Patch(changes)

    def patched(self, patch: Patch, *, emergency_until: datetime | None = None) -> Mapping[str, Entry]:
        """The entries after the patch; raises `Outdated`.

        With `emergency_until` each change undoes itself at that moment; raises `InvalidSet` for an entry that
        holds by an emergency already.
        """
        entries = dict(self.entries)
        for id_, change in patch.changes.items():
            before = entries.pop(id_, None)
            if entry_hash(before) != change.before:
                raise Outdated(f"{id_} has changed since this was proposed")
            after = change.after
            if emergency_until is not None:
                if before is not None and EMERGENCY in before:
                    raise InvalidSet(f"{id_} holds by an emergency already: change it in the ordinary way")
                until = emergency_until.astimezone(UTC).isoformat()
                after = {**(after or REMOVED), EMERGENCY: {"until": until, "before": before}}
            if after is not None:
                entries[id_] = after
        return dict(sorted(entries.items()))

    def after(self, patch: Patch, now: datetime, *, emergency_until: datetime | None = None) -> "SignedSet":
        """The set that follows this one by the patch; raises `Outdated`, `InvalidSet`."""
        entries = self.patched(patch, emergency_until=emergency_until)
        if len(entries) > MOST_ENTRIES:
            raise InvalidSet(f"a set holds at most {MOST_ENTRIES} entries")
        following = SignedSet(self.number + 1, self.digest, now, entries)
        _ = following.reference  # what can't be read must never be signed
        return following

    def signed(self, key: SigningKey) -> Signature:
        """The worker's signature."""
        return key.sign(Purpose.SIGNED_SET, self.document)


EMPTY = SignedSet(0, "", datetime(2000, 1, 1, tzinfo=UTC), {})


def open_set(document: bytes, signature: Signature, keys: PublicKeys) -> SignedSet:
    """The set in a document whose signature is verified; raises `InvalidSet`. One signature, whatever its size."""
    try:
        keys.verify(Purpose.SIGNED_SET, document, signature)
    except SigningError as error:
        raise InvalidSet(f"{error}") from None
    return read_document(document)


def read_document(document: bytes) -> SignedSet:
    """What a document says, whoever signed it: nothing to rely on. Raises `InvalidSet`."""
    if len(document) > LARGEST:
        raise InvalidSet("the document is too large")
    try:
        read = json.loads(document)
        number, previous, entries = read["number"], read["previous"], read["entries"]
        signed_at = datetime.fromisoformat(read["signed_at"])
        right = read["format"] == FORMAT and type(number) is int and isinstance(entries, dict)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InvalidSet("the document can't be read") from None
    if not right or number < 1 or signed_at.tzinfo is None or len(entries) > MOST_ENTRIES:
        raise InvalidSet("the document is no signed set")
    found = SignedSet(number, str(previous), signed_at, entries)
    if found.document != document:
        raise InvalidSet("the document is not in its canonical form")
    return found


def canonical(value: object) -> bytes:
    """JSON in the one form that is hashed and signed: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def entry_hash(entry: Entry | None) -> str | None:
    """SHA-256 of an entry, in hex; `None` for one that is not there."""
    return None if entry is None else hashlib.sha256(canonical(entry)).hexdigest()


def plain(entry: Entry) -> Entry | None:
    """An entry without the emergency beside it; `None` for one that an emergency removed."""
    bare = {key: value for key, value in entry.items() if key != EMERGENCY}
    return None if bare == REMOVED else bare


def emergency_of(entry: Entry) -> tuple[datetime, Entry | None] | None:
    """Until when an entry holds by an emergency, and what it becomes then; raises `InvalidReference`."""
    beside = entry.get(EMERGENCY)
    if beside is None:
        return None
    try:
        until = datetime.fromisoformat(beside["until"])
        before = beside["before"]
    except (TypeError, KeyError, ValueError):
        raise InvalidReference("its emergency can't be read") from None
    if until.tzinfo is None or not isinstance(before, Mapping | None):
        raise InvalidReference("its emergency can't be read")
    return until, before


def _in_time(id_: str, entry: Entry) -> Iterator[Baseline | PolicyOf | Endpoint]:
    """What an entry says: by an emergency, one thing until it ends and another from then on."""
    if not isinstance(entry, Mapping):
        raise InvalidReference("it is no object")
    emergency = emergency_of(entry)
    if emergency is None:
        yield read_entry(id_, entry)
        return
    until, before = emergency
    now = plain(entry)
    for said, not_before, not_after in ((now, None, until), (before, until, None)):
        for read in _in_time(id_, said) if said is not None else ():
            if not isinstance(read, Baseline):
                raise InvalidReference("only baselines can be changed by an emergency")
            if clipped := _clipped(read, not_before, not_after):
                yield clipped


def _clipped(baseline: Baseline, not_before: datetime | None, not_after: datetime | None) -> Baseline | None:
    """The baseline within these dates too; `None` where nothing is left of it."""
    begin = max((each for each in (baseline.not_before, not_before) if each), default=None)
    end = min((each for each in (baseline.not_after, not_after) if each), default=None)
    if begin and end and begin >= end:
        return None
    return replace(baseline, not_before=begin, not_after=end)
