"""Words for what the service says of golden values in codes."""

from django.utils.translation import gettext_lazy as _

CHANGES = {
    "gained": _("become trusted"),
    "lost": _("lose trust"),
    "gained once fresh": _("become trusted once their evidence is fresh"),
    "lost once fresh": _("are stale, and fresh evidence would not make them trusted any more"),
    "gained once vouched": _("would match, but their server calls them untrusted"),
}
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
