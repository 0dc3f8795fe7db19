"""Words and shapes for what the service says in codes. A code that is not known is shown as it is."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

STATES = {"trusted": _("Trusted"), "untrusted": _("Untrusted"), "stale": _("Stale"), "unknown": _("Unknown")}
PARTS = {"platform": _("Platform"), "vmm": _("VMM")}
OUTCOMES = {
    "matches": _("matches"),
    "differs": _("differs"),
    "undetermined": _("can't be compared"),
}
VERDICTS = {
    "trusted": _("says trusted"),
    "untrusted": _("says untrusted"),
    "unknown": _("gives no verdict"),
}
FRESHNESS = {
    "fresh": pgettext_lazy("evidence", "fresh"),
    "stale": pgettext_lazy("evidence", "stale"),
    "unreachable": pgettext_lazy("evidence", "unreachable"),
    "never": pgettext_lazy("evidence", "never received"),
}
LAUNCHES = {
    "launched": _("a measured launch happened"),
    "not launched": _("no measured launch happened"),
    "unknown": _("whether a measured launch happened is not known"),
}
HEALTH = {
    "answering": _("answers"),
    "failing": _("fails"),
    "paused": _("fails, and is left alone for a while"),
    "never asked": _("not asked yet"),
    "disabled": _("switched off"),
}
STANDINGS = {
    "explained": _("leads to"),
    "contradicted": _("leads to other values of"),
    "unexplained": _("says nothing of"),
}
HOWS = {
    "removed": _("− removed"),
    "added": _("+ added"),
    "changed": _("≠ changed"),
    "moved": _("↕ moved"),
}
TABLES = {
    "part": PARTS,
    "outcome": OUTCOMES,
    "verdict": VERDICTS,
    "freshness": FRESHNESS,
    "launch": LAUNCHES,
    "health": HEALTH,
    "standing": STANDINGS,
    "how": HOWS,
}
