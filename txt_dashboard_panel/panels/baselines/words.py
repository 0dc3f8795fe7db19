"""Words for what the service says of golden values in codes."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

CHANGES = ("gained", "lost", "gained once fresh", "lost once fresh", "gained once vouched")
STATES = {
    "open": _("open"),
    "in force": _("in force"),
    "rejected": _("rejected"),
    "withdrawn": _("withdrawn"),
}
VERBS = {
    "approve": _("approved"),
    "emergency approve": _("approved in an emergency"),
    "reject": _("rejected"),
    "withdraw": _("withdrew"),
}
KINDS = {
    "baseline": _("Baseline"),
    "policy": _("Policy"),
    "server": _("Server"),
    "attestation key": _("TPM key"),
}
ACTS = {
    "add": _("+ new"),
    "change": _("± changes"),
    "remove": _("− goes"),
}
TABLES = {"state": STATES, "verb": VERBS, "kind": KINDS, "act": ACTS}


def says(change: str, hosts: int) -> str:
    """What happens to so many hosts."""
    sentences = {
        "gained": ngettext("host becomes trusted", "hosts become trusted", hosts),
        "lost": ngettext("host loses trust", "hosts lose trust", hosts),
        "gained once fresh": ngettext(
            "host becomes trusted once its evidence is fresh",
            "hosts become trusted once their evidence is fresh",
            hosts,
        ),
        "lost once fresh": ngettext(
            "host is stale, and fresh evidence would not make it trusted any more",
            "hosts are stale, and fresh evidence would not make them trusted any more",
            hosts,
        ),
        "gained once vouched": ngettext(
            "host would match, but its server calls it untrusted",
            "hosts would match, but their server calls them untrusted",
            hosts,
        ),
    }
    return sentences[change]
