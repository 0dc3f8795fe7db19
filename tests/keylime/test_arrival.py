"""A Keylime is connected as docs/keylime.md tells it, and its hosts are trusted by what their TPMs signed."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.e2e.product import ROOT
from tests.e2e.screen import Screen
from tests.keylime.stage import HOSTS, SERVER

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(900)]


def test_three_hosts_are_trusted_by_quotes_that_we_verified(connected, visit):
    viewer = visit("viewer")
    for name in HOSTS:
        held = connected.evidence(name)
        assert (held["vouched_for_by"], held["verdict"], held["counts"]) == ("quote", "trusted", True)
        assert held["details"]["agent"] == name
        assert held["registers"].keys() == {"sha256"}
        viewer.open(f"/hosts/{name}/")
        viewer.reads("#host .badge", "Trusted")
        viewer.reads(".reason", f"All required registers match approved baselines, and {SERVER} agrees.")
        viewer.reads("#host aside", "a quote that we verified")
        viewer.open(f"/hosts/{name}/evidence/")
        viewer.reads(".quotation", "it signed them in answer to our nonce, by the key that people approved")
        outcomes = [each.text for each in viewer.all("#host .steps .chip")]
        assert outcomes == ["pass"] * 7 + ["not reached"] + ["pass"] * 2  # no agent hands over an event log
    viewer.photograph("keylime-evidence")
    viewer.open(f"/hosts/{HOSTS[0]}/")
    viewer.photograph("keylime-trusted")


def test_anybody_can_check_a_quote_without_us(connected, visit, tmp_path):
    with connected.product.holding("worker"):  # or another quote would take the place of the one on the page
        viewer = visit("viewer")
        viewer.open(f"/hosts/{HOSTS[0]}/evidence/")
        program, *words = shlex.split(viewer.text(".command code"))
        take_along(viewer, tmp_path)
    assert program == "python"
    files = {"PYTHONPATH": str(ROOT), "PATH": ""}
    checked = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=files, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def take_along(screen: Screen, folder: Path) -> None:
    """Downloads all that belongs to the quote on the page."""
    cookies = {each["name"]: each["value"] for each in screen.driver.get_cookies()}
    links = [str(each.get_attribute("href")) for each in screen.all("a[href*='/quote/']")]
    assert len(links) == 4
    for link in links:
        answer = requests.get(link, cookies=cookies, timeout=30)
        (folder / f"{HOSTS[0]}.{link.rpartition('/')[2]}").write_bytes(answer.content)
