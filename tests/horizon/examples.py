"""What the service answers, as its own tests have it."""

from typing import Any

NOW = "2026-11-27T03:00:00Z"
VERSION = "7-9-3-0-0-0"
COUNTS = {"trusted": 1, "untrusted": 1, "stale": 0, "unknown": 1}


def entry(**more: Any) -> dict[str, Any]:
    told = {"id": 3, "at": NOW, "actor": "ann", "verb": "poll", "target": "all hosts", "host": "", "outcome": None}
    return {**told, "detail": {"reason": "Because of the update."}, **more}


def overview(**more: Any) -> dict[str, Any]:
    summary = {
        "at": NOW, "version": VERSION, "simulated": False, "trouble": True, "total": 3, "hosts": COUNTS,
        "moved": {"trusted": -1, "untrusted": 1, "stale": 0, "unknown": 0},
        "pools": [{"pool": "az1", "hosts": COUNTS}], "outages": [], "set_number": 4, "refused": "", "polling": None,
    }  # fmt: skip
    change = {
        "hosts": 1, "first": NOW, "last": NOW, "reason": "registers_differ", "pools": ["az1"], "group": "g" * 16,
        "server": "oat-1", "registers": [17], "differences": [],
    }  # fmt: skip
    return {
        "summary": {**summary, **more},
        "changes": {"items": [change], "more": 0},
        "activity": [entry()],
    }


def host(name: str = "hv1", state: str = "trusted", **more: Any) -> dict[str, Any]:
    told = {
        "name": name, "pool": "az1", "state": state, "reason": "matches", "sentence": "All registers match.",
        "since": NOW, "attested_at": NOW, "differing": [], "baselines": [], "word_of": "", "observed": False,
    }  # fmt: skip
    return {**told, **more}


