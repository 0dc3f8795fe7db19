"""A baseline that people may want."""

from dataclasses import replace

from tests.factories import BASELINES, value
from txt_dashboard.actions.governance.propose import Wanted
from txt_dashboard.attest.entries import baseline_entry, baseline_id
from txt_dashboard.attest.reference import Baseline

KERNEL = replace(BASELINES[1], name="VMM 2", values={17: value("good 17"), 18: value("kernel 2")})


def wants(baseline: Baseline = KERNEL) -> Wanted:
    return {baseline_id(baseline): baseline_entry(baseline)}


WANTED = wants()
WORDS = {"title": "Kernel 2", "reason": "Security update of November."}
