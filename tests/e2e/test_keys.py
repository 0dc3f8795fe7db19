"""Proposing TPM keys in a browser: what is ticked is shown at once, and nothing is made before it was asked for."""

import pytest

pytestmark = pytest.mark.browser


def test_what_is_ticked_is_previewed_and_can_then_be_proposed(approver):
    approver.open("/propose/keys/")
    button = "#go button[name=propose]"
    assert not approver.one(button).is_enabled()
    host = approver.one("#picks input[name=hosts]").get_attribute("value")
    approver.click("#picks input[name=hosts]")
    approver.reads("#preview", f"TPM key {host}")
    approver.reads("#preview", "the attestation server's word")
    approver.until(lambda: approver.one(button).is_enabled(), "it can't be proposed")


def test_a_search_keeps_to_the_server(approver):
    approver.open("/propose/keys/")
    approver.fill("input[name=q]", "no-such-host")
    approver.click("form[role=search] button")
    approver.reads("#picks", "No name holds this.")
    assert "q=no-such-host" in approver.driver.current_url
