"""An untrusted host is found, explained, proposed and approved in Horizon, and turns trusted before people's eyes."""

import pytest

from tests.horizon.e2e.conftest import UNTRUSTED
from tests.horizon.e2e.people import ADMINISTRATOR, FIRST, SECOND

pytestmark = [pytest.mark.horizon, pytest.mark.timeout(900)]

TITLE = "Kernel 6.1.0-38"
STATE = ".trust-head .trust-state"


def test_three_people_make_an_untrusted_host_trusted(visit, product):
    ada = visit(ADMINISTRATOR)
    ada.at("trust_overview")
    ada.click("#content_body a[href='/admin/trust_hosts/?state=untrusted']")
    ada.click(f"#trust-hosts a[href*='{UNTRUSTED}']")
    ada.reads(STATE, "Untrusted")
    ada.says("Differs from the closest approved baseline in PCR 18, 19.")
    ada.says("kernel")
    assert [each.text for each in ada.all("table th[scope=row]")][:2] == ["18", "19"]

    ada.click("#trust-propose-vmm")
    ada.fill(".modal #id_title", TITLE)
    ada.fill(".modal #id_name", TITLE)
    ada.fill(".modal #id_reason", "The vendor's update of this week.")
    ada.click(".modal input[type=submit]")
    ada.reads("body", "waits for approvals: nothing is in force by it yet.")

    ada.at("trust_baselines")
    ada.click("#trust-proposals th a")
    ada.says("Only an approver can decide; being an administrator is not enough.")
    assert not ada.one("#trust-approve").is_enabled()
    ada.at(f"trust_hosts/{UNTRUSTED}")
    stays = ada.stays()

    for person, said in ((FIRST, "1 more person must approve."), (SECOND, "A worker signs it in its next turn.")):
        guest = visit(person)
        guest.at("trust_baselines")
        guest.reads("#trust-proposals", "Yes: review it")
        guest.click("#trust-proposals th a")
        guest.says("1 host would match, but its server calls it untrusted")
        guest.says("6.1.0-38")
        guest.decide("#trust-approve", "Compared with the vendor's notes.", said)

    ada.reads(STATE, "Trusted", seconds=60)
    assert stays(), "The page was loaded anew."
    assert not any(each.is_displayed() for each in ada.all(".trust-differs"))
