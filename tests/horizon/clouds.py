"""What the service answers of flavors and instances."""

from typing import Any

from tests.horizon.examples import NOW, VERSION

SPECS = "e" * 64
ID = "6f2f9a58-4b0c-4d0c-9a39-8d2f4a6c1b11"
MEANS_NOT = "It says nothing of attacks inside an instance."


def flavor(**more: Any) -> dict[str, Any]:
    told = {
        "id": "7", "name": "m1.small", "public": True, "vcpus": 1, "ram_mib": 512, "disk_gib": 1, "trusted": False,
        "enforced": None, "fails_closed": None, "capacity": 3, "instances": 2, "old_demand": 1, "specs_hash": SPECS,
        "warnings": [{"code": "unscoped", "sentence": "It only looks trusted."}],
    }  # fmt: skip
    return {**told, **more}


def one_flavor(**more: Any) -> dict[str, Any]:
    return {**flavor(), "cloud": "east", "problem": "", "why_not": None, "enforcement": "trait", **more}


def flavors(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {
        "version": VERSION, "cloud": "east", "simulated": False, "problem": "", "read_at": NOW,
        "enforcement": "trait", "trait": "CUSTOM_TRUSTED_HOST", "trusted_hosts": 3, "warnings": [],
        "why_not": None, "next": None,
    }  # fmt: skip
    return {**told, "items": list(items), **more}


def instance(state: str = "trusted", **more: Any) -> dict[str, Any]:
    told = {
        "id": ID, "name": "shop-1", "project_id": "p" * 32, "asks": True, "enforced": "trait", "state": state,
        "why_class": "as_approved", "sentence": "Its host booted what was approved.", "since": NOW,
        "at_stake": state != "trusted", "host": None,
    }  # fmt: skip
    return {**told, **more}


def instances(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {
        "cloud": "east", "simulated": False, "problem": "", "read_at": NOW, "means_not": MEANS_NOT,
        "project": "p" * 32, "next": None,
    }  # fmt: skip
    return {**told, "items": list(items), **more}
