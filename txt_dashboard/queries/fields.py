"""What entries of the signed set say, field by field, in the person's language."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext, ngettext

from txt_dashboard.attest.bound_key import BoundKey, KeySource
from txt_dashboard.attest.entries import PolicyOf
from txt_dashboard.attest.event_entries import LIMITS, varying
from txt_dashboard.attest.reference import Baseline, Endpoint, Part, Policy
from txt_dashboard.queries.differences import Act, Difference, Said
from txt_dashboard.servers import KINDS

Shown = str | datetime | None
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field, before and after. `heed` says what to look at twice, where there is something."""

    name: str
    before: Shown
    after: Shown
    heed: str = ""

    @property
    def changed(self) -> bool:
        """Whether it is not the same."""
        return self.before != self.after


def fields(difference: Difference) -> tuple[Field, ...]:
    """All fields of the entry; a baseline's registers are shown by themselves. Removed, it is not compared."""
    before = _values(difference.before) if difference.act is not Act.ADD else {}
    after = _values(difference.after)
    names = list(after or before)
    heeded = _heed(difference)
    return tuple(Field(name, before.get(name), after.get(name), heeded.get(name, "")) for name in names)


def part_name(part: Part) -> str:
    """The part as a word."""
    return {Part.PLATFORM: gettext("Platform"), Part.VMM: gettext("VMM")}[part]


