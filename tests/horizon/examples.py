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
