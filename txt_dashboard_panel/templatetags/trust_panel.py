"""How states, moments and digests are shown: by shape and word as well as by colour."""

from datetime import datetime
from itertools import zip_longest
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from txt_dashboard_panel.labels import STATES, TABLES

register = template.Library()

# Drawn here: of icon fonts each theme has its own, with other signs in it.
_SHIELD = '<path d="M8 1.5 2.5 3.6v4.1c0 3.3 2.3 5.7 5.5 6.8 3.2-1.1 5.5-3.5 5.5-6.8V3.6z"/>'
_SHAPES = {
    "trusted": _SHIELD + '<path d="m5.4 7.9 1.9 1.9 3.4-3.7"/>',
    "untrusted": _SHIELD + '<path d="m6 5.9 4 4m0-4-4 4"/>',
    "stale": '<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.3 1.5"/>',
    "unknown": '<circle cx="8" cy="8" r="6" stroke-dasharray="3 2.2"/>',
}
_DRAWN = (
    '<svg class="trust-shape" viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor"'
    ' stroke-width="1.8" aria-hidden="true">{}</svg>'
)


@register.simple_tag
def trust_state(state: str, word_of: str = "") -> SafeString:
    """A host's or an instance's state: icon, word, colour."""
    known = state if state in STATES else "unknown"
    shape = format_html(_DRAWN, mark_safe(_SHAPES[known]))  # noqa: S308 - a constant of ours
    badge = format_html('<span class="trust-state trust-{}">{} {}</span>', known, shape, STATES[known])
    if not word_of or known != "trusted":
        return badge
    alone = _("on the word of %(server)s alone") % {"server": word_of}
    return format_html('{} <span class="trust-alone">{}</span>', badge, alone)


@register.simple_tag
def trust_host(name: str) -> SafeString | str:
    """A host's name with a link to its page; a name that no page can have stays text."""
    try:
        address = reverse("horizon:admin:trust_hosts:detail", args=[name])
    except NoReverseMatch:
        return name
    return format_html('<a href="{}">{}</a>', address, name)


@register.simple_tag
def trust_word(table: str, code: object) -> str:
    """The word for a code of the service."""
    return str(TABLES[table].get(str(code), code))


@register.simple_tag
def trust_when(moment: datetime | None) -> SafeString | str:
    """How long ago or ahead, with the exact moment in the person's own zone on hover."""
    if moment is None:
        return _("never")
    exact = format_date(timezone.localtime(moment), "Y-m-d H:i:s T")
    now = timezone.now()
    if moment > now:
        said = _("in %(time)s") % {"time": timesince(now, moment, depth=1)}
    elif (now - moment).total_seconds() < 60:
        said = _("just now")
    else:
        said = _("%(time)s ago") % {"time": timesince(moment, now, depth=1)}
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, said)


@register.simple_tag
def trust_digest(value: str | None, other: str | None = None) -> SafeString | str:
    """A digest in hex, in groups of four bytes, with its first byte that differs from the other one marked."""
    if value is None:
        return format_html('<span class="trust-dim">{}</span>', _("no value"))
    pairs = [value[at : at + 2] for at in range(0, len(value), 2)]
    others = [other[at : at + 2] for at in range(0, len(other), 2)] if other else pairs
    differ = (at for at, (mine, theirs) in enumerate(zip_longest(pairs, others)) if mine != theirs)
    first = next(differ, None)
    return format_html('<code class="trust-digest">{}</code>', format_html_join("", "{}", _bytes(pairs, first)))


def _bytes(pairs: list[str], marked: int | None) -> Any:
    for at, pair in enumerate(pairs):
        gap = " " if at and at % 4 == 0 else ""
        yield (format_html("{}<mark>{}</mark>", gap, pair) if at == marked else f"{gap}{pair}",)