def hosts(*items: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next": following, "version": "7-0-0-0-0-0"}


def head(state: str = "untrusted") -> dict[str, Any]:
    return {
        "name": "hv1", "pool": "az1", "state": state, "reason": "registers_differ",
        "sentence": "Differs from the closest approved baseline in PCR 17.",
    }  # fmt: skip


def register(index: int, golden: str | None, actual: str | None, **more: Any) -> dict[str, Any]:
    told = {"bank": "sha256", "index": index, "measures": "the launch", "changes": "an update of tboot"}
    return {**told, "golden": golden, "actual": actual, "unlaunched": False, "why": None, **more}


WHY = {
    "sentence": "The kernel changed.",
    "events": [{"how": "changed", "text": "kernel 6.9", "before": "kernel 6.8", "kind": "EV_IPL"}],
}


def diff(state: str = "untrusted", **more: Any) -> dict[str, Any]:
    golden, actual = "ab" * 32, "ab" * 3 + "cd" * 29
    server = {
        "server": "oat-1", "counts": True, "simulated": False, "verdict": "untrusted", "match": "untrusted",
        "agree": True, "sentence": "Differs in PCR 17.", "freshness": "fresh", "asking": False, "attested_at": NOW,
        "valid_until": None, "silence": None, "launch": "launched", "proposable": ["vmm"],
        "parts": [{"part": "vmm", "outcome": "differs", "baseline": "VMM 1", "baseline_id": "baseline:1"}],
        "differing": [register(17, golden, actual, why=WHY), register(18, golden, actual)],
        "missing": [], "uncompared": [], "matching": [register(0, golden, golden)],
        "others": [register(23, None, actual)],
    }  # fmt: skip
    return {**head(state), "since": NOW, "servers": [{**server, **more}], "version": "7-0-0-0-0-0"}


def event_log(**more: Any) -> dict[str, Any]:
    told = {
        **head(), "server": "oat-1", "servers": ["oat-1"], "problem": "", "total": 2, "found": 2, "next": "2",
        "standings": [{"bank": "sha256", "standing": "explained", "registers": [0, 17]}],
        "items": [{
            "number": 2, "index": None, "kind": "EV_NO_ACTION", "text": "Specification 2.0", "details": ["of TCG"],
            "digests": {"sha256": "00" * 32}, "differs": True,
        }],
    }  # fmt: skip
    return {**told, **more}


def history() -> dict[str, Any]:
    change = {"part": "vmm", "bank": "sha256", "index": 17, "before": "ab" * 32, "after": None}
    event = {
        "at": NOW, "previous_state": "trusted", "state": "untrusted", "reason": "registers_differ",
        "sentence": "Differs in PCR 17.", "differing": [17], "changes": [change],
    }  # fmt: skip
    return {**head(), "items": [event], "next": f"{NOW}~3"}


def evidence() -> dict[str, Any]:
    held = {
        "server": "oat-1", "counts": True, "simulated": False, "freshness": "fresh", "asked_at": NOW,
        "attested_at": NOW, "counts_from": NOW, "valid_until": "2026-11-27T09:00:00Z", "verdict": "untrusted",
        "vouched_for_by": "quote", "doubt": None, "registers": {"sha256": {"17": "ab" * 32}}, "details": {"a": 1},
    }  # fmt: skip
    return {**head(), "written_at": NOW, "evidence": [held]}


def candidates(value: str = "ab", **more: Any) -> dict[str, Any]:
    baseline = {"name": "vmm of hv1", "part": "vmm", "bank": "sha256", "values": {"17": value * 32, "4": value * 32}}
    told = {
        "part": "vmm", "servers": ["oat-1"], "refused": [], "waiting": None, "document_hash": value * 32,
        "document": {"format": "txt-dashboard baselines 1", "baselines": [baseline]},
    }  # fmt: skip
    return {**head(), "items": [{**told, **more}]}


def server(**more: Any) -> dict[str, Any]:
    told = {
        "name": "oat-1", "kind": "oat", "url": "https://oat.example.org:8443", "counts": True, "enabled": True,
        "simulated": False, "without_tls": False, "health": "answering", "interval_s": 60, "asked_at": NOW,
        "hosts": {"fresh": 2, "stale": 1, "unreachable": 0, "never": 0}, "answered_at": NOW, "retry_at": None,
        "error_code": "", "error": "", "test": None, "tested_at": None, "test_passed": None, "test_result": "",
    }  # fmt: skip
    return {**told, **more}


POLL = {"id": 8, "requested_at": NOW, "requested_by": "ann", "pool": "", "host": "", "server": "oat-1", "total": 3}


def instances(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    instance = {
        "id": "3f1c", "name": "shop-1", "project_id": "p1", "asks": True, "enforced": "trait", "state": "untrusted",
        "why_class": "host_untrusted", "sentence": "Its host is not trusted.", "since": NOW, "at_stake": True,
        "host": "hv1",
    }  # fmt: skip
    told = {
        "cloud": "east", "simulated": False, "problem": "", "read_at": NOW, "project": None, "next": None,
        "means_not": "It does not mean that the instance itself was measured.",
    }  # fmt: skip
    return {**told, "items": list(items) or [instance], **more}


def baselines() -> dict[str, Any]:
    held = {
        "kind": "baseline", "id": f"baseline:{'a' * 16}", "name": "VMM 1", "part": "vmm", "bank": "sha256",
        "values": {"17": "ab" * 32}, "pools": ["az1"], "not_before": NOW, "not_after": None, "content_hash": "c" * 64,
    }  # fmt: skip
    line = {
        "id": 12, "title": "VMM 2", "state": "open", "reason": "The update.", "proposed_by": "ann",
        "proposed_at": NOW, "stuck": "It waits.", "approvals": 1, "needed": 2, "why_not": "You proposed it.",
        "content_hash": "c" * 64,
    }  # fmt: skip
    return {
        "set_number": 4, "refused": "", "items": [held], "next": f"baseline:{'a' * 16}", "proposals": [line],
        "more_proposals": True, "version": VERSION,
    }  # fmt: skip


def review(**more: Any) -> dict[str, Any]:
    decision = {"by": "bob", "verb": "approve", "reason": "Looked.", "at": NOW, "content_hash": "d" * 64}
    proposal = {
        "kind": "proposal", "id": 12, "title": "VMM 2", "reason": "The update.", "state": "open",
        "proposed_by": "ann", "proposed_at": NOW, "edited_at": NOW, "settled_at": None, "set_number": None,
        "stuck": "It waits.", "content_hash": "c" * 64, "approvals": 1, "needed": 2, "why_not": None,
        "decisions": [decision], "changes": [], "changes_total": 1,
    }  # fmt: skip
    impact = {
        "content_hash": "c" * 64, "impact_hash": "e" * 64, "hosts": 9, "unchanged": 3, "pools": {}, "parts": {},
        "counts": {"gained": 4, "gained once vouched": 2, "lost": 1}, "moves": {},
        "examples": {"gained": ["hv1"], "lost": ["hv9"]},
    }  # fmt: skip
    register = {
        "bank": "sha256", "index": 17, "measures": "the launch", "before": "ab" * 32, "after": "cd" * 32,
        "why": "The log says: the kernel changed.",
    }  # fmt: skip
    change = {
        "entry": f"baseline:{'b' * 16}", "kind": "baseline", "act": "add", "name": "VMM 2", "outdated": True,
        "against": "VMM 1", "differing": [register], "same": [{**register, "index": 18, "why": ""}],
        "fields": [{"name": "pools", "before": None, "after": "az1", "heed": "Look twice."}],
    }  # fmt: skip
    told = {
        "proposal": proposal, "baseline": None, "content_hash": "c" * 64, "problem": "", "impact": impact,
        "changes": [change], "changes_total": 40, "why_not_approve": None, "why_not_reject": "You may not.",
        "why_not_withdraw": None, "why_not_retire": None, "touched_by": None, "version": VERSION,
    }  # fmt: skip
    return {**told, **more}


def flavors(**more: Any) -> dict[str, Any]:
    flavor = {
        "id": "m1.small", "name": "m1.small", "public": False, "vcpus": 1, "ram_mib": 2048, "disk_gib": 20,
        "trusted": True, "enforced": "trait", "fails_closed": False, "capacity": None, "instances": 3,
        "old_demand": 1, "specs_hash": "f" * 64,
        "warnings": [{"code": "no_scope", "sentence": "It enforces nothing."}],
    }  # fmt: skip
    other = {**flavor, "id": "m2", "name": "m2", "trusted": False, "fails_closed": True, "capacity": 4}
    return {
        "cloud": "east", "simulated": True, "problem": "Nova did not answer.", "read_at": NOW, "enforcement": "trait",
        "trait": "CUSTOM_TRUSTED", "trusted_hosts": 2, "why_not": None, "items": [flavor, other], "next": "m2",
        "warnings": [{"code": "none_left", "sentence": "No trusted host is left."}], "version": VERSION, **more,
    }  # fmt: skip