def span(length: timedelta) -> str:
    """A length of time in the largest unit that leaves nothing over."""
    seconds = int(length.total_seconds())
    if seconds % 3600 == 0:
        return ngettext("%(n)d hour", "%(n)d hours", seconds // 3600) % {"n": seconds // 3600}
    if seconds % 60 == 0:
        return ngettext("%(n)d minute", "%(n)d minutes", seconds // 60) % {"n": seconds // 60}
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}


def required(policy: Policy, part: Part) -> str:
    """The registers that a policy requires of a part."""
    need = next((each for each in policy.requirements if each.part is part), None)
    if need is None:
        return gettext("nothing required")
    return f"{need.bank.upper()}: {', '.join(str(index) for index in need.indexes)}"


def _values(said: Said | None) -> dict[str, Shown]:
    if isinstance(said, Baseline):
        return {
            gettext("Name"): said.name,
            gettext("Part"): part_name(said.part),
            gettext("Bank"): said.bank.upper(),
            gettext("Pools"): ", ".join(sorted(said.pools)) or gettext("all"),
            gettext("From"): said.not_before or gettext("at once"),
            gettext("Until"): said.not_after or gettext("no end"),
            **_of_events(said),
        }
    if isinstance(said, PolicyOf):
        return _of_policy(said)
    if isinstance(said, Endpoint):
        kind = KINDS.get(said.kind)
        return {
            gettext("Its word"): gettext("counts") if said.counts else gettext("only observed"),
            gettext("Kind"): kind.label if kind else said.kind,
            gettext("Address"): said.url,
            gettext("Authorities"): _authorities(said.ca_pem),
        }
    if isinstance(said, BoundKey):
        return _of_key(said)
    return {}


def _of_events(said: Baseline) -> dict[str, Shown]:
    """What each register may vary by, as a sentence."""
    found: dict[str, Shown] = {}
    for register, of in sorted(said.events.items()):
        name = gettext("Register %(number)d by its events") % {"number": register}
        counted = ngettext("%(n)d event", "%(n)d events", len(of.events)) % {"n": len(of.events)}
        may = [
            gettext("event %(number)d, %(limits)s")
            % {"number": position, "limits": gettext(LIMITS[structure]) % {"golden": golden}}
            for position, structure, golden in varying(of)
        ]
        words = {"events": counted, "may": "; ".join(may)}
        found[name] = gettext("exactly %(events)s in this order, of which may vary: %(may)s") % words
    return found


def _of_key(said: BoundKey) -> dict[str, Shown]:
    words = {
        KeySource.LIST: gettext("a list that somebody brought along"),
        KeySource.SERVER: gettext("the attestation server's word"),
    }
    return {
        gettext("Server"): said.server,
        gettext("Host"): said.host,
        gettext("Key, SHA-256"): said.fingerprint,
        gettext("Its name in the TPM"): _tpm_name(said),
        gettext("TPM"): "1.2" if said.tpm12 else "2.0",
        gettext("That it is this host's says"): words[said.source],
    }


def _tpm_name(said: BoundKey) -> str:
    """nameAlg and hash of the public area, as tools of the TPM print it."""
    name = said.key.name if said.key else None
    return name.hex() if name else gettext("not known: the key came without the TPM's description")


def _of_policy(said: PolicyOf) -> dict[str, Shown]:
    policy = said.policy
    return {
        gettext("Server"): said.server,
        gettext("Pool"): said.pool or gettext("all without a policy of their own"),
        **{part_name(part): required(policy, part) for part in Part},
        gettext("Evidence valid for"): span(policy.validity),
        gettext("Server's word is enough"): gettext("yes") if policy.word_is_enough else gettext("no"),
        gettext("A quote is needed"): gettext("yes") if policy.must_quote else gettext("no"),
    }


def _authorities(pem: str) -> str:
    if not pem:
        return gettext("those of the system")
    digest = hashlib.sha256(pem.encode()).hexdigest()
    count = pem.count("BEGIN CERTIFICATE")
    counted = ngettext("%(n)d certificate", "%(n)d certificates", count) % {"n": count}
    return f"{counted}, SHA-256 {digest}"


def _heed(difference: Difference) -> dict[str, str]:
    """What can make hosts trusted by less than before, or leads elsewhere."""
    before, after = difference.before, difference.after
    found: dict[str, str] = {}
    if isinstance(after, PolicyOf):
        was = before.policy if isinstance(before, PolicyOf) else None
        if after.policy.word_is_enough and not (was and was.word_is_enough):
            found[gettext("Server's word is enough")] = gettext(
                "Hosts may then be trusted on the server's word alone, without any golden value."
            )
        if was:
            found.update(_dropped(was, after.policy))
        if was and was.must_quote and not after.policy.must_quote:
            found[gettext("A quote is needed")] = gettext("The server's word vouches for registers from then on.")
    if isinstance(after, Baseline):
        found.update(_let_vary(before, after))
    if isinstance(after, BoundKey):
        found.update(_of_identity(before, after, difference.sharing))
    if isinstance(after, Endpoint):
        if not after.url.lower().startswith("https:"):
            found[gettext("Address")] = gettext("Without TLS: anybody on the way can change what it says.")
        if isinstance(before, Endpoint) and after.url != before.url:
            found.setdefault(gettext("Address"), gettext("Whoever runs this address is believed from then on."))
    return found


def _let_vary(before: Said | None, after: Baseline) -> dict[str, str]:
    held = before.events if isinstance(before, Baseline) else {}
    words = gettext("More than one value of this register is good then: read what may differ.")
    return {gettext("Register %(number)d by its events") % {"number": at}: words for at in after.events.keys() - held}


def _of_identity(before: Said | None, after: BoundKey, sharing: tuple[str, ...]) -> dict[str, str]:
    said = []
    if isinstance(before, BoundKey) and after.fingerprint != before.fingerprint:
        said.append(gettext("Another TPM, or the same one cleared: find out which before you agree."))
    if sharing:
        hosts = ", ".join(sharing[:_MOST_NAMES]) + ("…" if len(sharing) > _MOST_NAMES else "")
        words = gettext("This is the key of %(hosts)s too: a quote by it would prove nothing of any of them.")
        said.append(words % {"hosts": hosts})
    found = {gettext("Key, SHA-256"): " ".join(said)} if said else {}
    if after.tpm12 and not (isinstance(before, BoundKey) and before.tpm12):
        words = gettext("A TPM 1.2 signs with SHA-1, which is weak. Make sure that this key is in no TPM 2.0.")
        found[gettext("TPM")] = words
    return found


def _dropped(was: Policy, policy: Policy) -> dict[str, str]:
    found = {}
    for part in Part:
        needed = {index for each in was.requirements if each.part is part for index in each.registers}
        needs = {index for each in policy.requirements if each.part is part for index in each.registers}
        if gone := sorted(needed - needs):
            listed = ", ".join(str(index) for index in gone)
            found[part_name(part)] = gettext("Required no more: %(registers)s") % {"registers": listed}
    return found
