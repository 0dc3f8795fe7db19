"""What can't be proposed, in sentences: the same for every way of proposing."""

from collections.abc import Iterator, Mapping

from txt_dashboard.attest.draft import Draft, Policies, only_takes_away, refusals
from txt_dashboard.attest.entries import Entry, PolicyOf, policy_id, read_entry
from txt_dashboard.attest.reference import Baseline, Endpoint, InvalidReference
from txt_dashboard.attest.signed_set import SignedSet, plain
from txt_dashboard.attest.text import shown
from txt_dashboard.models import Server
from txt_dashboard.servers import KINDS

Wanted = Mapping[str, Entry | None]  # by the entry's id; None removes it
Said = Baseline | PolicyOf | Endpoint

_SHOWN = 100  # characters of a name


def errors(wanted: Wanted, held: SignedSet) -> list[str]:
    """A sentence for each reason why these entries can't follow what is held. One query.

    Baselines are judged by the policies that would be in force with them.
    """
    said: dict[str, Said] = {}
    found = []
    for id_, entry in wanted.items():
        if entry is None:
            if id_ not in held.entries:
                found.append(f"{shown(id_, _SHOWN)} is not in force, so it can't be removed.")
            continue
        try:
            said[id_] = read_entry(id_, entry)
        except InvalidReference as error:
            found.append(f"{_named(id_, entry)}: {error}.")
    policies = _policies(wanted, said, held)
    servers = frozenset(Server.objects.values_list("name", flat=True))
    for id_, each in said.items():
        match each:
            case Baseline():
                found += _of_baseline(each, held, policies)
            case PolicyOf() if each.server not in servers:
                found.append(f"{shown(id_, _SHOWN)}: there is no attestation server of this name.")
            case Endpoint() if each.name not in servers or each.kind not in KINDS:
                found.append(f"{shown(id_, _SHOWN)}: there is no attestation server of this name and kind.")
    return found


def _policies(wanted: Wanted, said: Mapping[str, Said], held: SignedSet) -> Policies:
    """The policies that would be in force."""
    policies = {scope: policy for scope, policy in held.reference.policies.items() if policy_id(*scope) not in wanted}
    asked = {(each.server, each.pool): each.policy for each in said.values() if isinstance(each, PolicyOf)}
    return {**policies, **asked}


def _of_baseline(baseline: Baseline, held: SignedSet, policies: Policies) -> Iterator[str]:
    entry = held.entries.get(baseline.id)
    before = read_entry(baseline.id, bare) if entry is not None and (bare := plain(entry)) is not None else None
    if isinstance(before, Baseline) and only_takes_away(before, baseline):
        return
    for sentence in refusals(Draft.of(baseline), policies):
        yield f"{shown(baseline.name, _SHOWN)}: {sentence}"


def _named(id_: str, entry: Entry) -> str:
    name = entry.get("name")
    return shown(name if isinstance(name, str) and name else id_, _SHOWN)
