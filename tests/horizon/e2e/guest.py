"""A person in Horizon: a browser of their own, logged in."""

from pathlib import Path
from urllib.parse import urlencode

from tests.e2e.screen import Screen

OURS = "#content_body"  # Horizon's frame around it is not ours


class Guest(Screen):
    """One person, from log-in to log-out."""

    def __init__(self, profile: Path, address: str, user: str, password: str) -> None:
        super().__init__(profile, address)
        self.user = user
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

    def menu(self) -> list[str]:
        """Where Horizon's menu leads."""
        links = self.run("return [...document.querySelectorAll('#sidebar a, nav a, .nav a')].map(a => a.pathname)")
        return [str(each) for each in links]

    def at(self, panel: str, **query: str) -> None:
        """Opens one of the administrators' panels."""
        self.open(f"/admin/{panel}/" + (f"?{urlencode(query)}" if query else ""))
