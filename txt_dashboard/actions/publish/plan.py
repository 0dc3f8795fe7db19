"""How a host must be registered so that its server judges it by the values that were approved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from txt_dashboard.actions.publish.lagging import Lagging
from txt_dashboard.attest.appraisal import Outcome, PartAppraisal
from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.reference import Baseline, Requirement
from txt_dashboard.servers.base import NotTaken
from txt_dashboard.servers.mle import Mle, MleKind, MleRef, Registration, mle_for

Takes = Callable[[MleKind], frozenset[int]]
Held = Mapping[MleRef, Values | None]  # what the server's MLEs hold; `None`: there is none of that name


class CannotPublish(Exception):
    """This host can't be judged by approved values at its server; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """An approved baseline, and the MLE that shall take the place of the one by which the host is judged."""

    baseline: Baseline
    mle: Mle


@dataclass(frozen=True, slots=True)
class Plan:
    """How one host is to be registered, and what must be at the server before."""

    wanted: Registration
    changes: tuple[Change, ...]


def plan(current: Registration | None, lagging: Lagging, held: Held, takes: Takes) -> Plan:
    """The plan for a host whose parts all match approved baselines, and of which the server says untrusted.

    Only what the host does not show is replaced: an MLE that it does show is no reason for the server's no. Raises
    `CannotPublish` where nothing is to be replaced, so that the server's no has another reason, or where it can't be.
    """
    if current is None:
        raise CannotPublish("the server does not list this host among its registered ones")
    shown = lagging.judged.evidence.registers.get(Bank.SHA1, {})
    needs = {need.part: need for need in lagging.rules.policy.requirements}
    changes = []
    for part in lagging.judged.result.parts:
        like = current.mle(MleKind.of(part.part))
        if like is None:
            raise CannotPublish(f"the server judges this host by no {MleKind.of(part.part)} whitelist")
        if not shows(shown, held.get(like)):
            changes.append(_change(part, needs[part.part], like, takes))
    if not changes:
        raise CannotPublish("the server judges it by the values that it shows, and says untrusted for another reason")
    new = {each.mle.ref.kind: each.mle.ref for each in changes}
    wanted = replace(
        current,
        bios=new.get(MleKind.BIOS, current.bios),
        vmm=new.get(MleKind.VMM, current.vmm),
    )
    return Plan(wanted, tuple(changes))


def shows(shown: Values, expected: Values | None) -> bool:
    """Whether these registers hold all that an MLE names; one that names none is no MLE to rely on."""
    return bool(expected) and all(shown.get(index) == value for index, value in (expected or {}).items())


def _change(part: PartAppraisal, need: Requirement, like: MleRef, takes: Takes) -> Change:
    baseline = part.baseline
    if part.outcome is not Outcome.MATCHES or baseline is None:
        raise CannotPublish("what it shows matches no approved baseline")
    taken = takes(like.kind)
    if lacking := sorted(need.registers - taken):
        # A server of this kind shows only what its whitelists name, so evidence would lack these from then on.
        listed = ", ".join(map(str, lacking))
        raise CannotPublish(f"the policy requires register {listed}, which this kind of server takes in no whitelist")
    try:
        mle = mle_for(baseline.id, baseline.name, baseline.bank, baseline.values, like, taken)
    except NotTaken as refused:
        raise CannotPublish(str(refused)) from None
    return Change(baseline, mle)
