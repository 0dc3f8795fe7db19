"""What a browser sends of a page's form: read from the page as a browser reads it."""

from html.parser import HTMLParser


class _Controls(HTMLParser):
    """Collects the controls that would be sent, wherever on the page they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._name = ""  # of the textarea or select that is open
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        names = {name for name, _ in attrs}
        name = held.get("name", "")
        if "disabled" in names:
            return
        if tag == "input" and name and held.get("type") not in ("file", "search", "submit"):
            chosen = held.get("type") not in ("radio", "checkbox") or "checked" in names
            if chosen:
                self.sent.setdefault(name, []).append(
                    held.get("value", "on" if held.get("type") == "checkbox" else "")
                )
        elif tag == "textarea":
            self._name, self._text = name, []
        elif tag == "select":
            self._name = name
        elif tag == "option" and self._name and ("selected" in names or self._name not in self.sent):
            self.sent[self._name] = [held.get("value", "")]

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            self.sent[self._name] = ["".join(self._text).removeprefix("\n")]
            self._text = None
        elif tag == "select":
            self._name = ""


def filled(response, *, without: tuple[str, ...] = (), **changes: object) -> dict[str, object]:
    """The form as the page begins it, with what a person changes."""
    controls = _Controls()
    controls.feed(response.content.decode())
    sent = {name: values for name, values in controls.sent.items() if name not in without}
    return {**sent, **changes}
