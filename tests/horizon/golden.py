"""What the service answers of golden values."""

from typing import Any

from tests.horizon.examples import NOW, VERSION

CONTENT, IMPACT = "c" * 64, "d" * 64
HELD = "baseline:" + "0" * 16
HELD_PATH = HELD.replace(":", "%3A")
BASELINE = {
    "kind": "baseline", "id": HELD, "name": "VMM 1", "part": "vmm", "bank": "sha1",
    "values": {"17": "aa" * 20, "18": "ab" * 20}, "pools": [], "not_before": None, "not_after": None,
    "content_hash": CONTENT,
}  # fmt: skip


def page(**more: Any) -> dict[str, Any]:
    line = {
        "id": 4, "title": "VMM 2", "reason": "An update.", "state": "open", "proposed_by": "ada", "proposed_at": NOW,
        "stuck": "", "content_hash": CONTENT, "approvals": 1, "needed": 2, "why_not": None,
    }  # fmt: skip
    return {
        "version": VERSION, "set_number": 3, "refused": "", "items": [BASELINE], "next": None,
        "proposals": [{**line, **more}], "more_proposals": False,
    }  # fmt: skip


def impact() -> dict[str, Any]:
    return {
        "content_hash": CONTENT, "impact_hash": IMPACT, "hosts": 5, "unchanged": 3, "counts": {"gained": 2},
        "pools": {}, "parts": {}, "moves": {}, "examples": {"gained": ["hv1", "hv2"]},
    }  # fmt: skip


def change(act: str = "add") -> dict[str, Any]:
    register = {"bank": "sha1", "index": 17, "measures": "the launch", "before": "aa" * 20, "after": "bb" * 20}
    return {
        "entry": HELD, "kind": "baseline", "act": act, "name": "VMM 2", "outdated": False, "against": "VMM 1",
        "differing": [{**register, "why": "The log says: the kernel was replaced"}],
        "same": [{**register, "index": 18, "after": "aa" * 20, "why": ""}],
        "fields": [{"name": "Bank", "before": None, "after": "SHA1", "heed": ""}],
    }  # fmt: skip


def proposal(state: str = "open") -> dict[str, Any]:
    said = {"by": "ben", "verb": "approve", "reason": "Compared it.", "at": NOW, "content_hash": CONTENT}
    return {
        "kind": "proposal", "id": 4, "title": "VMM 2", "reason": "An update.", "state": state, "proposed_by": "ada",
        "proposed_at": NOW, "edited_at": None, "settled_at": None, "set_number": None, "stuck": "",
        "content_hash": CONTENT, "approvals": 1, "needed": 2, "why_not": None, "decisions": [said], "changes": [],
        "changes_total": 1,
    }  # fmt: skip


def review(state: str = "open", **more: Any) -> dict[str, Any]:
    told = {
        "proposal": proposal(state), "baseline": None, "content_hash": CONTENT, "problem": "", "impact": impact(),
        "changes": [change()], "changes_total": 1, "why_not_approve": None, "why_not_reject": None,
        "why_not_withdraw": "Only who proposed it can withdraw it.", "why_not_retire": "Only what is in force.",
        "touched_by": None, "version": VERSION,
    }  # fmt: skip
    return {**told, **more}


def held_review() -> dict[str, Any]:
    closed = {f"why_not_{act}": "It is in force." for act in ("approve", "reject", "withdraw")}
    more = {"why_not_retire": None, "touched_by": 7, "changes": [change("remove")]}
    return review(**closed, **more) | {"proposal": None, "baseline": BASELINE}


def decided(approvals: int = 0) -> dict[str, Any]:
    return {**proposal(), "approvals": approvals}
