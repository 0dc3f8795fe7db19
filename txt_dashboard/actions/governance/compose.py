"""From drafts to what is proposed: where they shall hold and from when to when, and what they replace."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from txt_dashboard.actions.governance.refuse import Wanted
from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.attest.draft import Draft, contradictions
from txt_dashboard.attest.entries import (
    Entry,
    PolicyOf,
    baseline_entry,
    baseline_id,
    policy_entry,
    policy_id,
    read_entry,
)
from txt_dashboard.attest.reference import Baseline
from txt_dashboard.attest.signed_set import SignedSet, plain
from txt_dashboard.attest.text import shown

MOST_ERRORS = 20
_SHOWN = 60  # characters of a name


@dataclass(frozen=True, slots=True)
class Terms:
    """Where drafts shall hold and from when to when: `None` is as each says itself.

    `replaces` names baselines in force that end at `ends`.
    """

    pools: frozenset[str] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    replaces: frozenset[str] = frozenset()
    ends: datetime | None = None

    def of(self, draft: Draft) -> Draft:
        """The draft under these terms."""
        return replace(
            draft,
            pools=draft.pools if self.pools is None else self.pools,
            not_before=self.not_before or draft.not_before,
            not_after=self.not_after or draft.not_after,
        )


def compose(drafts: Iterable[Draft], terms: Terms, held: SignedSet) -> Wanted:
    """The entries for these drafts, and for what they replace an end. Raises `Invalid`."""
    added = entries_of(terms.of(draft) for draft in drafts)
    ended = {id_: end(id_, terms.ends, held) for id_ in sorted(terms.replaces)} if terms.ends else {}
    if twice := added.keys() & ended.keys():
        names = ", ".join(sorted(str((added[id_] or {})["name"]) for id_ in twice))
        raise Invalid({"replaces": [f"{names} can't replace itself."]})
    return {**added, **ended}


def entries_of(drafts: Iterable[Draft], policies: Iterable[PolicyOf] = ()) -> dict[str, Entry | None]:
    """The entries to propose; raises `Invalid` for drafts that can't be a baseline, whatever policies say."""
    chosen = tuple(drafts)
    wrong = [f'Baseline "{shown(each.name, _SHOWN)}": {why}' for each in chosen for why in contradictions(each)]
    if wrong:
        raise Invalid({"entries": wrong[:MOST_ERRORS]})
    baselines = [each.baseline() for each in chosen]
    wanted: dict[str, Entry | None] = {baseline_id(each): baseline_entry(each) for each in baselines}
    return {**wanted, **{policy_id(each.server, each.pool): policy_entry(each) for each in policies}}


def end(entry_id: str, at: datetime, held: SignedSet) -> Entry | None:
    """What becomes of a baseline that ends at this moment: gone, where it would not have begun by then.

    Raises `Invalid` where none of this id is in force.
    """
    entry = plain(held.entries.get(entry_id, {}))
    said = read_entry(entry_id, entry) if entry else None
    if not isinstance(said, Baseline):
        raise Invalid({"replaces": ["One of the baselines that this shall replace is not in force any more."]})
    if said.not_before and said.not_before >= at:
        return None
    return baseline_entry(replace(said, not_after=min(said.not_after or at, at)))
