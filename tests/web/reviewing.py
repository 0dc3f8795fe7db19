"""Reviewing a proposal as a person does: looking at its page, and deciding with the form that is on it."""

import re

from tests.web.visitors import browser_of

WORDS = {"title": "Kernel 2", "reason": "Security update of November."}


def page(actor, proposal, **query: str):
    return browser_of(actor).get(f"/proposals/{proposal.pk}/", query)


def entered(response, **changes: str) -> dict[str, str]:
    """What the page's form sends, with what a person writes."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode())
    hidden = {name: held for name, held in fields if name != "csrfmiddlewaretoken"}
    return {**hidden, "reason": "Compared with the vendor's notes.", **changes}


def decide(actor, proposal, verb: str = "approve", shown=None, **changes: str):
    browser = browser_of(actor)
    shown = shown or browser.get(f"/proposals/{proposal.pk}/")
    return browser.post(f"/proposals/{proposal.pk}/{verb}/", entered(shown, **changes), follow=True)


def button(response, name: str) -> str:
    found = re.search(rf'<button [^>]*id="{name}"[^>]*>', response.content.decode())
    return found[0] if found else ""
