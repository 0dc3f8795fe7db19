"""How people connect a Keylime, step by step as docs/keylime.md tells it, in a browser."""

import time
from collections.abc import Callable

from tests.e2e.deciding import approve
from tests.e2e.screen import Screen
from tests.e2e.waiting import eventually
from tests.keylime.stage import HOSTS, POLL_S, QUOTE_S, SERVER, VALIDITY_S, Stage

Visit = Callable[[str], Screen]

PLATFORM, VMM = "0, 1, 2, 3, 4, 5, 6, 7", "17, 18"


def add_server(stage: Stage, visit: Visit) -> str:
    """Adds it and tests the connection; where its card on the page is."""
    admin = visit("admin")
    admin.open("/servers/add/")
    admin.fill("#id_name", SERVER)
    admin.click("#id_kind option[value=keylime]")
    admin.fill("#id_url", stage.lab.verifier)
    admin.fill("#id_ca_pem", stage.lab.authority.read_text())
    numbers = {"interval_s": POLL_S, "batch_size": 500, "deadline_s": 15, "quote_interval_s": QUOTE_S}
    for name, value in numbers.items():
        admin.fill(f"#id_{name}", str(value))
    admin.click("main footer button")
    admin.reads("h1", "Attestation servers")
    card = next(f"#{each.get_attribute('id')}" for each in admin.all(".server") if SERVER in each.text)
    admin.click(f"{card} form button")
    admin.reads(card, f"A Keylime verifier answered and takes our certificate. Agents: {len(HOSTS)}.", seconds=30)
    return card


def propose_policy(visit: Visit) -> str:
    """Where the proposal is."""
    approver = visit("approver")
    approver.open(f"/propose/policy/?server={SERVER}")
    approver.fill("#id_platform", PLATFORM)
    approver.fill("#id_vmm", VMM)
    approver.fill("#id_validity_s", str(VALIDITY_S))
    return propose(approver, "What Keylime's hosts must show.")


def propose_keys(visit: Visit) -> str:
    """Those that the registrar shows; where the proposal is."""
    approver = visit("approver")
    approver.open(f"/propose/keys/?server={SERVER}")
    approver.click("input[name=of][value=all]")
    return propose(approver, "The first day: compared with what the machines' consoles say.")


def propose_what_they_show(visit: Visit) -> list[str]:
    """Where the proposals are, one for each part."""
    approver = visit("approver")
    approver.open("/propose/first-day/")
    approver.fill("#id_reason", "What the machines booted when they were set up.")
    approver.click("#go [name=propose]")
    approver.until(lambda: approver.path == "/baselines/", "nothing was proposed")
    return [each.get_attribute("href").removeprefix(approver.address) for each in approver.all("#open li a")]


def propose_that_it_counts(card: str, visit: Visit) -> str:
    """Where the proposal is."""
    approver = visit("approver")
    approver.open("/servers/")
    approver.click(f"{card} dd a[href$='/counting/']")
    approver.fill("#id_reason", "It was observed long enough.")
    approver.click("main form[method=post] button.btn")
    approver.one("#approve")
    return approver.path


def propose(approver: Screen, reason: str) -> str:
    """Says why, looks at what would follow, and proposes it; where the proposal is."""
    approver.fill("#id_reason", reason)
    approver.click("#go [name=preview]")
    approver.until(lambda: approver.one("#go [name=propose]").is_enabled(), "it can't be proposed")
    approver.click("#go [name=propose]")
    approver.one("#approve")
    return approver.path


def decide(visit: Visit, *proposals: str) -> float:
    """Two others approve, and a worker signs it; the moment of the last approval, of a monotonic clock."""
    for name in ("approver2", "approver3"):
        for proposal in proposals:
            approve(visit(name), proposal, f"{name} compared it.")
    approved = time.monotonic()
    for proposal in proposals:
        viewer = visit("viewer")
        viewer.open(proposal)
        viewer.reads("#status", "Signed as set", seconds=40)
    return approved


def observe(stage: Stage, visit: Visit) -> None:
    """Its hosts are there by their names, and nothing follows from what it says."""
    unknown = dict.fromkeys(HOSTS, "unknown")
    eventually(stage.states, unknown.__eq__, "the hosts never appeared, or count already")
    viewer = visit("viewer")
    viewer.open(f"/hosts/{HOSTS[0]}/")
    viewer.reads("main", f"{SERVER} is only observed")
    viewer.reads("main", "This does not count.")


def connect(stage: Stage, visit: Visit) -> None:
    """All of it; what must be so in between is looked at."""
    card = add_server(stage, visit)
    observe(stage, visit)
    decide(visit, propose_policy(visit))
    eventually(lambda: shown_keys(stage), len(HOSTS).__eq__, "no quote showed the keys")
    assert vouchers(stage) <= {"server", ""}, "a quote counts whose key nobody approved"
    decide(visit, propose_keys(visit))
    eventually(lambda: vouchers(stage), {"quote"}.__eq__, "the approved keys never proved anything")
    decide(visit, *propose_what_they_show(visit))
    observe(stage, visit)
    decide(visit, propose_that_it_counts(card, visit))
    stage.all_trusted("not all three hosts became trusted")


def shown_keys(stage: Stage) -> int:
    """Of how many hosts the registrar showed a key beside their quotes."""
    return int(stage.asked(f"Quoted.objects.filter(attestation__server__name={SERVER!r}).count()"))


def vouchers(stage: Stage) -> set[str]:
    """Who vouches for what the hosts show."""
    return {str(stage.evidence(name)["vouched_for_by"] or "") for name in HOSTS}
