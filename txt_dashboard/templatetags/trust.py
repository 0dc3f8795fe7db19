"""How trust is shown: badges, icons, times, reasons and register values. One look on all pages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy, pgettext

from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reasons import Reason

register = template.Library()

_SHIELD = '<path d="M8 1.5 2.5 3.6v4.1c0 3.3 2.3 5.7 5.5 6.8 3.2-1.1 5.5-3.5 5.5-6.8V3.6z"/>'
_ICONS = {
    "trusted": _SHIELD + '<path d="m5.4 7.9 1.9 1.9 3.4-3.7"/>',
    "untrusted": _SHIELD + '<path d="m6 5.9 4 4m0-4-4 4"/>',
    "stale": '<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.3 1.5"/>',
    "unknown": '<circle cx="8" cy="8" r="6" stroke-dasharray="3 2.2"/>',
    "warning": '<path d="M8 2 1.8 13.5h12.4zM8 6.5v3.2m0 1.7v.3"/>',
    "done": '<path d="m3 8.5 3.2 3.2L13 5"/>',
    "refused": '<path d="m4 4 8 8m0-8-8 8"/>',
    "open": '<circle cx="8" cy="8" r="5.5"/>',
}
_STATES = {
    State.TRUSTED: gettext_lazy("Trusted"),
    State.UNTRUSTED: gettext_lazy("Untrusted"),
    State.STALE: gettext_lazy("Stale"),
    State.UNKNOWN: gettext_lazy("Unknown"),
}
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@register.filter
def whole(value: object) -> int:
    """A number to count with, 0 for what is none: what a stored entry says is no reason to fail a page."""
    return value if isinstance(value, int) else 0


@register.simple_tag
def icon(name: str) -> SafeString:
    """A small drawing that says nothing by itself: the word stands beside it."""
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.8"'
        ' aria-hidden="true">{}</svg>',
        mark_safe(_ICONS[name]),  # noqa: S308 - a constant of ours
    )


@register.filter
def state_name(state: str) -> str:
    """The state as a word."""
    return str(_STATES[State(state)])


@register.simple_tag
def badge(state: str, word_of: str = "") -> SafeString:
    """A state by icon, colour and word. `word_of` names the server whose word alone it rests on."""
    shown = format_html('<span class="badge is-{}">{}{}</span>', State(state), icon(state), state_name(state))
    if not word_of:
        return shown
    alone = gettext("on %(server)s's word alone") % {"server": word_of}
    return format_html('{} <span class="word-alone">{}</span>', shown, alone)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago, or how soon; the exact time on hover. The browser keeps it current."""
    if moment is None:
        return gettext("never")
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        _exact(moment),
        _relative((timezone.now() - moment).total_seconds()),
    )


@register.simple_tag
def clock(moment: datetime | None) -> SafeString | str:
    """A moment as the clock shows it. The browser rewrites it for the person's own zone."""
    if moment is None:
        return gettext("never")
    same_day = moment.astimezone(UTC).date() == timezone.now().astimezone(UTC).date()
    return format_html(
        '<time datetime="{}" title="{}" data-clock>{}</time>',
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        _exact(moment),
        f"{moment.astimezone(UTC):%H:%M} UTC" if same_day else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    )


@register.simple_tag
def reason(code: str, params: Mapping[str, object] | None = None, server: str = "") -> str:
    """The reason as a sentence in the person's language. Escaped by the template, for servers fill in parts of it."""
    filled: dict[str, object] = defaultdict(lambda: "…", params or {})
    if server or "server" not in filled:
        filled["server"] = server or gettext("the server")
    try:
        sentence = gettext(Reason.of(code).sentence)
    except KeyError:  # a newer release wrote it
        return code
    return sentence.format_map(filled)


@register.simple_tag
def sentence(english: str) -> str:
    """One of our own sentences in the person's language."""
    return gettext(english)


@register.filter
def at(found: Mapping[str, object], key: str) -> object:
    """What a mapping holds under the key, or nothing."""
    return found.get(key)


@register.filter
def memory(mib: int) -> str:
    """Memory as people say it."""
    return f"{mib // 1024} GiB" if mib >= 1024 and mib % 1024 == 0 else f"{mib} MiB"


@register.filter
def in_order(found: Iterable[Any]) -> list[Any]:
    """The items in their natural order."""
    return sorted(found)


@register.filter
def hex_start(value: bytes | None) -> str:
    """The first digits of a register's value."""
    return gettext("no value") if value is None else f"{value.hex()[:8]}…"


@register.simple_tag
def digest(value: str | None, other: str | None = None) -> SafeString | str:
    """A register's value in hex, marked from the first byte that differs from the other value.

    Only the differing byte and the three after it are marked: where two hashes part says that they
    differ, not how much.
    """
    if value is None:
        return gettext("no value")
    if not other or value == other:
        return value
    pairs = zip(value, other, strict=False)
    at = next((index for index, (left, right) in enumerate(pairs) if left != right), min(len(value), len(other)))
    start = at - at % 2
    return format_html("{}<mark>{}</mark>{}", value[:start], value[start : start + 8], value[start + 8 :])


@register.simple_tag
def ago_patterns() -> SafeString:
    """The words for relative times as attributes, so that the browser says them as we do."""
    return format_html(
        'data-ago-past="{}" data-ago-future="{}" data-ago-units="{}"',
        pgettext("relative time", "{span} ago"),
        pgettext("relative time", "in {span}"),
        " ".join(_unit(unit) for _, unit in _UNITS),
    )


def _relative(seconds: float) -> str:
    size, unit = next((pair for pair in _UNITS if abs(seconds) >= pair[0]), _UNITS[-1])
    span = f"{int(abs(seconds) // size)} {_unit(unit)}"
    pattern = pgettext("relative time", "{span} ago") if seconds >= 0 else pgettext("relative time", "in {span}")
    return pattern.format(span=span)


def _unit(unit: str) -> str:
    return {
        "d": pgettext("unit of time", "d"),
        "h": pgettext("unit of time", "h"),
        "min": pgettext("unit of time", "min"),
        "s": pgettext("unit of time", "s"),
    }[unit]


def _exact(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
