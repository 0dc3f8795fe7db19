"""Pages by number, for lists that are read whole anyway."""


def page_number(asked: str, pages: int) -> int:
    """The page that an address asks for, from 1 on; nonsense is the first, too high a number the last."""
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
    return min(max(1, number), pages)
