"""A language in which all that is translated stands in brackets, and a reader of what does not."""

import gettext
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from django.utils.translation import trans_real

_BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
_SPOKEN = ("aria-label", "placeholder", "title", "alt", "data-trust-lost", "data-trust-paused")
_NO_TEXT = frozenset({"code", "script", "style", "svg", "time"})
_INLINE = frozenset({"a", "b", "code", "q", "small", "span", "time"})  # a sentence goes on through them
_VOID = frozenset({"input", "link", "meta", "br", "img", "hr", "path", "circle"})


class Pseudo(gettext.NullTranslations):
    """Django's translation object, for no language at all."""

    def gettext(self, message: str) -> str:
        """In brackets, without its context."""
        text = message.rpartition(trans_real.CONTEXT_SEPARATOR)[2]
        return f"⟦{text}⟧" if text else ""

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """As English counts."""
        return self.gettext(singular if n == 1 else plural)

    def language(self) -> str:
        """Its name."""
        return "en"

    to_language = language


@contextmanager
def spoken() -> Iterator[None]:
    """Whatever is translated meanwhile is so into this language."""
    kept = dict(trans_real._translations)
    active = getattr(trans_real._active, "value", None)
    trans_real._translations.update({language: Pseudo() for language in ("en", "en-us")})
    trans_real._active.value = Pseudo()
    try:
        yield
    finally:
        trans_real._translations.clear()
        trans_real._translations.update(kept)
        trans_real._active.value = active


def untranslated(page: str, data: Iterable[str]) -> list[str]:
    """Texts of our part of a page that are neither in brackets nor data."""
    reader = _Reader()
    reader.feed(page)
    reader.end()
    known = sorted({each for each in data if each}, key=len, reverse=True)
    return [each for each in reader.texts if _left(each, known)]


def texts_of(answer: Any) -> Iterator[str]:
    """All texts of the service's answer."""
    if isinstance(answer, dict):
        for value in answer.values():
            yield from texts_of(value)
        yield from answer
    elif isinstance(answer, list):
        for each in answer:
            yield from texts_of(each)
    elif isinstance(answer, str):
        yield answer


def _left(text: str, known: list[str]) -> str:
    for each in known:
        text = text.replace(each, "")
    while (shorter := _BRACKETED.sub("", text)) != text:
        text = shorter
    return "".join(re.findall(r"[A-Za-z]{2,}", text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.sentence = ""

    def end(self) -> None:
        """Of a sentence."""
        if self.sentence.strip():
            self.texts.append(self.sentence.strip())
        self.sentence = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.end()
        if tag == "main" or self.open:
            spoken_here = dict(attrs)
            self.texts += [text for name in _SPOKEN if (text := spoken_here.get(name)) and tag != "time"]
            if tag == "input" and spoken_here.get("type") == "submit":
                self.texts.append(spoken_here.get("value") or "")
            if tag not in _VOID:
                self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.end()
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.open and not _NO_TEXT & set(self.open):
            self.sentence += data
