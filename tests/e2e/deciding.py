"""How a person approves: looks, says why, and looks again where hosts changed meanwhile."""

from tests.e2e.screen import Screen

LOOKS = 5


def approve(screen: Screen, proposal: str, reason: str) -> None:
    """Until the page says that it is recorded; while hosts change the page asks again, as it should."""
    screen.open(proposal)
    screen.fill("#id_reason", reason)
    for _ in range(LOOKS):
        if screen.all("#confirmed-losses"):
            screen.click("#confirmed-losses")
        screen.click("#approve")
        screen.until(lambda: screen.all("#conflict") or reason in screen.text("#said"), "no answer to an approval")
        if reason in screen.text("#said"):
            return
    raise AssertionError(f"Hosts never came to rest: {screen.text('#conflict')}")
