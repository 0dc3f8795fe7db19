"""A Keylime is connected as docs/keylime.md tells it, and its hosts are trusted by what their TPMs signed."""

import pytest

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
