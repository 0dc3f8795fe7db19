"""What an operator would bring along on the first day: the inventory and the golden values of the approved state.

Golden values are those at the story's beginning: never the kernel update, never the odd boot loader.
"""

import base64
import csv
import io
import json
from typing import Any

from txt_dashboard.simulator.fleet import BANK, DL360, PLATFORM_REGISTERS, VMM_REGISTERS, Fleet
from txt_dashboard.simulator.registry import registrations
from txt_dashboard.simulator.tpm import p256_key, public_area
from txt_dashboard.simulator.whitelist import Mle, MleType, all_mles

SERVER = "oat-1"
VALIDITY_S = 120
REGISTRATION = (
    "host", "address", "port", "pool",
    "bios_name", "bios_version", "bios_oem",
    "vmm_name", "vmm_version", "vmm_os_name", "vmm_os_version",
)  # fmt: skip
_PARTS = {MleType.BIOS: "platform", MleType.VMM: "vmm"}


def inventory_csv(fleet: Fleet) -> str:
    """A header `host,pool` and one line for each host, those that are not enrolled among them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("host", "pool"))
    writer.writerows((host.name, host.pool) for host in fleet.hosts)
    return text.getvalue()


def registrations_csv(fleet: Fleet) -> str:
    """How each host of the fleet is to be registered, those that are not enrolled among them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(REGISTRATION)
    for host in registrations(fleet):
        bios, vmm = host.bios[:3], (*host.vmm[:2], *host.vmm[3:])
        writer.writerow((host.name, host.address, host.port, fleet.by_name[host.name].pool, *bios, *vmm))
    return text.getvalue()


def keys_csv(fleet: Fleet) -> str:
    """A header `host,key` and the TPM keys of one model's hosts: those that are made at once, for they use P-256."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("host", "key"))
    for number, host in enumerate(fleet.hosts):
        if host.hardware == DL360:
            writer.writerow((host.name, base64.b64encode(public_area(p256_key(fleet.seed, number))).decode()))
    return text.getvalue()


def golden_json(fleet: Fleet) -> str:
    """The policy of the demonstration and one baseline for each MLE, in the product's baseline file format."""
    document = {
        "format": "txt-dashboard baselines 1",
        "policies": [_policy()],
        "baselines": [_baseline(mle) for mle in all_mles(fleet)],
    }
    return json.dumps(document, indent=2) + "\n"


def _policy() -> dict[str, Any]:
    parts = {"platform": PLATFORM_REGISTERS, "vmm": VMM_REGISTERS}
    return {
        "server": SERVER,
        "pool": "",
        "parts": {part: {"bank": BANK, "registers": registers} for part, registers in parts.items()},
        "validity_s": VALIDITY_S,
        "word_is_enough": False,
    }


def _baseline(mle: Mle) -> dict[str, Any]:
    return {
        "name": mle.name,
        "part": _PARTS[mle.kind],
        "bank": BANK,
        "values": {str(index): value.hex() for index, value in mle.values.items()},
        "pools": [],
        "not_before": None,
        "not_after": None,
    }
