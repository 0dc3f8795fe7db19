"""A person in Horizon: a browser of their own, logged in."""

from pathlib import Path
from urllib.parse import urlencode

from tests.e2e.screen import Screen

MODAL = "#modal_wrapper .modal"
OURS = "#content_body"  # Horizon's frame around it is not ours


class Guest(Screen):
    """One person, from log-in to log-out."""

    def __init__(self, profile: Path, address: str, user: str, password: str) -> None:
        super().__init__(profile, address)
        self.user = user
        self.driver.set_script_timeout(60)
        self.open("/auth/login/")
        self.fill("#id_username", user)
        self.fill("#id_password", password)
        self.click("#loginBtn")
        self.one("#sidebar-accordion, .nav-pills, #main_content", seconds=60)

    def ours(self) -> str:
        """What our part of the page says: one line, single spaces."""
        return self.text(OURS)

    def says(self, text: str, seconds: float = 20) -> None:
        """Waits until our part of the page says this."""
        self.reads(OURS, text, seconds)

    def source(self) -> str:
        """The page as the browser got and built it."""
        return str(self.driver.page_source)

    def get(self, path: str) -> str:
        """What the person gets at this address, beside the page that is shown."""
        fetching = "const done = arguments[1]; fetch(arguments[0]).then(answer => answer.text()).then(done)"
        return str(self.driver.execute_async_script(fetching, path))

    def menu(self) -> set[str]:
        """The panels that Horizon's menu leads to."""
        return set(self.run("return [...document.querySelectorAll('a')].map(a => a.pathname)"))

    def decide(self, button: str, reason: str, said: str) -> None:
        """Opens the modal of a button, gives a reason, sends it, and waits for what Horizon says of it."""
        self.click(button)
        self.fill(f"{MODAL} textarea[name=reason]", reason)
        self.click(f"{MODAL} input[type=submit]")
        self.until(lambda: said in self.text("body"), f"nobody said “{said}”", 40)
        self.gone(MODAL)

    def at(self, panel: str, **query: str) -> None:
        """Opens one of the administrators' panels."""
        self.open(f"/admin/{panel}/" + (f"?{urlencode(query)}" if query else ""))
