"""What somebody would like to make a baseline: still unchecked, and all that speaks against it in sentences.

A `Baseline` can't hold what contradicts itself; a draft can, so that a person sees every reason at once.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from txt_dashboard.attest.entries import MOST_POOLS
from txt_dashboard.attest.eventlog.varying import EventBaseline
from txt_dashboard.attest.pcr import NEVER_REFERENCE, REGISTER_COUNT, Bank, Values, is_blank
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement
from txt_dashboard.attest.text import shown

LONGEST_NAME = 100  # characters
LONGEST_POOL = 63

Policies = Mapping[tuple[str, str], Policy]  # as in `ReferenceSet`: by server and pool


@dataclass(frozen=True)
class Draft:
    """A baseline to be: golden values of one part, for some pools or all (none named), from when to when."""

    name: str
    part: Part
    bank: Bank
    values: Values
    pools: frozenset[str] = frozenset()
    not_before: datetime | None = None
    not_after: datetime | None = None
    events: Mapping[int, EventBaseline] = field(default_factory=dict)

    def baseline(self) -> Baseline:
        """As the rules take it; raises `InvalidReference` where it contradicts itself."""
        said = (self.name, self.part, self.bank, self.values, self.pools, self.not_before, self.not_after)
        return Baseline(*said, events=self.events)

    @classmethod
    def of(cls, baseline: Baseline) -> "Draft":
        """What a baseline says, to be changed."""
        said = (baseline.name, baseline.part, baseline.bank, baseline.values)
        return cls(*said, baseline.pools, baseline.not_before, baseline.not_after, baseline.events)


def in_scope(policies: Policies, pools: Collection[str] = ()) -> tuple[Requirement, ...]:
    """What policies require of hosts in these pools (none named: in all of them), each once."""
    chosen = [
        policy
        for (server, pool), policy in sorted(policies.items())
        if not pools or pool in pools or (not pool and any((server, each) not in policies for each in pools))
    ]
    return tuple(dict.fromkeys(need for policy in chosen for need in policy.requirements))


def required_only(draft: Draft, policies: Policies) -> Draft:
    """The draft without the registers that nothing in its scope requires of its part: what tools print is all.

    Where nothing at all would be left, the others stay, so that the refusal says what is wrong.
    """
    belonging = _of_part(draft, policies) & draft.values.keys()
    kept = belonging or draft.values.keys() - NEVER_REFERENCE
    values = {at: value for at, value in sorted(draft.values.items()) if at in kept}
    return replace(draft, values=values, events={at: of for at, of in draft.events.items() if at in kept})


def refusals(draft: Draft, policies: Policies) -> tuple[str, ...]:
    """Why this can't be proposed, a sentence for each reason; nothing where it can.

    The policies in the draft's scope say which registers belong to its part, and that these must hold something.
    """
    return (*contradictions(draft), *_against_policies(draft, _of_part(draft, policies)))


def only_takes_away(before: Baseline, after: Baseline) -> bool:
    """Whether the second lets no host be trusted that the first does not: the same values, no pool and no time more.

    What is in force may always be ended, also where it could not be proposed any more.
    """
    return (
        (before.part, before.bank, before.values) == (after.part, after.bank, after.values)
        and after.events in ({}, before.events)
        and (not before.pools or bool(after.pools and after.pools <= before.pools))
        and (before.not_before is None or bool(after.not_before and after.not_before >= before.not_before))
        and (before.not_after is None or bool(after.not_after and after.not_after <= before.not_after))
    )


def contradictions(draft: Draft) -> tuple[str, ...]:
    """Why this can't be a baseline whatever policies say, a sentence for each reason; nothing where it can."""
    return (*_of_words(draft), *_of_values(draft))


def warnings(draft: Draft, policies: Policies, pools: Collection[str]) -> tuple[str, ...]:
    """What a person should see before proposing, although it may be meant. `pools` are those that hosts are in."""
    unknown = sorted(draft.pools - set(pools))
    said = [f"No host is in pool {shown(pool, LONGEST_POOL)}." for pool in unknown[:20]]
    if len(unknown) > 20:
        said.append(f"Nor is any in {len(unknown) - 20} more of its pools.")
    missing = [need.registers - draft.values.keys() for need in _needs(draft, policies)]
    if missing and all(missing):
        least = min(missing, key=lambda each: (len(each), sorted(each)))
        listed = ", ".join(str(index) for index in sorted(least))
        said.append(f"No host can match this alone: its policy requires registers {listed} too.")
    return tuple(said)


def _needs(draft: Draft, policies: Policies) -> tuple[Requirement, ...]:
    """What is required of the draft's part in its bank."""
    required = in_scope(policies, draft.pools)
    return tuple(need for need in required if need.part is draft.part and need.bank is draft.bank)


def _of_part(draft: Draft, policies: Policies) -> frozenset[int]:
    """The registers that belong to the draft's part, in its bank."""
    return frozenset(index for need in _needs(draft, policies) for index in need.registers)


def _of_words(draft: Draft) -> Iterator[str]:
    if not draft.name.isprintable() or not 1 <= len(draft.name) <= LONGEST_NAME:
        yield f"A name has 1 to {LONGEST_NAME} printable characters."
    if len(draft.pools) > MOST_POOLS:
        yield f"A baseline names at most {MOST_POOLS} pools."
    if any(not pool.isprintable() or len(pool) > LONGEST_POOL for pool in draft.pools):
        yield f"A pool's name has at most {LONGEST_POOL} printable characters."
    moments = [moment for moment in (draft.not_before, draft.not_after) if moment is not None]
    if any(moment.tzinfo is None for moment in moments):
        yield "Dates need a time zone."
    elif len(moments) == 2 and moments[0] >= moments[1]:
        yield "It ends before it begins."


def _of_values(draft: Draft) -> Iterator[str]:
    if not draft.values:
        yield "It names no register."
    for index, value in sorted(draft.values.items()):
        if not 0 <= index < REGISTER_COUNT:
            yield f"Register {index} does not exist: a TPM has 0 to {REGISTER_COUNT - 1}."
        elif index in NEVER_REFERENCE:
            yield f"Register {index} is never a reference value: software may change it."
        if len(value) != draft.bank.size:
            yield f"Register {index}: a {draft.bank} value has {draft.bank.size} bytes, this one has {len(value)}."
    for index, of in sorted(draft.events.items()):
        if of.bank is not draft.bank or of.value != draft.values.get(index):
            yield f"The events of register {index} don't lead to its golden value."


def _against_policies(draft: Draft, belonging: frozenset[int]) -> Iterator[str]:
    if not belonging:
        yield f"No policy in its scope requires {draft.bank} registers of the {draft.part} part."
        return
    for index, value in sorted(draft.values.items()):
        if index not in belonging:
            if index in range(REGISTER_COUNT) and index not in NEVER_REFERENCE:
                yield f"Register {index} is outside the {draft.part} part: no policy in its scope requires it."
        elif is_blank(value):
            digits = "ff" if any(value) else "00"
            yield f"Register {index} is all {digits}: nothing was measured into it, and a policy requires it."
