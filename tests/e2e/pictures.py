"""`python -m tests.e2e.pictures`: takes the pictures of the documentation anew, from the demonstration."""

import tempfile
from pathlib import Path

from tests.e2e.product import STORY, Product
from tests.e2e.screen import Screen

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PAGES = {
    "fleet": ("/", 1280, 800),
    "host": (f"/hosts/{STORY.kernel_update.hosts[3]}/", 1280, 980),
    "servers": ("/servers/", 1280, 360),
    "flavors": ("/flavors/", 1280, 937),
}


def main() -> None:
    """Plays the story quickly to its end, and looks."""
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder) / "data")
        product.start(4.0)
        screen = Screen(Path(folder) / "profile", product.address)
        try:
            screen.open("/login/")
            screen.log_in("operator", product.password)
            screen.one("nav")
            screen.reads("#tally-untrusted b", "15", seconds=120)
            screen.reads("#tally-stale b", "1", seconds=300)
            screen.gone("#outages section", seconds=120)
            screen.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            for name, (path, width, height) in PAGES.items():
                screen.open(path)
                screen.resize(width, height)
                if screen.all("#map"):
                    screen.one("#map .cells a")
                IMAGES.mkdir(exist_ok=True)
                screen.driver.save_screenshot(str(IMAGES / f"{name}.png"))
        finally:
            screen.close()
            product.stop()


if __name__ == "__main__":
    main()
