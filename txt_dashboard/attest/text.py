"""Text from untrusted bytes, made safe to show: nothing hidden, nothing reordered, nothing endless."""

import unicodedata

_STACKING = frozenset({"Mn", "Me"})  # marks that pile up on the character before them
_REORDERING = frozenset({"R", "AL", "AN"})  # what is written from right to left turns its neighbours round, too
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that nobody can see
SHOWN_LENGTH = 120


def shown(text: str, limit: int = SHOWN_LENGTH) -> str:
    r"""At most `limit` characters of the text, with what one can't see written as an escape (`\u202e`).

    Escaped are control, format (bidirectional, zero-width), unassigned and private characters, separators
    other than the space, lone surrogates, combining marks, letters that are blank, and those of scripts that run
    from right to left. A cut is marked by an ellipsis.
    """
    head = text[:limit]
    safe = head if head.isascii() and head.isprintable() else "".join(map(_visible, head))
    return safe if len(text) <= limit else safe + "…"


def shown_hex(data: bytes, limit: int = 32) -> str:
    """At most `limit` bytes as hex digits; a cut is marked by an ellipsis."""
    return data[:limit].hex() + ("…" if len(data) > limit else "")


def _visible(character: str) -> str:
    if (
        character.isprintable()
        and character not in _BLANK
        and unicodedata.category(character) not in _STACKING
        and unicodedata.bidirectional(character) not in _REORDERING
    ):
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
