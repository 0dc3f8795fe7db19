"""What a viewer can't do is shown, disabled, and says why. Doing it anyway is refused."""

import pytest

pytestmark = pytest.mark.browser


def why(screen, button: str) -> str:
    """What stands beside a disabled button, or in its title."""
    element = screen.one(button)
    assert not element.is_enabled()
    described = element.get_attribute("aria-describedby")
    return screen.text(f"#{described}") if described else element.get_attribute("title")


def test_a_viewer_sees_why_they_can_not_poll(viewer):
    viewer.open("/")
    assert why(viewer, "button[aria-describedby=why-not-poll]") == "Only operators and administrators poll."


def test_a_viewer_sees_why_they_can_not_attest(viewer):
    viewer.open("/hosts/az1-001/")
    assert why(viewer, "button[aria-describedby=why-not-attest]") == "Only operators and administrators attest."


def test_a_viewer_sees_why_they_can_not_test_or_change_servers(viewer):
    viewer.open("/servers/")
    assert why(viewer, "button[aria-describedby=why-not-edit]") == "Only administrators add or change servers."
    assert why(viewer, ".server form .btn") == "Only operators and administrators may test."
    viewer.open("/servers/1/")
    viewer.reads("main", "Only administrators change servers. You see the settings, not the secret.")
    assert not [field for field in viewer.all("main input:not([type=hidden]), main textarea") if field.is_enabled()]
    assert why(viewer, "main footer button") == "Only administrators change servers."


def test_a_viewer_who_polls_anyway_is_refused_in_a_sentence(viewer):
    viewer.forgive("status of 403")
    viewer.open("/servers/1/")
    viewer.run("const form = document.querySelector('main form'); form.action = '/poll/'; form.submit()")
    viewer.reads("h1", "You may not do that")
    viewer.reads("main", "viewer may not poll: it needs one of these roles: administrator, operator.")
